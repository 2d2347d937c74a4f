/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The subcommands of coursenetctl, and where the files are that they look at. main() knows the real places;
 * tests pass folders of their own.
 */

#include "console.h"

#define COURSENET_VERSION "0.1"

struct scope;

struct paths {
        const char *etc; /* /etc/coursenet */
        const char *pam; /* /etc/pam.d */
        const char *activator_socket;
        const char *query_socket;
        const char *net;           /* coursenet-net, the program */
        const char *dnsmasq;       /* the program */
        const char *proc;          /* /proc */
        const struct scope *scope; /* what the user may see for whom root runs this; NULL: whoever runs it */
};

/* Each gets its own name as argv[0] and returns an exit code. Each is in the file of its name. */
int check_command(const struct paths *paths, int argc, char **argv);
int for_peer_command(const struct paths *paths, int argc, char **argv);
int history_command(const struct paths *paths, int argc, char **argv);
int roster_command(const struct paths *paths, int argc, char **argv);
int seat_command(const struct paths *paths, int argc, char **argv);
int start_command(const struct paths *paths, int argc, char **argv);
int stop_command(const struct paths *paths, int argc, char **argv);
int status_command(const struct paths *paths, int argc, char **argv);
int teardown_command(const struct paths *paths, int argc, char **argv);
