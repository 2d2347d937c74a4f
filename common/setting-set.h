/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of coursenet.conf, from text into the member that their row of the table names. */

#include "settings-table.h"

/* With the NUL. inih would cut a line that is longer than this, see settings-parse.c. */
#define SETTING_VALUE_SIZE 191U

#define SETTING_REASON_SIZE 1024U

/*
 * Stores a value, shorter than SETTING_VALUE_SIZE, into the struct that setting_base() returned for the row.
 * Returns 0, or -EINVAL with a sentence in ret_reason that names the setting and says what was expected; the
 * member may then hold anything.
 */
int setting_set(const struct setting *setting, void *base, const char *value,
        char ret_reason[static SETTING_REASON_SIZE]);
