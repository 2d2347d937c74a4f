/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A course's bridge, its rules and its share of forwarding: what netbr@.service starts and stops. */

#include "diagnostics.h"

/*
 * Makes the bridge of a course as the configuration below etc plans it, or repairs one of ours that is there
 * already. Negative errno with at least one error in diagnostics; a bridge that was made by this call is then
 * gone again.
 */
int bridge_start(const char *etc, const char *course, struct diagnostics *diagnostics);

/*
 * Removes it; a bridge that is gone already is success. -EINVAL for what can be no course, -EEXIST for a
 * bridge that is not ours, which stays.
 */
int bridge_stop(const char *etc, const char *course, struct diagnostics *diagnostics);
