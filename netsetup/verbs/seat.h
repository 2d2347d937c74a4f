/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What connects a seat's namespace with its bridge: what nsbr@.service starts and stops. */

#include "diagnostics.h"

/*
 * Connects the namespace of a seat with its bridge: both must be there. A cable of ours that is left from
 * before is replaced. Negative errno with at least one error in diagnostics; what was made by this call is
 * then gone again.
 */
int seat_start(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Removes the cable, whether or not the namespace is still there; one that is gone already is success.
 * -EINVAL for what can be no seat, -EEXIST for a link that is not ours, which stays.
 */
int seat_stop(const char *seat, struct diagnostics *diagnostics);
