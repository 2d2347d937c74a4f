/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Log lines about requests over query.sock, which anybody may send as fast as they can. journald drops
 * messages of a unit that logs too much, so without a limit of our own the line about a failed login could be
 * lost.
 *
 * In each minute there are QUERY_LOG_PER_USER lines for a user and QUERY_LOG_TOTAL for all users; at the end
 * of the minute one line says how many more there were. All of these lines are warnings and failed logins are
 * errors, because journald counts messages by priority, too.
 */

#include <systemd/sd-event.h>

#include "query-peer.h"

#define QUERY_LOG_PER_USER 5U
#define QUERY_LOG_TOTAL 60U
#define QUERY_LOG_USERS_MAX 256U /* that have a counter of their own in one minute */
#define QUERY_LOG_SUMMARIES_MAX 16U
#define QUERY_LOG_PERIOD_USEC UINT64_C(60000000)

struct query_talker;

/* event and peers are given and borrowed, the rest is zero at first. */
struct query_log {
        sd_event *event;
        struct query_peers *peers;    /* who counts as one user */
        struct query_talker *talkers; /* a uthash by uid */
        unsigned n_lines;             /* said in this period */
        unsigned n_others;            /* lines dropped, of users who have no place in the table */
        sd_event_source *period_source;
};

/* Logs a line about a request of that uid. Subordinate uids of one range count as one user. */
void query_log(struct query_log *log, uid_t uid, const char *format, ...) _printf_(3, 4);

/* Logs how many lines were dropped, and begins a new period. For the event loop, and tests. */
void query_log_end_period(struct query_log *log);

/* Forgets all of it. */
void query_log_done(struct query_log *log);
