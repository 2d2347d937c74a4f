/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the worker does for a request: the verbs of coursenet-net for one seat, with receipts (receipt.h). */

#include "settings-cache.h"

/*
 * Makes bridge, namespace and cable of a seat, those that are not there. If a step fails, what the earlier
 * steps have made stays, with its receipts, for the seat's units, which try the same a moment later. -EBUSY
 * if a unit's program is at work on one of them; other negative errno, with at least one error in
 * diagnostics.
 */
int preparation_make(struct settings_cache *cache, const char *seat, struct diagnostics *diagnostics);

/*
 * Removes what has a receipt: cable and namespace of the seat, and every bridge without a cable. Goes on
 * after an error, and returns the first one; but -EBUSY, if a unit's program is at work on the cable, which
 * needs the other two.
 */
int preparation_discard(const char *etc, const char *seat, struct diagnostics *diagnostics);
