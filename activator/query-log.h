/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is said in the log about requests that came over query.sock, which anybody may send as fast as they
 * can. journald passes over messages of a unit that says too much, so without a limit of our own an admin's
 * line about a login could be lost.
 *
 * In each minute a user is worth QUERY_LOG_PER_USER lines and all users together QUERY_LOG_TOTAL; at its end
 * it is said how many more there were. All of it has the priority of a warning: journald counts by priority
 * too, and what is said about a login that failed is an error.
 */

#include <systemd/sd-event.h>

#include "util.h"

#define QUERY_LOG_PER_USER 5U
#define QUERY_LOG_TOTAL 60U
#define QUERY_LOG_USERS_MAX 256U /* that are told apart in one minute */
#define QUERY_LOG_SUMMARIES_MAX 16U
#define QUERY_LOG_PERIOD_USEC UINT64_C(60000000)

struct manager;
struct query_talker;

/* The empty value is all zero. */
struct query_log {
        struct query_talker *talkers; /* a uthash by uid */
        unsigned n_lines;             /* said in this period */
        unsigned n_others;            /* not said, of users who have no place in the table */
        sd_event_source *period_source;
};

/* Something about a request of that uid. Subordinate uids of one range count as one user. */
void query_log(struct manager *manager, uid_t uid, const char *format, ...) _printf_(3, 4);

/* Says what was kept back, and begins a new period. For the event loop, and tests. */
void query_log_end_period(struct manager *manager);

/* Forgets all of it. */
void query_log_done(struct manager *manager);
