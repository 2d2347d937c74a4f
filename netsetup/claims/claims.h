/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Seats of spread courses are on the network only with this member's claim (base/claim.h). The others are
 * fenced off: the server's end of their cable is down, so that another member may have their address. Their
 * processes go on, and the seat is on the network again when its claim is good again.
 *
 * Which seats these are is taken from the kernel: those on a bridge with a link to the other members.
 */

#include "diagnostics.h"
#include "kernel/link.h"

/* The cables on the bridges of spread courses. The empty value is all zero; links_done() frees it. */
int claims_list_cables(struct link_socket *socket, struct links *ret);

/* The seat of such a cable, within its name. */
const char *claims_seat(const struct link *cable);

/*
 * Takes cables off the network and puts them back, and logs how many. Negative errno, and an error in
 * diagnostics, if one could not be changed; all others are.
 */
int claims_update(struct diagnostics *diagnostics);

/* Whether there can be claims, or cables that need one, on this host. */
bool claims_are_used(void);
