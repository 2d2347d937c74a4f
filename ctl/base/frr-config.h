/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * FRR's part of a member: the BGP sessions with the other members that carry EVPN, RFC 7432. The peer group
 * FRR_GROUP is coursenet's; everything else in FRR's configuration is the site's.
 */

#include <stdio.h>

#include "hosts.h"

#define FRR_GROUP "coursenet"

/* Where in `router bgp` a line is. */
enum frr_family {
        FRR_ROUTER, /* in no address family */
        FRR_UNICAST,
        FRR_EVPN,
        FRR_OTHER, /* of no interest here */
};

struct frr_line {
        enum frr_family family;
        char text[96]; /* without blanks around it */
};

/* `router bgp` of the default VRF. The empty value is all zero: there is none. */
struct frr_router {
        unsigned asn; /* 0: there is none */
        struct frr_line *lines;
        size_t n_lines;
};

void frr_router_done(struct frr_router *router);

/* What the settings want for the member with that address. -ENOMEM. */
int frr_config_make(const struct settings *settings, uint32_t own, struct frr_router *ret);

/* Reads what `show running-config` prints, or frr.conf. -ENOMEM, -errno. */
int frr_router_read(FILE *file, struct frr_router *ret);

bool frr_router_has(const struct frr_router *router, enum frr_family family, const char *text);

/*
 * Whether what is loaded does what a wanted line asks for: it has that line, or one of the site's own that
 * does the same.
 */
bool frr_router_fulfils(const struct frr_router *loaded, const struct frr_line *wanted);

/*
 * The site has its own session with the neighbour of a wanted line, which coursenet does not change. ret: the
 * neighbour's address.
 */
bool frr_line_is_taken(
        const struct frr_router *loaded, const struct frr_line *wanted, char ret[static INET_ADDRSTRLEN]);

/* Whether EVPN is active for a session of the site's own. */
bool frr_router_has_active(const struct frr_router *loaded, const char *address);

/* A loaded line puts a neighbour into the peer group that is not wanted. ret: the neighbour's address. */
bool frr_line_is_stale(
        const struct frr_router *wanted, const struct frr_line *loaded, char ret[static INET_ADDRSTRLEN]);

/* Whether nothing of the site is in it, so that it may go as a whole. */
bool frr_router_is_ours(const struct frr_router *loaded);

/* Whether it has the peer group. */
bool frr_router_has_group(const struct frr_router *loaded);

/*
 * The text for `vtysh -f`, without the lines that the site has already. before: the text of the last time;
 * its lines are coursenet's, although they are loaded. loaded: NULL, all of it.
 */
void frr_config_print(const struct frr_router *wanted, const struct frr_router *loaded,
        const struct frr_router *before, FILE *file);

/* The text that takes out what was loaded before: all of `router bgp`, if nothing in it is the site's. */
void frr_removal_print(const struct frr_router *loaded, const struct frr_router *before, FILE *file);

#define _cleanup_frr_router_ _cleanup_(frr_router_done)
