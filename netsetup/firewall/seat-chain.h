/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Adds and removes a seat's part of the table of seats (see ruleset.h) by messages of nf_tables. A login
 * waits for this, and libnftables, which reads all tables before it changes one, takes longer with each seat
 * that is up. Needed of a plan: link, peer_mac, address, address6, spread and bridge_course.
 *
 * Both functions return 0 or the kernel's negative errno, and change everything or nothing. -ENOENT: the
 * table, or a part of it, does not exist, see ruleset_format_seats(). Before Linux 6.16 it may also mean that
 * the link does not exist.
 */

#include "plan.h"

/* The seat's link must be there. */
int seat_chain_make(const struct seat_plan *plan);

/* Whether or not it is there, and the link. */
int seat_chain_remove(const struct seat_plan *plan);

/*
 * Of a seat of a spread course that is up: whether it is live here, so that nobody else may speak in its
 * name. seat_chain_make() sets that, too.
 */
int seat_chain_set_local(const struct seat_plan *plan, bool local);
