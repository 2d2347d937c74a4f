/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What connects a seat's namespace with its bridge: what nsbr@.service starts and stops. */

#include "diagnostics.h"
#include "plan.h"

/*
 * Connects the namespace of a seat with its bridge; both must exist. A cable of ours that exists from before
 * is replaced, but one that the worker has made, exactly as it is planned now, is left as it is. Negative
 * errno with at least one error in diagnostics; then this call has removed again what it created. -EPERM for
 * a seat of a spread course without a claim, see base/claim.h.
 */
int seat_start(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Removes the cable, even if the namespace is gone. A cable that does not exist is success. -EINVAL if the
 * text cannot be a seat, -EEXIST for a link that is not ours, which stays.
 */
int seat_stop(const char *seat, struct diagnostics *diagnostics);

/* --- for coursenet-worker ------------------------------------------------------------------------------ */

/*
 * Makes sure that the cable is there and complete. netns_fd: the seat's namespace, which may have no name
 * yet. A cable that this call creates has a receipt. It does not wait for a bridge that is down. Errors as
 * above; -EBUSY if a unit's program is at work on the cable, or there is one without a receipt.
 */
int seat_prepare(const struct seat_plan *plan, int netns_fd, struct diagnostics *diagnostics);

/*
 * Removes a cable that has a receipt; every other one is left as it is, which is success. -EBUSY if a unit's
 * program is at work on it.
 */
int seat_discard(const char *seat, struct diagnostics *diagnostics);
