/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The wait for a slot to start a container in: see container-slots.h. */

#include <time.h>

#include "container-slots.h"

/*
 * Takes a slot in directory for the instance id, if one is free at the moment now (CLOCK_REALTIME). Slots
 * that are over their time are removed; one that the id has already is taken anew, so an id has one at most.
 * Returns 1, 0 if all slots are in use, or negative errno.
 */
int queue_try(int directory_fd, const char *id, const struct timespec *now);

/* Makes the directory if need be, and returns when the instance id has a slot in it. Negative errno. */
int queue_wait(const char *directory, const char *id);
