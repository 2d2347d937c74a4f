/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Checks that the kernel's limits are high enough for every seat on a roster. Debian's defaults are for a
 * host with few neighbours. When a limit is reached, the kernel does not say so: a packet is not sent, or a
 * login gets no namespace.
 */

#include <stdint.h>

#include "diagnostics.h"
#include "site.h"

#define LIMITS_FILE "/etc/sysctl.d/60-coursenet.conf"

enum limit {
        LIMIT_NEIGH4_THRESH1,
        LIMIT_NEIGH4_THRESH2,
        LIMIT_NEIGH4_THRESH3,
        LIMIT_NEIGH6_THRESH1,
        LIMIT_NEIGH6_THRESH2,
        LIMIT_NEIGH6_THRESH3,
        LIMIT_NET_NAMESPACES,
        LIMIT_CONNTRACK,
        LIMIT_INOTIFY_INSTANCES,
        _LIMIT_MAX,
};

/* By enum limit; 0: this kernel has no such limit, or none yet. */
struct limits {
        uint64_t values[_LIMIT_MAX];
};

/* What all seats need together when all are up at the same time. */
struct limits_need {
        size_t n_seats;
        size_t n_seats6;       /* of these, with an IPv6 address */
        size_t n_nat;          /* of these, behind the host's address */
        size_t n_name_servers; /* one for each course */
        bool has_units;        /* some run containers or other units */
        char bridge[IFNAMSIZ]; /* the one with most seats */
        size_t n_ports;        /* and how many */
};

/* proc is /proc/sys. */
void limits_read(const char *proc, struct limits *ret);

/* -ENOMEM. */
int limits_count(const struct site *site, struct limits_need *ret);

/*
 * Adds a warning for each limit that is too small, with the line that raises it. *ret_wanted has the values
 * to set; 0: no change.
 */
void limits_check(const struct limits *limits, const struct limits_need *need, struct limits *ret_wanted,
        struct diagnostics *diagnostics);

/* "net.ipv4.neigh.default.gc_thresh3" */
const char *limit_name(enum limit limit);
