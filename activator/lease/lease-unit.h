/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of a lease's unit: asks for its stop, and whether it is gone. Raises the events that end in GONE
 * and STOP. */

#include "lease.h"

/* Asks systemd to stop the unit, and again by a timer: soon after a call that failed, later otherwise. */
void lease_unit_stop(struct lease *lease);
void lease_unit_stop_soon(struct lease *lease);
void lease_unit_stop_later(struct lease *lease);

/* Asks systemd whether the unit is gone. */
void lease_unit_ask_gone(struct lease *lease);

/* Drops all of it. */
void lease_unit_drop(struct lease *lease);
