/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One session of a course user: the lease that holds the seat, and the seat's namespace around us. */

#include "login.h"

/*
 * Gets a lease on the seat, joins its namespace unless join=no, and sets the session's variables. On failure
 * the log and the user know why, nothing is held and the process is where it was.
 */
int session_open(const struct login *login);

/*
 * The session is refused because of the user's name, and no seat was asked for. If pam.d lets the session go
 * on, it is outside of every seat, so this tells the activator the uid for the fence. Failures are logged.
 */
void session_note(const struct login *login);

/* Goes back to the namespace the process came from and ends the lease. What fails is logged. */
void session_close(const struct login *login);
