/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The limit of a whole course, between its seats on one side and the host and the world on the other. What
 * seats of the course send each other stays within the bridge and does not count.
 *
 * To the seats: qdisc.h's limit on the bridge itself. From the seats: what comes in on the bridge is sent
 * through a link of kind "ifb", ri-123, that is limited in the same way, and comes back from there as if
 * nothing had happened: to the firewall it still comes in on the bridge.
 *
 *     tc qdisc show dev br-123; tc filter show dev br-123 ingress; tc qdisc show dev ri-123
 */

#include "link.h"

/*
 * Limits each direction to that many bits per second; 0: takes all of it away again, the ifb link with it.
 * The bridge is ours. mac: of the ifb link, which nobody ever sees; given, udev leaves it alone.
 *
 * -EEXIST if somebody else has a link of that name, -EOPNOTSUPP if the kernel has no ifb, -ENOENT if it has
 * no tbf, ingress, u32 or mirred. Being killed in between leaves a limit that is there in part; the next call
 * makes it whole or takes it away.
 */
int course_rate_set(
        struct link_socket *socket, int bridge, const char *ifb, const struct mac *mac, uint64_t bits);

/* What is in force, as bits per second; 0: no limit. A direction that is not limited as we do it has none. */
struct course_rate {
        uint64_t to_seats;
        uint64_t from_seats;
};

int course_rate_get(struct link_socket *socket, int bridge, const char *ifb, struct course_rate *ret);
