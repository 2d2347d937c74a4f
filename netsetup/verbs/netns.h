/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seat's network namespace: what netns@.service starts and stops. It is kept by one mount at
 * /run/netns/nsSEAT, where ip-netns(8) and NetworkNamespacePath= of units find it.
 */

#include "diagnostics.h"

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
