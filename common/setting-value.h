/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What single values of coursenet.conf look like. All of it is pure: no file, no diagnostics. */

#include "settings.h"

#define RATE_MIN UINT64_C(64000)
#define RATE_MAX UINT64_C(16000000000)

/* "10M": bits per second, in thousands (K), millions (M) or billions (G), 64K to 16G; "none": no limit. */
int rate_parse(const char *text, struct rate *ret);

/*
 * "90", "90s", "90min", "12h", "2d": a time in whole seconds, or in the unit behind the number, from minimum
 * to maximum seconds. -EINVAL or -ERANGE.
 */
int duration_parse(const char *text, unsigned minimum, unsigned maximum, unsigned *ret_seconds);

/* "443", "443/tcp", "443/udp", and each with "*:" before it. */
int port_parse(const char *text, struct port *ret);

/* An IPv4 or IPv6 address that a server could have, without a prefix. */
bool server_valid(const char *text);

/* The first characters of label as a label in DNS: letters, digits and inner hyphens, at most 63 of them. */
bool label_valid(const char *label, size_t length);

/*
 * A DNS domain with {course} in it once. Whatever the number of digits that stands for it, the domain is one:
 * of labels, the last of which is not a number.
 */
bool domain_valid(const char *text);

/* What the kernel takes for the name of an interface, dev_valid_name(). */
bool link_name_valid(const char *name);

/*
 * The name of an interface that may stand in quotes in a rule set: no pattern, and nothing that ends them.
 * Nor is it what the kernel's settings take for every interface, "all" and "default".
 */
bool uplink_valid(const char *name);

/* Directories have names of many kinds. None has blanks, a colon (passwd(5)), a slash, or a comma. */
bool user_name_valid(const char *name);
