/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seat's part of the table of seats (see ruleset.h), put up and taken down over nf_tables' own netlink: a
 * login waits for it, and libnftables, which reads all tables before it changes one, takes longer with each
 * seat that is up. Needed of a plan: link, peer_mac, address and address6.
 *
 * Both return 0 or negative errno, the kernel's own; nothing is done by halves. -ENOENT: the table is not
 * there, or not all of it, see ruleset_format_seats(); before Linux 6.16 also that the link is not.
 */

#include "plan.h"

/* The seat's link must be there. */
int seat_chain_make(const struct seat_plan *plan);

/* Whether or not it is there, and the link. */
int seat_chain_remove(const struct seat_plan *plan);
