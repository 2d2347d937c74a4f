/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Units of a seat that are still starting when its last lease ends. StopWhenUnneeded= passes over a unit that
 * is starting, and as the unit is bound to nsbr@, it keeps the whole seat meanwhile. A manager of the user's
 * that is starting keeps systemd from stopping nsbr@, which would take it along.
 */

#include "seats.h"
#include "systemd/units.h"

/*
 * Stops them, unless a new lease is there by the time systemd has said which they are: the container, units=
 * of the course, and the manager of uid ((uid_t)-1: nobody's). What has no drop-in of ours is not touched.
 */
void starting_units_stop(struct seats *seats, const char *seat, uid_t uid);

/* The activator ends. */
void starting_units_forget(struct seats *seats);

/*
 * Whether a unit is one to stop, of those that systemd knows by the seat's number. user_manager: the unit of
 * the manager that is to be stopped, or "". Another user's manager is not, though its uid may be the seat's
 * number.
 */
bool starting_units_has(const char *unit_directory, const char *user_manager, const struct unit_row *row);
