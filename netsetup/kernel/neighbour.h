/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells the bridge where a seat is before the seat has sent anything. FRR reads these entries and tells the
 * other members at once. They are dynamic like those that are learnt: FRR takes static ones for what must not
 * move to another member.
 */

#include "link-socket.h"
#include "plan.h"

/*
 * bridge, port: indices. Of the plan peer_mac, address and address6 are needed. -EPERM while the port does
 * not forward: then the seat's first packet does it.
 */
int neighbour_announce(struct link_socket *socket, int bridge, int port, const struct seat_plan *plan);
