/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only privileged step there is. */

#include <sched.h>
#include <sys/stat.h>

#include "capability.h"
#include "namespace.h"
#include "seat-namespace.h"

int namespace_is_current(int fd, const char **ret_failed) {
        struct stat theirs, ours;
        int r;

        r = seat_namespace_check(fd, ret_failed);
        if (r < 0)
                return r;
        *ret_failed = "cannot be compared with /proc/self/ns/net";
        if (fstat(fd, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0)
                return -errno;
        return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

int namespace_join(int fd, const char **ret_failed) {
        int r;

        *ret_failed = "cannot be joined";
        r = capability_raise();
        if (r < 0)
                return r;
        return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}
