/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looks at /run/netns. The activator sees the namespaces there, because mounts of the host reach its own
 * mount namespace, and to look at one needs no capability.
 */

#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "namespace-id.h"
#include "seat-id.h"
#include "seat-namespace.h"

struct namespace_id namespace_id_find(const char *seat) {
        char path[sizeof(SEAT_NAMESPACE) + SEAT_ID_SIZE];
        struct statfs file_system;
        struct stat status;

        (void)snprintf(path, sizeof(path), SEAT_NAMESPACE "%s", seat);
        /* Until the namespace is mounted there is a plain file, whose number says nothing. */
        if (statfs(path, &file_system) < 0 || file_system.f_type != NSFS_MAGIC || stat(path, &status) < 0)
                return (struct namespace_id){0};
        return (struct namespace_id){status.st_dev, status.st_ino};
}
