/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The syntax of coursenet.conf. */

#include "settings.h"

/*
 * Reads the text of a file into settings that hold the defaults, and notes the line of each setting there.
 * Returns 0, or -EINVAL (-ENOMEM) with at least one error added to diagnostics. settings_done() is due in
 * either case. path is for messages only.
 */
int settings_parse(
        const char *text, const char *path, struct settings *settings, struct diagnostics *diagnostics);
