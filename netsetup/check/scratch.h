/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Applies the planned firewall in a network namespace of its own and lists it. nft rewrites some rules when
 * it lists them, so a planned text cannot be compared with the listing of the kernel's tables, but two
 * listings can.
 *
 * The namespace has a link for each device of a flowtable.
 */

#include "diagnostics.h"

struct scratch_table {
        const char *name; /* "inet coursenet" */
        char *commands;   /* make it; NULL: it should not be there */
        char *listing;    /* result; NULL: there is no such table */
};

/*
 * Lists each table as it is after its commands. In the namespace there are n links, named by stand_in_name().
 * Negative errno with an error in diagnostics; the caller frees the listings in any case.
 */
int scratch_list(
        struct scratch_table *tables, size_t n_tables, unsigned n_links, struct diagnostics *diagnostics);
