/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The chains of all seats, made where the seats' links are not. A link for each would take the kernel
 * seconds, with the network configuration of the whole host locked; so a few links stand in for all of them,
 * and the right names are put back into what nft lists.
 */

#include <net/if.h>

#include "util.h"

/* How many links stand in for so many seats: the kernel lets a link have 1024 chains. */
unsigned stand_in_count(size_t n_seats);

/* What they are called, counted from 0. */
void stand_in_name(unsigned i, char ret_name[static IFNAMSIZ]);

/* The commands for each chain as one text, which the caller frees; NULL: out of memory. */
char *stand_in_format(char *const *seats, size_t n_seats);

/* A listing of RULESET_SEATS as if each chain were on its own link. NULL: out of memory. */
char *stand_in_restore(const char *listing);
