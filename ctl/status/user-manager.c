/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares the network namespace of the manager's process with the seat's. */

#include <sys/stat.h>

#include "base/unit-property.h"
#include "user-manager.h"

/* 0: it does not run. */
static pid_t find_pid(uid_t uid) {
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        char unit[64];

        (void)snprintf(unit, sizeof(unit), "user@%u.service", (unsigned)uid);
        return sd_bus_open_system(&bus) < 0 ? 0 : unit_get_main_pid(bus, unit);
}

enum user_manager user_manager_find(uid_t uid, const char *netns) {
        struct stat of_seat, of_manager;
        pid_t pid = find_pid(uid);
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
        if (pid <= 0 || stat(netns, &of_seat) < 0)
                return USER_MANAGER_NONE;
        /* The process that the activator starts for staff runs as root, but without capabilities. */
        if (stat(path, &of_manager) < 0)
                return errno == EACCES ? USER_MANAGER_UNKNOWN : USER_MANAGER_NONE;
        return of_seat.st_dev == of_manager.st_dev && of_seat.st_ino == of_manager.st_ino
                       ? USER_MANAGER_IN_SEAT
                       : USER_MANAGER_OUTSIDE;
}
