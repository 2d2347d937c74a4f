/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the subcommands of coursenetctl have in common. Each is an int X_command(paths, argc, argv), which
 * gets its own name as argv[0] and returns an exit code. The paths are the files that it looks at: main()
 * knows the real ones; tests pass folders of their own.
 */

#include "console.h"

struct scope;

struct paths {
        const char *etc; /* /etc/coursenet */
        const char *pam; /* /etc/pam.d */
        const char *activator_socket;
        const char *query_socket;
        const char *hosts_socket; /* of coursenet-hosts */
        const char *net;          /* coursenet-net, the program that units run */
        const char *host;         /* coursenet-host, the program that compares and takes down */
        const char *dnsmasq;      /* the program */
        const char *enter;        /* coursenet-enter; NULL: its capability is not looked for */
        const char *proc;         /* /proc */
        const char *state;        /* /var/lib/coursenet */
        bool logs;                /* whether the journal gets what changes */
        const struct scope
                *scope;   /* what the caller may see; NULL: root, or what the user may see who runs this */
        const char *text; /* with a scope: what the caller's request has in addition, or NULL */
        /* coursenet-calendar, the program that reads timetables */
        const char *calendar;
};
