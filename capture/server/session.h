/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One capture: from the grant to the last message. */

#include <stdint.h>

struct session_limits {
        uint64_t seconds, bytes;
};

/*
 * Serves the connection until the peer, the seat or a limit ends the capture. Returns 0, also if the peer is
 * to blame for a failure; negative errno if the grant is none.
 */
int session_run(int fd, const struct session_limits *limits);
