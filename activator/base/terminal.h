/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes to the terminals of a user, as wall(1) does to everybody's. */

#include "util.h"

/*
 * Tells every pseudo-terminal that belongs to the user, and tty ("tty1", "/dev/tty1", "" for none) if that
 * does. A terminal that takes nothing now is passed over; nothing here waits.
 */
void terminal_tell(uid_t uid, const char *tty, const char *text);
