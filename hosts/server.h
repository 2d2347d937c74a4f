/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HOSTS_SOCKET: takes requests, sends replies, and never waits for a peer. */

#include <systemd/sd-event.h>

#include "hosts-protocol.h"

struct hosts_connection;

struct hosts_server {
        sd_event *event; /* borrowed */
        const char *path;
        void (*handle)(
                void *userdata, struct hosts_connection *connection, const struct hosts_request *request);
        /* A connection goes: nothing can be sent over it any longer. */
        void (*gone)(void *userdata, struct hosts_connection *connection);
        void *userdata;

        int fd;
        sd_event_source *source;
        struct hosts_connection *connections; /* a utlist */
        unsigned n_connections;
};

/* With the fields of the first part filled in. Negative errno. */
int hosts_server_begin(struct hosts_server *server);
void hosts_server_done(struct hosts_server *server);

/* fd: -1, or goes along; it is taken. The connection may be gone when this returns. */
void hosts_reply_send(struct hosts_connection *connection, const struct hosts_reply *reply, int fd);

/* The connection gets what is pushed. */
void hosts_connection_watch(struct hosts_connection *connection);
bool hosts_connection_watches(const struct hosts_connection *connection);

/* Sends to every connection that watches. */
void hosts_push(struct hosts_server *server, const struct hosts_reply *reply);
