/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Units of a seat that are still starting when its last lease ends. StopWhenUnneeded= skips a unit that is
 * starting, and because the unit is bound to nsbr@, it keeps the whole seat up until it has started. The
 * user's manager, while it is starting, prevents the stop of nsbr@, which would also stop the manager.
 */

#include "seats.h"
#include "systemd/units.h"

/*
 * Stops those units: the container, units= of the course, and the manager of uid ((uid_t)-1: none). Stops
 * nothing if the seat has a new lease when systemd answers. A unit without a drop-in of ours is not changed.
 */
void starting_units_stop(struct seats *seats, const char *seat, uid_t uid);

/* The activator ends. */
void starting_units_forget(struct seats *seats);

/*
 * Whether to stop a unit whose name has the seat's number. user_manager: the unit of the manager to stop, or
 * "". Another user's manager is not stopped, although its uid may be the seat's number.
 */
bool starting_units_has(const char *unit_directory, const char *user_manager, const struct unit_row *row);
