/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A cable that leads nowhere. When netns@ or netbr@ fails while nsbr@ is up, systemd queues a stop of nsbr@
 * (BindsTo=). A login before that stop has begun replaces it with a start. Then nsbr@ has never gone down, so
 * its start does nothing, but netns@ and netbr@ start again, and the cable is in the former namespace, or at
 * no bridge. That was seen with systemd 257: job_install() in src/core/job.c replaces a job of the other
 * kind.
 */

#include "seats.h"

/*
 * When a job of nsbr@ was cancelled: restarts nsbr@ if it has survived one of the units that it needs. A
 * start of the seat that is under way then waits for the restart. A unit_job_removed_t; userdata: the struct
 * seats.
 */
void stale_cable_job_removed(void *userdata, const char *job, const char *unit, const char *result);

/* The activator ends. */
void stale_cables_forget(struct seats *seats);
