/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens and checks namespaces. The callers join them and handle failures. */

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "seat-id.h"
#include "seat-namespace.h"

int seat_namespace_check(int fd, const char **ret_failed) {
        struct statfs file_system;
        int type;

        *ret_failed = "cannot be checked";
        if (fstatfs(fd, &file_system) < 0)
                return -errno;
        if (file_system.f_type != NSFS_MAGIC) {
                *ret_failed = "is no namespace";
                return -EINVAL;
        }
        type = ioctl(fd, NS_GET_NSTYPE);
        if (type < 0)
                return -errno;
        if (type != CLONE_NEWNET) {
                *ret_failed = "is a namespace of another kind";
                return -EINVAL;
        }
        return 0;
}

int seat_namespace_open(const char *seat, const char **ret_failed) {
        char path[sizeof(SEAT_NAMESPACE) + SEAT_ID_SIZE];
        _cleanup_close_ int fd = -1;
        int r;

        *ret_failed = "cannot be opened";
        (void)snprintf(path, sizeof(path), SEAT_NAMESPACE "%s", seat);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        r = seat_namespace_check(fd, ret_failed);
        if (r < 0)
                return r;

        r = fd;
        fd = -1;
        return r;
}
