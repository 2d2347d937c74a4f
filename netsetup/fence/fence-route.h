/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The fence's second half: routing rules by uid (`ip rule`), for IPv4 and IPv6.
 *
 * A packet filter finds the owner of a packet by the file of its socket. Three kinds of packets have no such
 * file: the SYN-ACK of a SYN cookie, what a connection sends before accept(), and what it still sends after
 * close(). Routing uses the uid of the socket itself (sk_uid), which a socket has all its life, and which a
 * new connection has from its listener: the kernel drops a SYN, and the ACK that answers a cookie, if it
 * finds no route back for that uid. So a fenced uid's socket never has a connection with the outside,
 * whatever its port.
 *
 *     0:     uidrange 5001-5400 goto 32500          (one for each range; see fence-route.c for many)
 *     31999: goto 32510
 *     32500: lookup local
 *     32501: ipproto tcp dport 88 goto 32510        (fence-except-ports)
 *     32502: uidrange 5001-5400 prohibit
 *     32510: nop
 */

#include <stdint.h>

#include "diagnostics.h"

/*
 * Is a rule with this priority and protocol (RTPROT_…) one of these? No rule of others belongs between them.
 */
bool fence_route_is_ours(uint32_t priority, uint8_t protocol);

/*
 * Adds and removes rules until they are as in plan, a text of fence_table_format(). A plan without a table
 * removes all of them. A uid that is fenced before and after is fenced all the time in between. Negative
 * errno with one error in diagnostics. A family that the kernel does not have is skipped.
 */
int fence_route_apply(const char *plan, struct diagnostics *diagnostics);

/* Adds an error for each family whose rules are not as planned. Changes nothing. Negative errno as above. */
int fence_route_compare(const char *plan, struct diagnostics *diagnostics);
