/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal and the user's terminals are told of a lease. */

#include "lease.h"
#include "refusal.h"

/* For a lease whose unit went while no activator ran: what the log and the terminals are told. */
void lease_log_stopped(const struct lease_record *record);

/* One line in the journal each, with fields, which `coursenetctl history` reads. */
void lease_log_given(struct lease *lease);
void lease_log_held(struct lease *lease);
void lease_log_back(struct lease *lease);
void lease_log_taken(struct lease *lease);
void lease_log_kept(struct lease *lease);
void lease_log_over(struct lease *lease);

/* Lines without fields, which say why. */
void lease_log_max_over(struct lease *lease);
void lease_log_hung_up(struct lease *lease);
void lease_log_left_behind(struct lease *lease);
void lease_log_broken(struct lease *lease);

/* Writes to the user's terminals that the login has no network any more, and why. */
void lease_tell_admin(struct lease *lease);
void lease_tell_stopped(struct lease *lease);
void lease_tell_restarted(struct lease *lease);
void lease_tell_broken(struct lease *lease);

/* Writes text to the terminals of the student who uses the seat. */
void lease_tell_seat(struct lease_table *table, const char *seat, const char *text);

/* The same, of all seats of spread courses that this server has live. */
void lease_tell_claimed(struct lease_table *table, const char *text);

/*
 * Logs that a user gets no seat or no container. by_user: the request came over query.sock, so the line
 * counts for the limit of that user. Otherwise it is logged as an error with the reason, and metrics count
 * it.
 */
void lease_log_refusal(
        struct lease_table *table, bool by_user, uid_t uid, enum refusal reason, const char *line);
