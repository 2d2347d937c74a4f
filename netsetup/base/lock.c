/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* flock(2), which ends with the process that has it. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lock.h"
#include "util.h"

static int take(const char *path, int operation, int *ret_fd) {
        _cleanup_close_ int fd = -1;

        if (mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        while (flock(fd, operation) < 0)
                if (errno != EINTR)
                        return -errno;

        *ret_fd = fd;
        fd = -1;
        return 0;
}

int lock_take(const char *path, int *ret_fd) {
        return take(path, LOCK_EX, ret_fd);
}

int lock_take_shared(const char *path, int *ret_fd) {
        return take(path, LOCK_SH, ret_fd);
}

int lock_try(const char *path, int *ret_fd) {
        return take(path, LOCK_EX | LOCK_NB, ret_fd);
}
