/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a seat may send: its part of the table of seats. It belongs to the addresses that the seat was started
 * with, whatever the settings say by now; so those are recorded for as long as the seat is up, and are what
 * is restored, and compared with. A lock keeps a restoration and the seats' starts and stops apart.
 */

#include "diagnostics.h"
#include "plan.h"

/* A start or stop of a seat holds it as long as *ret_fd is open; any number of them at the same time. */
int seat_rules_lock(int *ret_fd);

/* Keeps the record and sets up the rules; the link must be there, and the lock be held. Errors are in
 * diagnostics. */
int seat_rules_apply(const struct seat_plan *plan, struct diagnostics *diagnostics);

/* Removes rules and record of a link, whether or not they are there. As above. */
int seat_rules_remove(const char *link, struct diagnostics *diagnostics);

/*
 * What the record of a link says: its names, and what ruleset_format_seat() needs. -ENOENT if there is none,
 * -EBADMSG if it says nothing.
 */
int seat_rules_read(const char *link, struct seat_plan *ret);

/* Whether there is a record, and the seat would have the same addresses and the same way out now. */
bool seat_rules_fit(const char *link, const struct seat_plan *plan);

/*
 * Replaces the table, with all seats that are up as they were, and without those whose link is gone: in one
 * transaction. The settings count only for a link without a record.
 */
int seat_rules_refresh(const char *etc, struct diagnostics *diagnostics);
