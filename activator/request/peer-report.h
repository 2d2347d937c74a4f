/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_REPORT, REQUEST_CHANGE and REQUEST_CAPTURE, see protocol.h: a child that runs as root prints what
 * the peer may see into memory of the activator, within limits of time and size. The child never waits for a
 * peer that does not read, because sending begins when the child has ended.
 */

#include <sys/socket.h>

#include "child-queue.h"
#include "protocol.h"
#include "query-log.h"

struct report;

struct peer_reports {
        struct query_log *log;     /* borrowed, and so is the next one */
        struct query_peers *peers; /* who counts as one user */
        struct child_queue children;
        struct child_queue changes; /* of REQUEST_CHANGE */
};

void peer_reports_init(
        struct peer_reports *reports, sd_event *event, struct query_log *log, struct query_peers *peers);

/* The first reply to send: REPLY_REPORT, after which the report must be sent; or a refusal. */
typedef void (*report_callback_t)(void *userdata, const struct reply *reply);

/*
 * Starts a report for the peer of fd. text: a descriptor that came with the request, or -1; of a change, its
 * text is passed on. 0: the callback comes later, once; *place is the report until it
 * is freed, and NULL before a refusal. Negative errno: there is no report, and no callback.
 */
int report_begin(struct peer_reports *reports, int fd, const struct request *request,
        const struct ucred *peer, int text, report_callback_t callback, void *userdata,
        struct report **place);

/*
 * The grant that the child of REQUEST_CAPTURE has printed; -EBADMSG if it has printed something else.
 */
int report_read_grant(const struct report *report, struct seat_grant *ret);

/*
 * Sends the rest of the report over fd. 1: all is sent; 0: the socket has no room now; negative errno.
 */
int report_send(struct report *report, int fd);

/* The peer hung up, or has everything. A child that still runs is killed. */
void report_free(struct report **place);

/* When the activator ends: the children are killed. All reports must have been freed. */
void peer_reports_done(struct peer_reports *reports);
