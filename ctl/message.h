/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What coursenetctl says to people. Texts may quote files that others wrote: control characters never get
 * through.
 */

#include "diagnostics.h"

/* "coursenetctl: TEXT" and a newline, on stderr. */
void complain(const char *format, ...) _printf_(1, 2);

/* One finding a line, as "PATH:LINE: TEXT". */
void print_diagnostics(FILE *stream, const struct diagnostics *diagnostics);
