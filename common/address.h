/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* IPv4 addresses with a prefix length, in host byte order. */

#include <stdint.h>

#include "util.h"

/* "255.255.255.255/32" with the NUL. */
#define ADDRESS_TEXT_SIZE 19U

struct address {
        uint32_t ip;     /* host byte order */
        unsigned prefix; /* 0 to 32 */
};

/*
 * Parses "A.B.C.D/N", or "A.B.C.D" alone: then the prefix is default_prefix. -EINVAL for anything else,
 * leading zeros included.
 */
int address_parse(const char *text, unsigned default_prefix, struct address *ret);

/* "A.B.C.D/N". */
void address_format(const struct address *address, char ret_text[static ADDRESS_TEXT_SIZE]);

/* "A.B.C.D". */
void address_format_ip(uint32_t ip, char ret_text[static ADDRESS_TEXT_SIZE]);

uint32_t prefix_mask(unsigned prefix);
uint32_t address_network(const struct address *address);
bool address_overlaps(const struct address *a, const struct address *b);

/* True if ip lies in the subnet that address is in. */
bool address_contains(const struct address *address, uint32_t ip);
