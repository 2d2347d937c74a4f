/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_REPORT, see protocol.h: a child of root's prints what the peer may see, into memory of ours,
 * within a time and a size. The child never waits for a peer that does not read: sending begins when the
 * child has ended, and the connection has a deadline of its own.
 */

#include "connection.h"

struct report;

/* Answers the connection, once: at once if it cannot be begun, else when the child has ended. */
void report_begin(struct server *server, struct connection *connection, int fd, const struct request *request,
        const struct ucred *peer);

/*
 * Sends what is still to be sent over fd. 1: that was all; 0: the socket takes no more now; negative errno.
 */
int report_send(struct report *report, int fd);

/* The peer hung up, or has everything. A child that still runs is killed. NULL is fine. */
void report_free(struct report *report);

/* When the activator ends: the children are killed. All connections must be gone. */
void reports_done(struct server *server);
