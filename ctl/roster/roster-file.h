/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Replaces a roster's file. Only one process at a time may do so: the process that holds the lock has read
 * the current file and may replace it. Readers need no lock, because the file is replaced as a whole.
 */

#include "util.h"

/* The empty value: {.directory = -1}. */
struct roster_lock {
        int directory; /* ETC/roster.d */
        int fd;        /* of the lock file in it; flock() on it is the lock */
        char *path;    /* of that folder */
};

#define ROSTER_LOCK_EMPTY ((struct roster_lock){.directory = -1, .fd = -1})

void roster_lock_done(struct roster_lock *lock);

/*
 * Waits for the lock on the rosters below etc. Creates the folders if they are missing. Negative errno;
 * *ret_reason then says what failed, as a static fragment.
 */
int roster_lock_take(const char *etc, struct roster_lock *ret, const char **ret_reason);

/*
 * Replaces the roster of a course by text, as a whole or not at all, even if the machine crashes meanwhile.
 * Errors as above; -EFBIG: no reader accepts a file of that size.
 */
int roster_file_write(
        const struct roster_lock *lock, const char *course, const char *text, const char **ret_reason);

#define _cleanup_roster_lock_ _cleanup_(roster_lock_done)
