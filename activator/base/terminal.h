/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes to the terminals of a user, like wall(1), which writes to all. */

#include "util.h"

/*
 * Writes text to every pseudo-terminal of the user, and to tty ("tty1", "/dev/tty1", "" for none) if it
 * belongs to the user. Skips a terminal that cannot take text at once, because nothing here may wait.
 */
void terminal_tell(uid_t uid, const char *tty, const char *text);

/* The same for tty alone, unless it is a pseudo-terminal. */
void terminal_tell_console(uid_t uid, const char *tty, const char *text);
