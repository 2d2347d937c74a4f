/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl status --watch`. */

#include "base/command.h"

/*
 * Redraws the terminal every two seconds until the user ends it: one line for each seat, those with the most
 * traffic first. word: as in status_view_load(). Returns an exit code.
 */
int status_watch(const struct paths *paths, const char *word);
