/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Applies the chains of all seats in a namespace without the seats' links. To create a link for each seat
 * would take the kernel seconds, and would lock the network configuration of the whole host for that time. So
 * a few links stand in for all of them, and the seats' names are put back into the listing.
 */

#include <net/if.h>

#include "util.h"

/* How many links stand in for so many seats of each table: the kernel lets a link have 1024 chains. */
unsigned stand_in_count(size_t n_seats);

/* What they are called, counted from 0. */
void stand_in_name(unsigned i, char ret_name[static IFNAMSIZ]);

/* The commands for each chain as one text, which the caller frees; NULL: out of memory. */
char *stand_in_format(char *const *seats, size_t n_seats);

/* A listing of a table of seats as if each chain were on its own link. NULL: out of memory. */
char *stand_in_restore(const char *listing);
