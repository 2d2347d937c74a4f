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
 * A seat's namespace while the worker prepares the seat. A new one gets its name last, when the cable is
 * there, too: systemd reads the table of mounts whenever a name appears, which takes 8 ms beside 1000 seats,
 * and would have the processor that the worker needs. Until then no unit of the seat makes a namespace.
 */
struct netns_preparation {
        int lock, netns_fd;
        bool claimed; /* no unit has it */
        bool unnamed;
};

#define NETNS_PREPARATION_NONE ((struct netns_preparation){.lock = -1, .netns_fd = -1})

/*
 * Makes sure that there is a namespace, and a receipt for one that this call creates, or that was kept
 * without a seat. Errors as above. netns_preparation_done() in any case.
 */
int netns_prepare(
        const struct seat_plan *plan, struct netns_preparation *ret, struct diagnostics *diagnostics);

/* Gives a new one its name. If that fails, it has no receipt, and ends with netns_preparation_done(). */
int netns_prepare_finish(const struct seat_plan *plan, const struct netns_preparation *preparation,
        struct diagnostics *diagnostics);

void netns_preparation_done(struct netns_preparation *preparation);
#define _cleanup_netns_preparation_ _cleanup_(netns_preparation_done)

/* The same as netns_stop() for a namespace that has a receipt; every other one is left as it is. */
int netns_discard(const char *etc, const char *seat, struct diagnostics *diagnostics);
