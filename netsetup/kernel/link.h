/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Network links, addresses and routes, by rtnetlink. qdisc.h and rule.h have more of it. Errors are the
 * kernel's own negative errno.
 *
 * A link is "ours" if it has the expected kind and COURSENET_LINK_GROUP as its group. No function changes or
 * deletes a link by its name: a caller looks the name up, checks that the link is ours, and uses its index.
 */

#include <stdint.h>

#include "address.h"
#include "address6.h"
#include "link-socket.h"
#include "mac.h"
#include "plan.h"

#define LINK_KIND_SIZE 16U

/*
 * How wide a route is that stands for "everywhere": OpenVPN has 0.0.0.0/1 and 128.0.0.0/1, 2000::/3 and so
 * on.
 */
#define DEFAULT_PREFIX_MAX 1U
#define DEFAULT_PREFIX6_MAX 4U

/* The port of UDP, RFC 7348. */
#define VXLAN_PORT 4789U

/* What VXLAN puts around a frame that it carries over IPv4. */
#define VXLAN_OVERHEAD 50U

/* Of a link of kind "vxlan". */
struct link_vxlan {
        uint32_t vni;
        uint32_t local; /* this host's address in the underlay, host byte order */
        unsigned port;
        bool learning; /* it takes addresses from frames, and not only from the control plane */
};

struct link {
        int index;
        char name[IFNAMSIZ];
        unsigned flags; /* IFF_… */
        unsigned group;
        unsigned mtu;
        int master;                    /* the index of the bridge that it is a port of; 0: none */
        bool isolated;                 /* as a port: it reaches no other isolated one */
        bool learning, neigh_suppress; /* as a port: see link_set_stretch_port() */
        bool fenced;                   /* see link_set_fenced() */
        struct mac mac;
        char kind[LINK_KIND_SIZE]; /* "bridge", "veth", …; empty: hardware and lo */
        struct link_vxlan vxlan;   /* all zero: it is none */
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

struct link_network6 {
        int index; /* as above */
        struct address6 address;
};

/* The empty value is all zero. */
struct link_networks6 {
        struct link_network6 *items;
        size_t n_items;
};

/* The empty value is all zero. */
struct links {
        struct link *items;
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
        unsigned mtu; /* of both; 0: the kernel's */
};

struct nl_msg;
struct nlattr;

/* For callbacks of libnl: parses RTM_NEWLINK. False: it is another message, or a broken one. */
bool link_parse(struct nl_msg *message, struct link *ret);

/*
 * Looks a name up. Returns an enum link_state or negative errno; *ret is set unless the link is absent. A
 * kind of NULL stands for any.
 */
int link_find(struct link_socket *socket, const char *name, const char *kind, struct link *ret);

/* The same by index, whosever it is. -ENODEV if there is none. */
int link_get(struct link_socket *socket, int index, struct link *ret);

/*
 * The link is created and marked as ours in one request; it is down. -EEXIST if the name has been taken
 * meanwhile, -EOPNOTSUPP if the kernel does not have that kind of link.
 */
int link_create_bridge(struct link_socket *socket, const char *name, const struct mac *mac);

/*
 * Creates a veth pair, marked as ours, link on its bridge. Both ends are down. Set peer up first: an end that
 * is up without a carrier has the kernel wait for all processors (RCU). -EXFULL if the bridge has all the
 * ports that Linux allows.
 */
int link_create_cable(struct link_socket *socket, const struct link_cable *cable);

/* Sets a link up and marks it as ours; mac may be NULL, to keep the one it has. */
int link_bring_up(struct link_socket *socket, const struct link *link, const struct mac *mac);

/* A link that has gone meanwhile is success. */
int link_delete(struct link_socket *socket, int index);

/*
 * The kernel gives a link no IPv6 address of its own when it gets a carrier. A kernel or a link without IPv6
 * is success.
 */
int link_set_no_address6(struct link_socket *socket, int index);

/*
 * Lets in packets with a sender of 127.0.0.0/8, or of this host's own addresses: route_localnet and
 * accept_local of sysctl.
 */
int link_allow_loopback_senders(struct link_socket *socket, int index);

/*
 * Isolated ports of a bridge reach the bridge and its other ports, but not each other. -EOPNOTSUPP if the
 * link is no port. A new port is not isolated: set it before the seat behind it can send.
 */
int link_set_isolated(struct link_socket *socket, int index, bool isolated);

/*
 * Sets a link down and marks it, with the alias that `ip link` shows, as what may not be up; or sets it up
 * and takes the mark away.
 */
int link_set_fenced(struct link_socket *socket, const struct link *link, bool fenced);

/* The kernel raises none above what the link can carry: -EINVAL. */
int link_set_mtu(struct link_socket *socket, int index, unsigned mtu);

/* --- link-vxlan.c -------------------------------------------------------------------------------------- */

/*
 * Creates a VXLAN link, marked as ours, on its bridge; it is down. -EEXIST if the name, or the number with
 * this port, is another link's.
 */
int link_create_vxlan(struct link_socket *socket, const char *name, const struct mac *mac, int bridge,
        unsigned mtu, const struct link_vxlan *vxlan);

/*
 * As the port of a bridge, the link of a control plane: the bridge takes no addresses from its frames, and
 * answers ARP and ND for what is behind it from its own table. isolated as in link_set_isolated().
 */
int link_set_stretch_port(struct link_socket *socket, int index, bool isolated);

/*
 * What of the link is not as planned, in a few words such as "VNI 7 instead of 100123"; NULL: nothing. bridge
 * is the index of its bridge; the text is in buffer.
 */
const char *link_vxlan_difference(
        const struct link *link, const struct bridge_plan *plan, int bridge, char *buffer, size_t size);

/* For link_parse(). */
void link_parse_vxlan(struct nlattr *data, struct link_vxlan *ret);

/* --- link-address.c ------------------------------------------------------------------------------------ */

/* An address that is there already, or gone already, is success. */
int link_add_address(struct link_socket *socket, int index, const struct address *address);
int link_delete_address(struct link_socket *socket, int index, const struct address *address);

/*
 * The same for IPv6. An interface has an IPv6 address only once: one that is there with another prefix stays
 * as it is, and has to be deleted first. The address can be used at once. -EACCES if disable_ipv6 is set for
 * the interface, -EOPNOTSUPP if the kernel has no IPv6 (ipv6.disable=1).
 */
int link_add_address6(struct link_socket *socket, int index, const struct address6 *address);
int link_delete_address6(struct link_socket *socket, int index, const struct address6 *address);

/* --- link-route.c -------------------------------------------------------------------------------------- */

/*
 * A default route in the main table, in the place of one that is there. ip is in host byte order; prefixes do
 * not matter. IPv6: -EHOSTUNREACH if the gateway is in no network of the interface, as without any IPv6
 * address, and -EOPNOTSUPP as above.
 */
int link_add_default_route(struct link_socket *socket, int index, uint32_t ip);
int link_add_default_route6(struct link_socket *socket, int index, const struct address6 *gateway);

/* Each returns 1 if there is such a route by this interface and gateway, 0 if there is none, or negative
 * errno. */
int link_has_default_route(struct link_socket *socket, int index, uint32_t ip);
int link_has_default_route6(struct link_socket *socket, int index, const struct address6 *gateway);

/* --- link-list.c --------------------------------------------------------------------------------------- */

/*
 * Every IPv4 or IPv6 address of the namespace; one with a peer comes as two, itself and the peer's network.
 * Not among them: link-local and loopback addresses of IPv6. A kernel without IPv6 has none.
 */
int link_list_addresses(struct link_socket *socket, struct link_networks *ret);
int link_list_addresses6(struct link_socket *socket, struct link_networks6 *ret);

/*
 * The routes of all tables that overlap with subnet. Not among them: default routes, the table "local", which
 * only repeats the addresses, and IPv6's link-local and multicast routes.
 */
int link_list_routes(struct link_socket *socket, const struct address *subnet, struct link_networks *ret);
int link_list_routes6(struct link_socket *socket, const struct address6 *subnet, struct link_networks6 *ret);

/*
 * The interfaces that IPv4 and IPv6 default routes of the main table lead to, each once. OpenVPN's halves of
 * a default route count as one. Other tables are for some packets only: that of a management network is no
 * way for seats to go.
 */
int link_list_default_interfaces(struct link_socket *socket, struct links *ret);

/* All links of a kind, "bridge", "veth" or "vxlan": everybody's, or ours. */
int link_list_kind(struct link_socket *socket, const char *kind, struct links *ret);
int link_list_ours(struct link_socket *socket, const char *kind, struct links *ret);

void link_networks_done(struct link_networks *networks);
void link_networks6_done(struct link_networks6 *networks);
void links_done(struct links *links);

#define _cleanup_link_networks_ _cleanup_(link_networks_done)
#define _cleanup_link_networks6_ _cleanup_(link_networks6_done)
#define _cleanup_links_ _cleanup_(links_done)
