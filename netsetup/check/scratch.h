/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A firewall in a network namespace of its own, to see how nft prints what is planned: whatever it rewrites
 * on the way, it rewrites for the kernel's tables as well.
 */

#include "diagnostics.h"

struct scratch_table {
        const char *name; /* "inet coursenet" */
        char *commands;   /* make it; NULL: it should not be there */
        char *listing;    /* result; NULL: there is no such table */
};

/*
 * Lists each table as it is after its commands, which see so many links, named as stand_in_name() says.
 * Negative errno with an error in diagnostics; the caller frees the listings in any case.
 */
int scratch_list(
        struct scratch_table *tables, size_t n_tables, unsigned n_links, struct diagnostics *diagnostics);
