/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waits for a slot in which a container may start: see run-files.h. */

#include <time.h>

#include "run-files.h"

/*
 * Takes a slot in directory for the instance id, if one is free at the time now (CLOCK_REALTIME). Expired
 * slots are removed. A slot that the id has already is renewed, so that an id has at most one. Returns 1, 0
 * if all slots are in use, or negative errno.
 */
int queue_try(int directory_fd, const char *id, const struct timespec *now);

/* Creates the directory if necessary, and returns when the instance id has a slot in it. Negative errno. */
int queue_wait(const char *directory, const char *id);
