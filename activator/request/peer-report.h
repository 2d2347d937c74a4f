/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_REPORT, see protocol.h: a child of root's prints what the peer may see, into memory of ours, within
 * a time and a size. The child never waits for a peer that does not read: sending begins when the child has
 * ended.
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
};

void peer_reports_init(
        struct peer_reports *reports, sd_event *event, struct query_log *log, struct query_peers *peers);

/* The first reply to send: REPLY_REPORT, and then the report is to be sent behind it; or a refusal. */
typedef void (*report_callback_t)(void *userdata, const struct reply *reply);

/*
 * Has a report made for the peer behind fd. 0: the callback comes later, once; *place is the report until it
 * is freed, and NULL before a refusal. Negative errno: there is no report, and no callback.
 */
int report_begin(struct peer_reports *reports, int fd, const struct request *request,
        const struct ucred *peer, report_callback_t callback, void *userdata, struct report **place);

/*
 * Sends what is still to be sent over fd. 1: that was all; 0: the socket takes no more now; negative errno.
 */
int report_send(struct report *report, int fd);

/* The peer hung up, or has everything. A child that still runs is killed. */
void report_free(struct report **place);

/* When the activator ends: the children are killed. All reports must have been freed. */
void peer_reports_done(struct peer_reports *reports);
