/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reports failures in the journal and as the unit's status, which `coursenetctl status` and coursenet-enter
 * show.
 */

#include "util.h"

/* Reports one sentence. Returns EXIT_FAILURE. */
int report_failure(const char *format, ...) _printf_(1, 2);

/*
 * Runs a program and passes its standard error on to the journal. Returns 0 with its wait status, and in
 * last_error its last line that begins with FATAL or ERROR, without that word; empty if there is none.
 * Negative errno if it could not be run. Its standard input is /dev/null.
 */
int report_run(const char *const *arguments, int *ret_status, char *last_error, size_t size);
