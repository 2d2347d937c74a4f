/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seat's network namespace: what netns@.service starts and stops. It is kept by one mount at
 * /run/netns/nsSEAT, where ip-netns(8) and NetworkNamespacePath= of units find it.
 */

#include "diagnostics.h"

enum netns_state {
        NETNS_ABSENT,
        NETNS_STALE,   /* a plain file of root's: where a namespace was, or was about to be */
        NETNS_OURS,    /* a network namespace whose lo has COURSENET_LINK_GROUP */
        NETNS_FOREIGN, /* anything else */
};

/*
 * Makes the namespace of a seat, complete before it can be seen under its name, or keeps one of ours that is
 * there already. Negative errno with at least one error in diagnostics.
 */
int netns_start(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Takes the name away; the namespace itself ends with the last process in it, which the settings may hasten
 * (leftover = kill). One that is gone already is success. -EINVAL for what can be no seat, -EEXIST for a
 * namespace that is not ours, which stays.
 */
int netns_stop(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Takes the name away whatever else is to be thought of, and kills nobody. Returns 1, or 0 if there is none
 * of ours under that name; negative errno with an error in diagnostics.
 */
int netns_remove(const char *seat, struct diagnostics *diagnostics);

/*
 * Looks at the name of a namespace ("ns12310"). Returns an enum netns_state or negative errno; for NETNS_OURS
 * *ret_fd is the namespace, which the caller closes, and otherwise untouched.
 */
int netns_find(const char *name, int *ret_fd);
