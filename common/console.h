/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the programs that people run, coursenetctl and coursenet-enter, have in common: exit codes and
 * sentences. */

#include "util.h"

/* Scripts rely on these. */
enum exit_code {
        EXIT_DONE = 0,
        EXIT_NO = 1, /* not found, refused, failed, or something is wrong */
        EXIT_USAGE = 2,
        EXIT_UNREACHABLE = 3, /* the activator, or coursenet-hosts, does not answer */
};

/*
 * Prints "PROGRAM: TEXT" and a newline on stderr. The text may quote arguments, answers and files that others
 * wrote, so control characters are replaced. Each program has a complain() that fills in its name.
 */
void console_complain(const char *program, const char *format, ...) _printf_(2, 3);
