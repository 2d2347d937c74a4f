/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ties the parts of coursenet-hosts together, and answers the requests of other programs. */

#include "claim-keeper.h"
#include "links.h"
#include "server.h"

struct daemon_paths {
        const char *etc;    /* /etc/coursenet */
        const char *state;  /* STATE_DIRECTORY */
        const char *root;   /* HOSTS_DIRECTORY */
        const char *socket; /* HOSTS_SOCKET */
};

/*
 * Runs until SIGTERM or SIGINT. Returns 0; also when this server has no [hosts], which it tells systemd.
 * Negative errno; what was wrong is logged.
 */
int daemon_run(const struct daemon_paths *paths);
