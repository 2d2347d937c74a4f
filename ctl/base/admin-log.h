/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has changed something, in the journal. */

#include "command.h"

/*
 * Logs that the command has been run with that argument, by whom, and what came of it: "start 123 by alice
 * (uid 1000): ...". The journal adds fields of its own, such as _AUDIT_LOGINUID, that this program cannot
 * forge. target: may be empty.
 */
void admin_log(const struct paths *paths, const char *command, const char *target, const char *format, ...)
        _printf_(4, 5);
