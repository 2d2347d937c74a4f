/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Makes one allocation of a program fail; tests/e2e/fault.py loads it into programs by LD_PRELOAD.
 *
 * FAIL_MALLOC names a file with four numbers (struct control). The test and the program share its memory, so
 * the test can choose the call while the program runs. Without that file nothing fails.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* active: whether calls are counted. fail_at: the number of the call that fails; 0: none. failed: how many have. */
struct control {
        long active, n_calls, fail_at, n_failed;
};

static struct control unused, *control = &unused;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void fail_malloc_on(void);
void fail_malloc_off(void);

__attribute__((constructor)) static void open_control(void) {
        const char *path = getenv("FAIL_MALLOC");
        void *memory;
        int fd;

        fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        if (fd < 0)
                return;
        memory = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (memory != MAP_FAILED)
                control = memory;
}

/* For a program that knows when the part begins that is of interest. */
void fail_malloc_on(void) {
        if (control != &unused)
                control->active = 1;
}

void fail_malloc_off(void) {
        control->active = 0;
}

static int fails(void) {
        if (!control->active || ++control->n_calls != control->fail_at)
                return 0;
        control->n_failed++;
        errno = ENOMEM;
        return 1;
}

void *malloc(size_t size) {
        return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
        return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
        return fails() ? NULL : __libc_realloc(old, size);
}
