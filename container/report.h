/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What went wrong, for the journal, and as the unit's status for `coursenetctl status` and coursenet-enter.
 */

#include "util.h"

/* One sentence. Returns EXIT_FAILURE. */
int report_failure(const char *format, ...) _printf_(1, 2);

/*
 * Runs a program, whose standard error goes to the journal as it comes. Returns 0, with its wait status, and
 * in last_error the last of its lines that an error stands in, without the word for it; empty if there is
 * none. Negative errno if it could not be run. Standard input is /dev/null.
 */
int report_run(const char *const *arguments, int *ret_status, char *last_error, size_t size);
