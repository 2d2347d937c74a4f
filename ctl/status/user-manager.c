/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares the network namespace of the manager's process with the seat's. */

#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include "user-manager.h"

static void bus_done(sd_bus **bus) {
        (void)sd_bus_flush_close_unref(*bus);
}

/* 0: there is none. */
static pid_t find_pid(uid_t uid) {
        _cleanup_(bus_done) sd_bus *bus = NULL;
        _cleanup_free_ char *path = NULL;
        char unit[64];
        uint32_t pid = 0;

        (void)snprintf(unit, sizeof(unit), "user@%u.service", (unsigned)uid);
        if (sd_bus_open_system(&bus) < 0 ||
                sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) < 0 ||
                sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
                        "org.freedesktop.systemd1.Service", "MainPID", NULL, 'u', &pid) < 0)
                return 0;
        return (pid_t)pid;
}

enum user_manager user_manager_find(uid_t uid, const char *netns) {
        struct stat of_seat, of_manager;
        pid_t pid = find_pid(uid);
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
        if (pid <= 0 || stat(netns, &of_seat) < 0)
                return USER_MANAGER_NONE;
        /* What the activator starts for staff is root's, without capabilities. */
        if (stat(path, &of_manager) < 0)
                return errno == EACCES ? USER_MANAGER_UNKNOWN : USER_MANAGER_NONE;
        return of_seat.st_dev == of_manager.st_dev && of_seat.st_ino == of_manager.st_ino
                       ? USER_MANAGER_IN_SEAT
                       : USER_MANAGER_OUTSIDE;
}
