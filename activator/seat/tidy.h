/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Stops the units of a seat that are up and no longer needed. StopWhenUnneeded= misses a unit whose sibling
 * failed, and one that could not be stopped when its last lease ended. empty-seat.c says when to look.
 */

#include "seats.h"

/* The state of the seat before systemd re-checked it. */
enum tidy_result {
        TIDY_SEAT_DOWN, /* at most the course's bridge was up */
        TIDY_SEAT_UP,
};

/* result: see above, or negative errno. */
typedef void (*tidy_callback_t)(void *userdata, int result);

/* The callback comes once, at once or later, unless all are forgotten before; NULL: none. */
void tidy(struct seats *seats, const char *seat, tidy_callback_t callback, void *userdata);

/* Goes on when the job of a tidy slice has ended; a unit_job_removed_t. userdata: the struct seats. */
void tidy_job_removed(void *userdata, const char *job, const char *unit, const char *result);

/*
 * Tidies a seat when the start of its nsbr@ was cancelled, for instance by a `systemctl stop` of a netns@
 * that hangs. That is not a failure. userdata: the struct seats.
 */
void tidy_start_cancelled(void *userdata, const char *job, const char *unit, const char *result);

/* The activator ends: forgets all of them without calling their callbacks. */
void tidy_forget_all(struct seats *seats);
