/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_CAPTURE, when it is decided that the peer may capture: a connection to coursenet-capture@.service,
 * which knows the seat from the activator and which the peer then gets.
 */

#include <sys/types.h>

#include "protocol.h"

/*
 * Returns a connection that the caller closes. key: as whom the peer counts (query-peer.h). Negative errno:
 * *ret_reason says why not, as a static clause.
 */
int capture_connect(uid_t key, const struct seat_grant *grant, const char **ret_reason);
