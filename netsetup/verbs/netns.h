/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seat's network namespace: what netns@.service starts and stops. It is kept by one mount at
 * /run/netns/nsSEAT, where ip-netns(8) and NetworkNamespacePath= of units find it.
 */

#include "diagnostics.h"
#include "plan.h"

/*
 * Creates the namespace of a seat, complete before it appears under its name, or keeps an existing one of
 * ours. One that the worker has made is left as it is. Negative errno with at least one error in diagnostics.
 */
int netns_start(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Removes the name. The namespace itself ends with the last process in it; with leftover = kill these are
 * killed. A name that does not exist is success. -EINVAL if the text cannot be a seat, -EEXIST for a
 * namespace that is not ours, which stays.
 */
int netns_stop(const char *etc, const char *seat, struct diagnostics *diagnostics);

/* --- for coursenet-worker ------------------------------------------------------------------------------ */

/*
 * Makes sure that the namespace is there. One that this call creates, or that was kept without a seat, has a
 * receipt. Errors as above.
 */
int netns_prepare(const struct seat_plan *plan, struct diagnostics *diagnostics);

/* The same as netns_stop() for a namespace that has a receipt; every other one is left as it is. */
int netns_discard(const char *etc, const char *seat, struct diagnostics *diagnostics);
