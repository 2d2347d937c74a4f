/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What coursenetctl says to people. Texts may quote files that others wrote: control characters never get
 * through.
 */

#include "diagnostics.h"

/* "coursenetctl: TEXT" and a newline, on stderr. */
void complain(const char *format, ...) _printf_(1, 2);

/*
 * Says why the activator at that socket could not be asked. Returns an exit code: a socket that is only for
 * others is a no, and no sign of a daemon that is down.
 */
int complain_of_activator(const char *path, int error);

/* "s" for all numbers but 1. */
const char *plural(size_t n);

/* One finding a line, as "PATH:LINE: TEXT". */
void print_diagnostics(FILE *stream, const struct diagnostics *diagnostics);
