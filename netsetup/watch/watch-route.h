/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reports changes of the host's network that coursenet depends on: uplinks, and whether they forward. */

#include <net/if.h>

#include "util.h"

struct watch_route_changes {
        bool routes;     /* a default route, or a link that may be an uplink, is new or another */
        bool forwarding; /* another program has switched forwarding off */
        bool fence;      /* a routing rule of the fence was removed */
};

struct watch_link {
        int index;
        char name[IFNAMSIZ];
};

struct nl_sock;

/* The empty value is all zero. */
struct watch_route {
        struct nl_sock *nl;
        struct watch_link *links; /* that are not ours: a message does not say what is new in it */
        size_t n_links;
        struct watch_route_changes changes;
};

int watch_route_open(struct watch_route *watch);
void watch_route_close(struct watch_route *watch);
int watch_route_fd(const struct watch_route *watch);

/* As watch_nft_read(). */
int watch_route_read(struct watch_route *watch, struct watch_route_changes *ret);
