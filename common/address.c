/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* IPv4 addresses: text and arithmetic. */

#include <arpa/inet.h>

#include "address.h"
#include "number.h"

int address_parse(const char *text, unsigned default_prefix, struct address *ret) {
        char ip[ADDRESS_TEXT_SIZE];
        struct in_addr in;
        const char *slash = strchr(text, '/');
        size_t length = slash ? (size_t)(slash - text) : strlen(text);
        unsigned prefix = default_prefix;

        if (length >= sizeof(ip))
                return -EINVAL;
        memcpy(ip, text, length);
        ip[length] = '\0';

        /* inet_pton() takes four decimal numbers only, unlike inet_aton(). */
        if (inet_pton(AF_INET, ip, &in) != 1)
                return -EINVAL;
        if (slash && number_parse(slash + 1, 0, 32, &prefix) < 0)
                return -EINVAL;

        *ret = (struct address){.ip = ntohl(in.s_addr), .prefix = prefix};
        return 0;
}

void address_format_ip(uint32_t ip, char ret_text[static ADDRESS_TEXT_SIZE]) {
        (void)snprintf(ret_text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", (ip >> 24) & 255U, (ip >> 16) & 255U,
                (ip >> 8) & 255U, ip & 255U);
}

void address_format(const struct address *address, char ret_text[static ADDRESS_TEXT_SIZE]) {
        size_t n;

        address_format_ip(address->ip, ret_text);
        n = strlen(ret_text);
        (void)snprintf(ret_text + n, ADDRESS_TEXT_SIZE - n, "/%u", address->prefix % 100U);
}

uint32_t prefix_mask(unsigned prefix) {
        return prefix == 0 ? 0 : UINT32_MAX << (32U - prefix);
}

uint32_t address_network(const struct address *address) {
        return address->ip & prefix_mask(address->prefix);
}

bool address_contains(const struct address *address, uint32_t ip) {
        return (ip & prefix_mask(address->prefix)) == address_network(address);
}

bool address_overlaps(const struct address *a, const struct address *b) {
        const struct address *wider = a->prefix <= b->prefix ? a : b;
        const struct address *narrower = wider == a ? b : a;

        return address_contains(wider, narrower->ip);
}
