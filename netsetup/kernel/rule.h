/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Routing rules inside a seat (`ip rule`), in the namespace of the socket. A seat's shell has the host's
 * resolv.conf, which often names a resolver on 127.0.0.53 or 127.0.0.1. These rules take queries to
 * 127.0.0.0/8 out of the seat, to the gateway, which hands them to the name service:
 *
 *     53:  to 127.0.0.0/8 ipproto udp dport 53 lookup 53
 *     54:  to 127.0.0.0/8 ipproto tcp dport 53 lookup 53
 *     100: lookup local                    (instead of 0, where nothing comes before it)
 *     table 53: default via GATEWAY dev vr-… src OWN
 *
 * The interface also needs the sysctls route_localnet=1 and accept_local=1.
 */

#include "link.h"

/*
 * Adds the rules that do not exist yet. own_ip and gateway are in host byte order; the interface (index) is
 * up and has own_ip. If this is killed, the namespace still has a rule for local addresses.
 */
int rule_add_loopback_dns(struct link_socket *socket, int index, uint32_t own_ip, uint32_t gateway);

/* Returns 1 if all of it is there as rule_add_loopback_dns() makes it, 0 if not, or negative errno. */
int rule_has_loopback_dns(struct link_socket *socket, int index, uint32_t own_ip, uint32_t gateway);
