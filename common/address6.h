/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* IPv6 addresses with a prefix length. */

#include <netinet/in.h>
#include <stdint.h>

#include "util.h"

/* "ffff:…:ffff/128" with the NUL. */
#define ADDRESS6_TEXT_SIZE (INET6_ADDRSTRLEN + 4U)

/* All zero is "no address": :: is none that a host could have. */
struct address6 {
        uint8_t bytes[16];
        unsigned prefix; /* 0 to 128 */
};

/*
 * Parses "2001:db8::1/64", or "2001:db8::1" alone: then the prefix is default_prefix. -EINVAL for anything
 * else.
 */
int address6_parse(const char *text, unsigned default_prefix, struct address6 *ret);

/* "2001:db8::1/64". */
void address6_format(const struct address6 *address, char ret_text[static ADDRESS6_TEXT_SIZE]);

/* "2001:db8::1". */
void address6_format_ip(const struct address6 *address, char ret_text[static ADDRESS6_TEXT_SIZE]);

/* False for the all-zero value. */
bool address6_is_set(const struct address6 *address);

/* The same address; prefixes do not matter. */
bool address6_same_ip(const struct address6 *a, const struct address6 *b);

/* The subnet that address is in: all bits behind the prefix are zero. */
struct address6 address6_network(const struct address6 *address);

bool address6_overlaps(const struct address6 *a, const struct address6 *b);

/* Whether ip (its prefix does not matter) lies in the subnet that address is in. */
bool address6_contains(const struct address6 *address, const struct address6 *ip);

/* Whether it is a unique local address (RFC 4193, fc00::/7), which no router outside knows. */
bool address6_is_unique_local(const struct address6 *address);
