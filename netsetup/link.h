/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Network links, addresses and routes: all that is asked of the kernel over rtnetlink. Only link.c knows
 * libnl; its errors end there and come out as the kernel's own negative errno.
 *
 * A link is "ours" if it has the kind that we make under such a name and COURSENET_LINK_GROUP as its group.
 * Nothing here changes or deletes by name: a caller looks first, sees whose link it is, and goes on by index.
 */

#include <stdint.h>

#include "address.h"
#include "mac.h"
#include "plan.h"

#define LINK_KIND_SIZE 16U

struct nl_sock;

/* The empty value is all zero. */
struct link_socket {
        struct nl_sock *nl;
        int error; /* with which the kernel refused the last request; libnl only keeps a class of it */
};

struct link {
        int index;
        unsigned flags; /* IFF_… */
        unsigned group;
        struct mac mac;
        char kind[LINK_KIND_SIZE]; /* "bridge", "veth", …; empty: hardware and lo */
};

enum link_state {
        LINK_ABSENT,
        LINK_OURS,
        LINK_FOREIGN, /* the name is taken by a link that we did not make */
};

/* An address of an interface, or where a route leads. */
struct link_network {
        int index; /* of the interface; 0: a route without one, such as a blackhole */
        struct address address;
};

/* The empty value is all zero. */
struct link_networks {
        struct link_network *items;
        size_t n_items;
};

/* Both ends of a new seat's cable. */
struct link_cable {
        const char *link;
        struct mac link_mac;
        int bridge; /* the index of the bridge that link becomes a port of */
        const char *peer;
        struct mac peer_mac;
        int netns_fd; /* borrowed; peer appears in this namespace */
};

/* A socket in the caller's network namespace, or in the one that netns_fd (borrowed) refers to. */
int link_open(struct link_socket *ret);
int link_open_in(int netns_fd, struct link_socket *ret);
void link_close(struct link_socket *socket);

/*
 * Looks a name up. Returns an enum link_state or negative errno; *ret is set unless the link is absent. A
 * kind of NULL stands for any.
 */
int link_find(struct link_socket *socket, const char *name, const char *kind, struct link *ret);

/* The link is created, marked as ours and up in one request. -EEXIST if the name has been taken meanwhile. */
int link_create_bridge(struct link_socket *socket, const char *name, const struct mac *mac);

/*
 * Creates a veth pair, marked as ours, link up and on its bridge. The kernel does not let peer be up before
 * both exist: link_bring_up() it in its namespace. -EXFULL if the bridge has all the ports that Linux allows.
 */
int link_create_cable(struct link_socket *socket, const struct link_cable *cable);

/* Sets a link up and marks it as ours; mac may be NULL, to keep the one it has. */
int link_bring_up(struct link_socket *socket, const struct link *link, const struct mac *mac);

/* A link that has gone meanwhile is success. */
int link_delete(struct link_socket *socket, int index);

/* An address that is there already, or gone already, is success. */
int link_add_address(struct link_socket *socket, int index, const struct address *address);
int link_delete_address(struct link_socket *socket, int index, const struct address *address);

/* ip is in host byte order. */
int link_add_default_route(struct link_socket *socket, int index, uint32_t ip);

/* Every IPv4 address of the namespace; one with a peer comes as two, itself and the peer's network. */
int link_list_addresses(struct link_socket *socket, struct link_networks *ret);

/*
 * The IPv4 routes of all tables that overlap with subnet. Not among them: default routes, and the table
 * "local", which only repeats the addresses.
 */
int link_list_routes(struct link_socket *socket, const struct address *subnet, struct link_networks *ret);

void link_networks_done(struct link_networks *networks);

#define _cleanup_link_socket_ _cleanup_(link_close)
#define _cleanup_link_networks_ _cleanup_(link_networks_done)
