/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Staff whom nobody knows. */

#include "site.h"

/*
 * Adds a warning for each user and group that the settings below etc name as staff and the user database does
 * not have. Looks no further when the database does not answer.
 */
void staff_check(const char *etc, const struct settings *settings, struct diagnostics *diagnostics);
