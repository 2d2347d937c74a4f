/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What connects a seat's namespace with its bridge: what nsbr@.service starts and stops. */

#include "diagnostics.h"

/*
 * Connects the namespace of a seat with its bridge; both must exist. A cable of ours that exists from before
 * is replaced. Negative errno with at least one error in diagnostics; then this call has removed again what
 * it created.
 */
int seat_start(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Removes the cable, even if the namespace is gone. A cable that does not exist is success. -EINVAL if the
 * text cannot be a seat, -EEXIST for a link that is not ours, which stays.
 */
int seat_stop(const char *seat, struct diagnostics *diagnostics);
