/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lines on stderr for coursenet-net and coursenet-host. If stderr is the journal, a line begins with
 * systemd's priority prefix. If a unit has no stderr, the lines go to the journal by its socket.
 */

#include "diagnostics.h"

/* Whether stderr is the journal, which reads the priority of a line from its beginning. */
bool stderr_is_journal(void);

void stderr_print_diagnostics(const struct diagnostics *diagnostics);

/* One line; format has no newline. */
void stderr_warning(const char *format, ...) _printf_(1, 2);
