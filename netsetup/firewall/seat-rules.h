/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Applies a seat's part of the table of seats, which says what the seat may send. It has the addresses with
 * which the seat was started, even if the settings have changed since. A record below /run has these
 * addresses for as long as the seat is up; rules are restored from it and compared with it. A lock excludes
 * restorations while a seat starts or stops.
 */

#include "diagnostics.h"
#include "plan.h"

/*
 * A start or a stop of a seat holds this lock as long as *ret_fd is open. Any number of them may hold it at
 * the same time.
 */
int seat_rules_lock(int *ret_fd);

/* Keeps the record and sets up the rules; the link must be there, and the lock be held. Errors are in
 * diagnostics. */
int seat_rules_apply(const struct seat_plan *plan, struct diagnostics *diagnostics);

/* Removes rules and record of a link, whether or not they are there. As above. */
int seat_rules_remove(const char *link, struct diagnostics *diagnostics);

/*
 * A cable of a spread course that was fenced off, or is back: only what is live here is protected from other
 * members. Nothing happens without a record. The lock must be held.
 */
int seat_rules_set_local(const char *link, bool local, struct diagnostics *diagnostics);

/*
 * Reads the record of a link: its names, and what ruleset_format_seat() needs. -ENOENT if there is no record,
 * -EBADMSG if it is invalid.
 */
int seat_rules_read(const char *link, struct seat_plan *ret);

/*
 * Whether there is a record, and a start with the present settings would give the seat the same addresses and
 * the same gateway.
 */
bool seat_rules_fit(const char *link, const struct seat_plan *plan);

/*
 * Replaces the table in one transaction: with all seats that are up and their recorded addresses, without
 * seats whose link is gone. The settings are used only for a link without a record.
 */
int seat_rules_refresh(const char *etc, struct diagnostics *diagnostics);
