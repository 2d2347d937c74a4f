/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes systemd re-check a seat after its last lease, until the seat is down. */

#include "seats.h"

/*
 * Makes systemd re-check later whether the seat's units are needed, several times within some minutes, until
 * nothing of the seat is up or a lease has it. What is still up after that is needed by an administrator's
 * own unit.
 */
void empty_seat_tidy_later(struct seats *seats, const char *seat);

/* The activator ends. */
void empty_seats_forget(struct seats *seats);
