/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has gone over the cable of a seat since it is up, as the kernel counts it. */

#include <stdint.h>

#include "util.h"

#define NETWORK_DIRECTORY "/sys/class/net"

/* Receive and transmit are those of the seat, so the other way round for the cable's end on the bridge. */
struct traffic {
        uint64_t receive_bytes, receive_packets;
        uint64_t transmit_bytes, transmit_packets;
};

/*
 * link: the end on the bridge, such as vl-12310. net: NETWORK_DIRECTORY, which every user may read. Negative
 * errno if there is no such link, as in another network namespace than the host's.
 */
int traffic_read(const char *net, const char *link, struct traffic *ret);
