/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Resets failed units of seats that are down. The journal has what failed; a unit that stays failed would
 * make the host "degraded" and raise an alarm in every monitor. The container and units= of a course are not
 * reset here, because CollectMode= in their drop-ins makes systemd forget them with the last lease. nsbr@ and
 * netns@ cannot have CollectMode=, because the activator looks at their failure after the lease's slice has
 * gone. A user's manager cannot, because sessions refer to it, which may last longer than the seat. A bridge,
 * netbr@, stays failed, because it concerns a whole course.
 */

#include "seats.h"

/* The seat is down: resets its own units. */
void failed_units_reset(struct seats *seats, const char *seat);

/* The user has no lease any more: resets their manager, if it has wiring of ours. */
void failed_units_reset_user(struct seats *seats, uid_t uid);

/*
 * systemd reports that a job of the unit has ended. Resets it if it is the manager of a user without a lease.
 * userdata: the struct seats.
 */
void failed_units_job_removed(void *userdata, const char *job, const char *unit, const char *result);
