/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Other programs that are run for their effect. */

#include "util.h"

/*
 * Runs a program, found by PATH, and waits for its end, a few seconds at most. words ends with NULL. What it
 * says goes where ours goes. Returns its exit status, or negative errno.
 */
int program_run(const char *const *words);
