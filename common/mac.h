/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * MAC addresses computed from the IPv4 address, so that they are the same at every login and no neighbour's
 * ARP entry becomes stale. The kernel marks them as set by a user, so udev's MACAddressPolicy= does not
 * change them. All kinds are unicast and locally administered.
 */

#include "address6.h"

/* "02:63:0a:00:7b:0a" with the NUL. */
#define MAC_TEXT_SIZE 18U

struct mac {
        uint8_t bytes[6];
};

struct mac mac_of_host(uint32_t ip);    /* br-, vr-: 02:63 and the address (host byte order) */
struct mac mac_of_port(uint32_t ip);    /* vl-: 06:63 and the address */
struct mac mac_of_stretch(uint32_t ip); /* vx-: 0a:63 and the member's address in the underlay */

void mac_format(const struct mac *mac, char ret_text[static MAC_TEXT_SIZE]);

/* The link-local address that the kernel gives a link with this MAC address: EUI-64, RFC 4291 appendix A. */
struct address6 mac_link_local(const struct mac *mac);
