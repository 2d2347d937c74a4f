/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What failed of a seat that is down is in the journal; as a failed unit it would only make the host degraded
 * and every monitor ring. The container and units= of a course need nothing of this: CollectMode= in their
 * drop-ins has systemd forget them with the last lease. nsbr@ and netns@ cannot have that, as the activator
 * looks at what failed of them after the lease's slice has gone; and a user's manager is referred to by
 * sessions, which may last longer than the seat. A bridge, netbr@, stays failed: it concerns a whole course.
 */

#include "manager.h"

/* The seat is down: its own units are not failed any more. */
void failed_units_reset(struct manager *manager, const char *seat);

/* The user has no lease any more: neither is their manager, if it is one that we wired. */
void failed_units_reset_user(struct manager *manager, uid_t uid);

/* systemd reports that a job of the unit has ended: that of a user's manager, maybe, who has no lease. */
void failed_units_job_removed(struct manager *manager, const char *unit);
