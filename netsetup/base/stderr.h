/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What coursenet-net says: lines on stderr, with systemd's priority in front where that is the journal. */

#include "diagnostics.h"

/* Whether stderr is the journal, which takes a line's priority from its head. */
bool stderr_is_journal(void);

void stderr_print_diagnostics(const struct diagnostics *diagnostics);

/* One line; format has no newline. */
void stderr_warning(const char *format, ...) _printf_(1, 2);
