/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Stops slices that an earlier activator has left and that no lease has. A slice that stayed would keep its
 * seat up, and nothing else would ever stop it. A single StopUnit may be lost, because memory is short or
 * systemd executes itself again, so it is repeated until systemd says that there is no such unit.
 */

#include "lease.h"

/* The unit is copied. Out of memory it is asked for once. */
void stray_unit_stop(struct lease_table *table, const char *unit);

/* Stops asking. The next activator finds what is left. */
void stray_unit_forget(struct lease_table *table);
