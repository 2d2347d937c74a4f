/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The two sockets and their connections. A connection brings one request, gets its reply (or several) and is
 * closed.
 *
 *   activator.sock  mode 0600, so only root connects; checked again by SO_PEERCRED
 *   query.sock      anybody; about the caller's own leases and seat only, within limits a user
 */

#include "lease/lease.h"
#include "protocol.h"
#include "server.h"

struct connection;
struct enter;
struct report;

/* Takes fd, a listening socket of systemd's. privileged: it is activator.sock. */
int server_listen(struct server *server, int fd, bool privileged);

/* Sends the one reply and frees the connection. */
void connection_reply(struct connection *connection, const struct reply *reply);

/* The same for a reply with nothing but a type and a sentence. */
void connection_reply_text(struct connection *connection, enum reply_type type, const char *text);

/* The connection as one who waits for a lease. */
struct lease_waiter connection_waiter(struct connection *connection);

/* Ties what looks up the peer's name to the connection, which frees it when it goes first; NULL unties it. */
void connection_set_enter(struct connection *connection, struct enter *enter);

/* The same for what prints a report for the peer. */
void connection_set_report(struct connection *connection, struct report *report);

/* Sends the reply, and behind it the report that the connection has; then frees both. */
void connection_send_report(struct connection *connection, const struct reply *reply);

void connection_free(struct connection *connection);
