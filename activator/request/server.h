/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The two sockets, and who may connect to them.
 *
 *   activator.sock  mode 0600, so only root connects; checked again by SO_PEERCRED
 *   query.sock      everybody, within limits
 */

#include "dispatch.h"

struct server {
        sd_event *event; /* borrowed */
        struct services services;
        struct connection *connections; /* a utlist */
};

void server_init(struct server *server, sd_event *event, struct lease_table *leases, struct seats *seats);

/* Takes fd, a listening socket of systemd's. privileged: it is activator.sock. Negative errno. */
int server_listen(struct server *server, int fd, bool privileged);

/* Closes all connections, and kills the children that work for them. */
void server_done(struct server *server);
