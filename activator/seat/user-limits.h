/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The limits of everything that a student runs: of the slice user-1001.slice, in which logind puts the
 * sessions and the student's manager, and the wiring the container.
 *
 *     user-1001.slice.d/   MemoryMax= and so on
 *
 * systemd reads the drop-in when it loads the slice, which a login usually does after it has its seat: so the
 * limits cost no call. If the slice is loaded already, because the session began before the seat or the
 * settings have changed since, systemd is told. The drop-in is removed with the slice, so that it leaves
 * nothing to another account that gets the uid.
 */

#include "seats.h"
#include "settings.h"

/*
 * Before the answer to a login. Nothing waits for what systemd is told. A limit that cannot be set is logged
 * and is no reason to refuse the login.
 */
void user_limits_apply(struct seats *seats, uid_t uid, const struct limit_settings *limits);

/* Removes the drop-in if the user has no lease and systemd does not have the slice. */
void user_limits_release(struct seats *seats, uid_t uid);

/* The same for every drop-in that there is: an earlier activator may have missed the end of a slice. */
void user_limits_release_all(struct seats *seats);

/* systemd has removed a unit from memory. userdata: the struct seats. */
void user_limits_unit_removed(void *userdata, const char *unit);

/* Forgets what systemd has not answered yet. */
void user_limits_forget(struct seats *seats);
