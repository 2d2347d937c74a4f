/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether the subnets of a course are free on this host. Two networks with the same addresses would both work
 * only sometimes, which is worse than a course that does not start and reports why.
 */

#include "diagnostics.h"
#include "kernel/link.h"

/*
 * own is the index of the bridge if it exists already, or 0: its own network and routes do not count. Every
 * overlap is an error in diagnostics, and the result is -EADDRINUSE. A route that is wider than the subnet is
 * a warning.
 */
int bridge_overlap_check(
        struct link_socket *socket, const struct bridge_plan *plan, int own, struct diagnostics *diagnostics);
