/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes systemd re-check a seat after its last lease or a failure, until the seat is down. */

#include "seats.h"

/*
 * Makes systemd re-check later whether the seat's units are needed, several times within some minutes, until
 * nothing of the seat is up or a lease has it. What is still up after that is needed by an administrator's
 * own unit.
 */
void empty_seat_tidy_later(struct seats *seats, const char *seat);

/*
 * Does so for a seat whose nsbr@ or netns@ could not be started or stopped, with a lease or without:
 * StopWhenUnneeded= misses a unit whose sibling failed (systemd#41234), such as netns@12310 when netbr@123
 * could not start. A unit_job_removed_t; userdata: the struct seats.
 */
void empty_seat_job_removed(void *userdata, const char *job, const char *unit, const char *result);

/* The activator ends. */
void empty_seats_forget(struct seats *seats);
