/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sees to it that a seat goes after its last lease. */

#include "manager.h"

/* No lease, whatever its state, is on the seat. */
bool seat_is_empty(struct manager *manager, const char *seat);

/*
 * Some time later, and again until nothing of the seat is up or somebody has it: has systemd look whether its
 * units are needed.
 */
void empty_seat_tidy_later(struct manager *manager, const char *seat);
