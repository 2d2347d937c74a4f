/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* IPv6 addresses: text and arithmetic. */

#include <arpa/inet.h>

#include "address6.h"
#include "number.h"

int address6_parse(const char *text, unsigned default_prefix, struct address6 *ret) {
        struct address6 address = {.prefix = default_prefix};
        char ip[INET6_ADDRSTRLEN];
        const char *slash = strchr(text, '/');
        size_t length = slash ? (size_t)(slash - text) : strlen(text);

        if (length >= sizeof(ip))
                return -EINVAL;
        memcpy(ip, text, length);
        ip[length] = '\0';

        if (inet_pton(AF_INET6, ip, address.bytes) != 1)
                return -EINVAL;
        if (slash && number_parse(slash + 1, 0, 128, &address.prefix) < 0)
                return -EINVAL;

        *ret = address;
        return 0;
}

void address6_format_ip(const struct address6 *address, char ret_text[static ADDRESS6_TEXT_SIZE]) {
        (void)inet_ntop(AF_INET6, address->bytes, ret_text, ADDRESS6_TEXT_SIZE);
}

void address6_format(const struct address6 *address, char ret_text[static ADDRESS6_TEXT_SIZE]) {
        size_t n;

        address6_format_ip(address, ret_text);
        n = strlen(ret_text);
        (void)snprintf(ret_text + n, ADDRESS6_TEXT_SIZE - n, "/%u", address->prefix % 1000U);
}

bool address6_is_set(const struct address6 *address) {
        static const uint8_t none[16];

        return memcmp(address->bytes, none, sizeof(none)) != 0;
}

bool address6_same_ip(const struct address6 *a, const struct address6 *b) {
        return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct address6 address6_network(const struct address6 *address) {
        struct address6 network = *address;

        for (unsigned i = 0; i < sizeof(network.bytes); i++) {
                unsigned kept = address->prefix <= 8 * i ? 0 : address->prefix - 8 * i;

                if (kept < 8)
                        network.bytes[i] &= (uint8_t)(0xff00U >> kept);
        }
        return network;
}

bool address6_contains(const struct address6 *address, const struct address6 *ip) {
        struct address6 network = address6_network(address), other = *ip;

        other.prefix = address->prefix;
        other = address6_network(&other);
        return address6_same_ip(&network, &other);
}

bool address6_overlaps(const struct address6 *a, const struct address6 *b) {
        const struct address6 *wider = a->prefix <= b->prefix ? a : b;
        const struct address6 *narrower = wider == a ? b : a;

        return address6_contains(wider, narrower);
}

bool address6_is_unique_local(const struct address6 *address) {
        return (address->bytes[0] & 0xfe) == 0xfc;
}
