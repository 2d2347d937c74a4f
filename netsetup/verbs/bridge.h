/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A course's bridge, its rules and its share of forwarding: what netbr@.service starts and stops. */

#include "diagnostics.h"
#include "plan.h"

/*
 * Creates the bridge of a course as the configuration below etc plans it, or corrects an existing one of
 * ours. A bridge that the worker has made, exactly as it is planned now, is left as it is. Negative errno
 * with at least one error in diagnostics; a bridge that this call has created is then removed again.
 */
int bridge_start(const char *etc, const char *course, struct diagnostics *diagnostics);

/*
 * Removes the bridge. A bridge that does not exist is success. -EINVAL if the text cannot be a course,
 * -EEXIST for a bridge that is not ours, which stays.
 */
int bridge_stop(const char *etc, const char *course, struct diagnostics *diagnostics);

/* --- for coursenet-worker ------------------------------------------------------------------------------ */

/*
 * Makes sure that the bridge is there and up. One that this call creates has a receipt. Errors as above;
 * -EBUSY if a unit's program is at work on the bridge, or it is down and has no receipt.
 */
int bridge_prepare(const char *etc, const struct bridge_plan *plan, struct diagnostics *diagnostics);

/*
 * Removes a bridge that has a receipt and no cable; everything else is left as it is, which is success.
 * -EBUSY as above.
 */
int bridge_discard(const char *etc, const char *course, struct diagnostics *diagnostics);
