/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "name-rule.h"
#include "number.h"
#include "run-state.h"
#include "seat-id.h"

#define CLAIMS "claims"

static int open_folder(const char *root, const char *name) {
        char path[256];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", root, name);
        fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int make(const char *path) {
        return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int run_state_make(const char *root) {
        char path[256];
        int r;

        (void)snprintf(path, sizeof(path), "%s/" CLAIMS, root);
        r = make(root);
        return r < 0 ? r : make(path);
}

/* Programs that watch the folder pass over a name with a dot. */
static int write_file(int folder, const char *name, const char *text) {
        _cleanup_close_ int fd = -1;
        size_t length = strlen(text);
        char temporary[64];

        (void)snprintf(temporary, sizeof(temporary), ".%s.new", name);
        fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        if (write(fd, text, length) != (ssize_t)length)
                return errno > 0 ? -errno : -EIO;
        return renameat(folder, temporary, folder, name) < 0 ? -errno : 0;
}

static int write_in(const char *root, const char *folder, const char *name, const char *text) {
        _cleanup_close_ int fd = open_folder(root, folder);

        return fd < 0 ? fd : write_file(fd, name, text);
}

static int remove_in(const char *root, const char *folder, const char *name) {
        _cleanup_close_ int fd = open_folder(root, folder);

        if (fd < 0)
                return fd;
        return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* False: there is none, or it is too long. */
static bool read_file(int folder, const char *name, char *text, size_t size) {
        _cleanup_close_ int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, size);

        if (n < 0 || (size_t)n >= size)
                return false;
        text[n] = '\0';
        return true;
}

static int write_number(const char *root, const char *name, uint64_t number) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
        return write_in(root, ".", name, text);
}

static uint64_t read_number(const char *root, const char *name) {
        _cleanup_close_ int folder = open_folder(root, ".");
        char text[32];

        return folder >= 0 && read_file(folder, name, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

int run_state_set_deadline(const char *root, uint64_t usec) {
        return write_number(root, "deadline", usec);
}

int run_state_set_lease(const char *root, uint64_t lease) {
        return write_number(root, "store-lease", lease);
}

uint64_t run_state_lease(const char *root) {
        return read_number(root, "store-lease");
}

int run_state_add_claim(const char *root, const char *seat, const char *user) {
        return write_in(root, CLAIMS, seat, user);
}

int run_state_remove_claim(const char *root, const char *seat) {
        return remove_in(root, CLAIMS, seat);
}

void run_state_each_claim(
        const char *root, void (*visit)(void *userdata, const char *seat, const char *user), void *userdata) {
        int fd = open_folder(root, CLAIMS);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        while (folder && (entry = readdir(folder))) {
                char user[USER_NAME_SIZE];

                if (digits_only(entry->d_name) && strlen(entry->d_name) < SEAT_ID_SIZE &&
                        read_file(dirfd(folder), entry->d_name, user, sizeof(user)))
                        visit(userdata, entry->d_name, user);
        }
        if (folder)
                (void)closedir(folder);
        else if (fd >= 0)
                (void)close(fd);
}

int run_state_set_drained(const char *root, const char *others) {
        return others ? write_in(root, ".", "drained", others) : remove_in(root, ".", "drained");
}
