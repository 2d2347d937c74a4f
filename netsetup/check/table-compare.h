/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two listings of a table, as nft prints them, against each other. */

#include "diagnostics.h"

/*
 * Adds an error for each chain, set or map of a table that is not as planned, the first few of them. NULL: no
 * such table. Returns how many parts differ; a table that is missing or too many counts as one. A chain that
 * is named as a seat's link is told as that link's filter.
 */
size_t table_compare(
        const char *table, const char *planned, const char *actual, struct diagnostics *diagnostics);
