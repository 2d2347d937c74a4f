/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One session of a course user: the lease on the seat, and the process in the seat's namespace. */

#include "login.h"

/*
 * Gets a lease on the seat, joins its namespace unless join=no, and sets the session's variables. On failure
 * the log and the user get the reason, no lease is held, and the process is where it was.
 */
int session_open(const struct login *login);

/*
 * For a session that is refused because of the user's name, without a request for a seat. If pam.d lets the
 * session go on, it runs outside of every seat, so this tells the activator the uid for the fence. Failures
 * are logged.
 */
void session_note(const struct login *login);

/* Moves the process back to the namespace it came from and ends the lease. Failures are logged. */
void session_close(const struct login *login);
