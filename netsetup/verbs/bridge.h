/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A course's bridge, its rules and its share of forwarding: what netbr@.service starts and stops. */

#include "diagnostics.h"

/*
 * Creates the bridge of a course as the configuration below etc plans it, or corrects an existing one of
 * ours. Negative errno with at least one error in diagnostics; a bridge that this call has created is then
 * removed again.
 */
int bridge_start(const char *etc, const char *course, struct diagnostics *diagnostics);

/*
 * Removes the bridge. A bridge that does not exist is success. -EINVAL if the text cannot be a course,
 * -EEXIST for a bridge that is not ours, which stays.
 */
int bridge_stop(const char *etc, const char *course, struct diagnostics *diagnostics);
