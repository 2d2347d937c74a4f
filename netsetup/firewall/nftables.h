/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The boundary to libnftables, which works in the caller's network namespace. ruleset.h computes the
 * commands, which name only our own tables.
 */

#include "diagnostics.h"

/*
 * Loads the library now, so that the first use does not have to. Without it, each use reports that it is
 * missing.
 */
void nftables_load(void);

/*
 * Applies commands in nft(8)'s language as one transaction: all of them or none. Negative errno with one
 * error in diagnostics, which says what (a few words: "the network of course 123") cannot be done.
 */
int nftables_apply(const char *commands, const char *what, struct diagnostics *diagnostics);

/*
 * The kernel's contents of a table ("inet coursenet"), as nft prints it; the caller frees *ret. Returns 0, or
 * -ENOENT if there is no such table, or another negative errno; no error is reported.
 */
int nftables_list_table(const char *table, char **ret);

/* Everybody's tables, as `nft -j list ruleset` prints them. The caller frees *ret. */
int nftables_list_all(char **ret);
