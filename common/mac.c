/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAC addresses of our links, and what follows from them. */

#include "mac.h"

static struct mac make_mac(uint8_t first, uint32_t ip) {
        return (struct mac){.bytes = {first, 0x63, (uint8_t)(ip >> 24), (uint8_t)(ip >> 16),
                                    (uint8_t)(ip >> 8), (uint8_t)ip}};
}

struct mac mac_of_host(uint32_t ip) {
        return make_mac(0x02, ip);
}

struct mac mac_of_port(uint32_t ip) {
        return make_mac(0x06, ip);
}

struct mac mac_of_stretch(uint32_t ip) {
        return make_mac(0x0a, ip);
}

void mac_format(const struct mac *mac, char ret_text[static MAC_TEXT_SIZE]) {
        const uint8_t *b = mac->bytes;

        (void)snprintf(
                ret_text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

struct address6 mac_link_local(const struct mac *mac) {
        const uint8_t *b = mac->bytes;

        return (struct address6){
                .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, b[0] ^ 0x02, b[1], b[2], 0xff, 0xfe, b[3], b[4],
                        b[5]},
                .prefix = 64,
        };
}
