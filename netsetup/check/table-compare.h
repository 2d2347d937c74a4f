/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compares two listings of a table by nft. */

#include "diagnostics.h"

/*
 * Adds an error for each chain, set or map of a table that differs from the plan, up to a maximum. NULL: no
 * such table. Returns how many parts differ; a table that is missing or unexpected counts as one. A chain
 * that has the name of a seat's link is reported as the filter of that link.
 */
size_t table_compare(
        const char *table, const char *planned, const char *actual, struct diagnostics *diagnostics);
