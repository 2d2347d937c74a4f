/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sees to it that a seat goes after its last lease. */

#include "seats.h"

/*
 * Some time later has systemd look whether the seat's units are needed: again and again, for some minutes,
 * until nothing of the seat is up or somebody has it. What is up then still, an admin's own unit needs.
 */
void empty_seat_tidy_later(struct seats *seats, const char *seat);

/* The activator ends. */
void empty_seats_forget(struct seats *seats);
