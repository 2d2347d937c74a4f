/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Clears away what of a seat is up and needed no more. StopWhenUnneeded= misses a unit whose sibling failed
 * (systemd#41234), such as netns@12310 when netbr@123 could not start: coursenet-tidy@SEAT.service, which is
 * OnFailure= of nsbr@. And it misses one that could not be stopped when its last lease went: empty-seat.c.
 */

#include "seats.h"

/* How it was before systemd was made to look. */
enum tidy_result {
        TIDY_SEAT_DOWN, /* nothing but, may be, the course's bridge was up */
        TIDY_SEAT_UP,
};

/* result: see above, or negative errno. */
typedef void (*tidy_callback_t)(void *userdata, int result);

/* The callback comes once, at once or later, unless all are forgotten before; NULL: none. */
void tidy(struct seats *seats, const char *seat, tidy_callback_t callback, void *userdata);

/* Goes on when the job of a tidy slice has ended; a unit_job_removed_t. userdata: the struct seats. */
void tidy_job_removed(void *userdata, const char *job, const char *unit, const char *result);

/*
 * Tidies a seat when the start of its nsbr@ was cancelled, as by a `systemctl stop` of a netns@ that hangs:
 * that is no failure, so systemd tells nobody but who listens for jobs. For the daemon: who is here for one
 * seat would go away in the middle of another one. userdata: the struct seats.
 */
void tidy_start_cancelled(void *userdata, const char *job, const char *unit, const char *result);

/* Without a word to who waits for them: the activator ends. */
void tidy_forget_all(struct seats *seats);
