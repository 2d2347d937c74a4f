/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The boundary to libnl. Requests go out whole (name, group, address, flags and master in the one message
 * that creates a link), so that being killed between two of them never leaves a link that cannot be
 * recognised as ours.
 *
 * Single links are asked for by name; whole tables are listed only where a bridge is checked against the
 * host.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/veth.h>
#include <sched.h>

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

#include "link.h"

/* The kernel fits what it lists into this much, so libnl need not ask for the size of each message first. */
#define MESSAGE_SIZE 32768U

/* How often a list is asked for again that was changed by others while it was read. */
#define LIST_TRIES 5

static void put_link(struct rtnl_link **link) {
        if (*link)
                rtnl_link_put(*link);
}

static void put_addr(struct rtnl_addr **addr) {
        if (*addr)
                rtnl_addr_put(*addr);
}

static void put_route(struct rtnl_route **route) {
        if (*route)
                rtnl_route_put(*route);
}

static void put_nl_addr(struct nl_addr **addr) {
        if (*addr)
                nl_addr_put(*addr);
}

#define _cleanup_link_ _cleanup_(put_link)
#define _cleanup_addr_ _cleanup_(put_addr)
#define _cleanup_route_ _cleanup_(put_route)
#define _cleanup_nl_addr_ _cleanup_(put_nl_addr)

static const struct {
        int nle;
        int error;
} errors[] = {
        {NLE_AGAIN, EAGAIN},
        {NLE_BUSY, EBUSY},
        {NLE_DUMP_INTR, EAGAIN},
        {NLE_EXIST, EEXIST},
        {NLE_INTR, EINTR},
        {NLE_INVAL, EINVAL},
        {NLE_NOACCESS, EACCES},
        {NLE_NODEV, ENODEV},
        {NLE_NOMEM, ENOMEM},
        {NLE_OBJ_NOTFOUND, ENODEV},
        {NLE_OPNOTSUPP, EOPNOTSUPP},
        {NLE_PERM, EPERM},
        {NLE_PROTO_MISMATCH, EPROTONOSUPPORT},
};

/* What libnl returned, as negative errno: the kernel's own if it was the kernel that refused. */
static int to_errno(struct link_socket *socket, int r) {
        int error = socket->error;

        socket->error = 0;
        if (r >= 0)
                return 0;
        if (error < 0)
                return error;
        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (errors[i].nle == -r)
                        return -errors[i].error;
        return -EIO;
}

static int keep_kernel_error(struct sockaddr_nl *from, struct nlmsgerr *message, void *userdata) {
        int *error = userdata;

        (void)from;
        *error = message->error;
        return NL_STOP;
}

int link_open(struct link_socket *ret) {
        struct nl_sock *nl;
        int r;

        nl = nl_socket_alloc();
        if (!nl)
                return -ENOMEM;
        nl_socket_disable_msg_peek(nl);
        *ret = (struct link_socket){.nl = nl};
        nl_socket_modify_err_cb(nl, NL_CB_CUSTOM, keep_kernel_error, &ret->error);

        r = nl_socket_set_msg_buf_size(nl, MESSAGE_SIZE);
        if (r >= 0)
                r = nl_connect(nl, NETLINK_ROUTE);
        if (r < 0) {
                r = to_errno(ret, r);
                link_close(ret);
        }
        return r;
}

int link_open_in(int netns_fd, struct link_socket *ret) {
        _cleanup_close_ int own_fd = -1;
        int r;

        own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (own_fd < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
                return -errno;

        /* A socket stays in the namespace it was made in; we need not. */
        r = link_open(ret);
        if (setns(own_fd, CLONE_NEWNET) < 0 && r >= 0) {
                r = -errno;
                link_close(ret);
        }
        return r;
}

void link_close(struct link_socket *socket) {
        if (socket->nl)
                nl_socket_free(socket->nl);
        *socket = (struct link_socket){0};
}

/* NULL: out of memory. */
static struct nl_addr *build_mac(const struct mac *mac) {
        return nl_addr_build(AF_LLC, mac->bytes, sizeof(mac->bytes));
}

static struct nl_addr *build_ip(uint32_t ip, unsigned prefix) {
        uint32_t network_order = htonl(ip);
        struct nl_addr *addr = nl_addr_build(AF_INET, &network_order, sizeof(network_order));

        if (addr)
                nl_addr_set_prefixlen(addr, (int)prefix);
        return addr;
}

static void read_link(struct rtnl_link *found, struct link *ret) {
        const char *kind = rtnl_link_get_type(found);
        struct nl_addr *addr = rtnl_link_get_addr(found);

        *ret = (struct link){
                .index = rtnl_link_get_ifindex(found),
                .flags = rtnl_link_get_flags(found),
                .group = rtnl_link_get_group(found),
        };
        (void)string_copy(ret->kind, sizeof(ret->kind), kind ? kind : "");
        if (addr && nl_addr_get_len(addr) == sizeof(ret->mac.bytes))
                memcpy(ret->mac.bytes, nl_addr_get_binary_addr(addr), sizeof(ret->mac.bytes));
}

int link_find(struct link_socket *socket, const char *name, const char *kind, struct link *ret) {
        _cleanup_link_ struct rtnl_link *found = NULL;
        int r;

        r = to_errno(socket, rtnl_link_get_kernel(socket->nl, 0, name, &found));
        if (r == -ENODEV)
                return LINK_ABSENT;
        if (r < 0)
                return r;

        read_link(found, ret);
        if (ret->group != COURSENET_LINK_GROUP || (kind && !string_equal(ret->kind, kind)))
                return LINK_FOREIGN;
        return LINK_OURS;
}

/*
 * What every link of ours has, put behind the request or behind the nested one of a peer. By hand, as libnl
 * leaves out a peer's group.
 */
static int put_link_description(
        struct nl_msg *message, const char *name, const struct mac *mac, unsigned flags) {
        struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_flags = flags, .ifi_change = flags};

        if (nlmsg_append(message, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
                nla_put_string(message, IFLA_IFNAME, name) < 0 ||
                nla_put(message, IFLA_ADDRESS, sizeof(mac->bytes), mac->bytes) < 0 ||
                nla_put_u32(message, IFLA_GROUP, COURSENET_LINK_GROUP) < 0)
                return -ENOMEM;
        return 0;
}

static int put_peer(struct nl_msg *message, const struct link_cable *cable) {
        struct nlattr *data, *peer;

        data = nla_nest_start(message, IFLA_INFO_DATA);
        peer = data ? nla_nest_start(message, VETH_INFO_PEER) : NULL;
        if (!peer || put_link_description(message, cable->peer, &cable->peer_mac, 0) < 0 ||
                nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)cable->netns_fd) < 0)
                return -ENOMEM;
        nla_nest_end(message, peer);
        nla_nest_end(message, data);
        return 0;
}

/* cable: what only a veth has, or NULL. */
static int put_kind(struct nl_msg *message, const char *kind, const struct link_cable *cable) {
        struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);

        if (!info || nla_put_string(message, IFLA_INFO_KIND, kind) < 0 ||
                (cable && put_peer(message, cable) < 0))
                return -ENOMEM;
        nla_nest_end(message, info);
        return 0;
}

/* NULL: out of memory. */
static struct nl_msg *new_link_request(void) {
        return nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
}

/* Takes the request. */
static int send_request(struct link_socket *socket, struct nl_msg *request) {
        return to_errno(socket, nl_send_sync(socket->nl, request));
}

int link_create_bridge(struct link_socket *socket, const char *name, const struct mac *mac) {
        struct nl_msg *request = new_link_request();

        if (!request || put_link_description(request, name, mac, IFF_UP) < 0 ||
                put_kind(request, "bridge", NULL) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return send_request(socket, request);
}

int link_create_cable(struct link_socket *socket, const struct link_cable *cable) {
        struct nl_msg *request = new_link_request();

        if (!request || put_link_description(request, cable->link, &cable->link_mac, IFF_UP) < 0 ||
                nla_put_u32(request, IFLA_MASTER, (uint32_t)cable->bridge) < 0 ||
                put_kind(request, "veth", cable) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return send_request(socket, request);
}

int link_bring_up(struct link_socket *socket, const struct link *link, const struct mac *mac) {
        _cleanup_link_ struct rtnl_link *now = rtnl_link_alloc();
        _cleanup_link_ struct rtnl_link *change = rtnl_link_alloc();
        _cleanup_nl_addr_ struct nl_addr *addr = mac ? build_mac(mac) : NULL;

        if (!now || !change || (mac && !addr))
                return -ENOMEM;

        /* The request carries all flags, so the ones that stay have to be known. */
        rtnl_link_set_ifindex(now, link->index);
        rtnl_link_set_flags(now, link->flags);
        rtnl_link_set_flags(change, IFF_UP);
        rtnl_link_set_group(change, COURSENET_LINK_GROUP);
        if (addr)
                rtnl_link_set_addr(change, addr);
        return to_errno(socket, rtnl_link_change(socket->nl, now, change, 0));
}

int link_delete(struct link_socket *socket, int index) {
        _cleanup_link_ struct rtnl_link *link = rtnl_link_alloc();
        int r;

        if (!link)
                return -ENOMEM;
        rtnl_link_set_ifindex(link, index);
        r = to_errno(socket, rtnl_link_delete(socket->nl, link));
        return r == -ENODEV ? 0 : r;
}

/* NULL: out of memory. */
static struct rtnl_addr *build_address(int index, const struct address *address) {
        _cleanup_nl_addr_ struct nl_addr *local = build_ip(address->ip, address->prefix);
        struct rtnl_addr *addr = local ? rtnl_addr_alloc() : NULL;

        if (!addr)
                return NULL;
        rtnl_addr_set_ifindex(addr, index);
        if (rtnl_addr_set_local(addr, local) < 0) {
                rtnl_addr_put(addr);
                return NULL;
        }
        return addr;
}

int link_add_address(struct link_socket *socket, int index, const struct address *address) {
        _cleanup_addr_ struct rtnl_addr *addr = build_address(index, address);
        int r;

        if (!addr)
                return -ENOMEM;
        r = to_errno(socket, rtnl_addr_add(socket->nl, addr, NLM_F_EXCL));
        return r == -EEXIST ? 0 : r;
}

int link_delete_address(struct link_socket *socket, int index, const struct address *address) {
        _cleanup_addr_ struct rtnl_addr *addr = build_address(index, address);
        int r;

        if (!addr)
                return -ENOMEM;
        r = to_errno(socket, rtnl_addr_delete(socket->nl, addr, 0));
        return r == -EADDRNOTAVAIL || r == -ENODEV ? 0 : r;
}

int link_add_default_route(struct link_socket *socket, int index, uint32_t ip) {
        _cleanup_nl_addr_ struct nl_addr *anywhere = build_ip(0, 0);
        _cleanup_nl_addr_ struct nl_addr *gateway = build_ip(ip, 32);
        _cleanup_route_ struct rtnl_route *route = rtnl_route_alloc();
        struct rtnl_nexthop *hop = route ? rtnl_route_nh_alloc() : NULL;

        if (!hop)
                return -ENOMEM;
        rtnl_route_add_nexthop(route, hop); /* takes it */
        if (!anywhere || !gateway || rtnl_route_set_dst(route, anywhere) < 0)
                return -ENOMEM;
        rtnl_route_nh_set_ifindex(hop, index);
        rtnl_route_nh_set_gateway(hop, gateway);
        return to_errno(socket, rtnl_route_add(socket->nl, route, NLM_F_EXCL));
}

/* A list on its way from the kernel. */
struct listing {
        struct link_networks networks;
        const struct address *subnet; /* routes only: what is looked for */
        bool out_of_memory;
};

void link_networks_done(struct link_networks *networks) {
        free(networks->items);
        *networks = (struct link_networks){0};
}

static void append_network(struct listing *listing, int index, uint32_t network_order, unsigned prefix) {
        struct link_networks *networks = &listing->networks;
        struct link_network *items;

        items = reallocarray(networks->items, networks->n_items + 1, sizeof(*items));
        if (!items) {
                listing->out_of_memory = true;
                return;
        }
        networks->items = items;
        items[networks->n_items++] = (struct link_network){
                .index = index,
                .address = {.ip = ntohl(network_order), .prefix = prefix},
        };
}

/* 0, which no interface has as its index and no address is, if the attribute is not there. */
static uint32_t get_u32(struct nlattr **attributes, int type) {
        if (!attributes[type] || nla_len(attributes[type]) < (int)sizeof(uint32_t))
                return 0;
        return nla_get_u32(attributes[type]);
}

static int list_address(struct nl_msg *message, void *userdata) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[IFA_MAX + 1];
        struct listing *listing = userdata;
        const struct ifaddrmsg *ifa;
        uint32_t local, network;
        int index;

        if (header->nlmsg_type != RTM_NEWADDR ||
                nlmsg_parse(header, sizeof(*ifa), attributes, IFA_MAX, NULL) < 0)
                return NL_SKIP;
        ifa = nlmsg_data(header);
        if (ifa->ifa_family != AF_INET)
                return NL_SKIP;

        index = (int)ifa->ifa_index;
        network = get_u32(attributes, IFA_ADDRESS);
        local = get_u32(attributes, IFA_LOCAL);
        if (local != 0 && local != network)
                append_network(listing, index, local, 32);
        append_network(listing, index, network, ifa->ifa_prefixlen);
        return NL_OK;
}

/* The interface of a route with several next hops is that of the first. */
static int route_interface(struct nlattr **attributes) {
        const struct rtnexthop *hop;

        if (!attributes[RTA_MULTIPATH] || nla_len(attributes[RTA_MULTIPATH]) < (int)sizeof(*hop))
                return (int)get_u32(attributes, RTA_OIF);
        hop = nla_data(attributes[RTA_MULTIPATH]);
        return hop->rtnh_ifindex;
}

static int list_route(struct nl_msg *message, void *userdata) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[RTA_MAX + 1];
        struct listing *listing = userdata;
        const struct rtmsg *rtm;
        struct address network;
        uint32_t table;

        if (header->nlmsg_type != RTM_NEWROUTE ||
                nlmsg_parse(header, sizeof(*rtm), attributes, RTA_MAX, NULL) < 0)
                return NL_SKIP;
        rtm = nlmsg_data(header);
        table = attributes[RTA_TABLE] ? get_u32(attributes, RTA_TABLE) : rtm->rtm_table;
        if (rtm->rtm_family != AF_INET || rtm->rtm_dst_len == 0 || table == RT_TABLE_LOCAL)
                return NL_SKIP;

        network = (struct address){.ip = ntohl(get_u32(attributes, RTA_DST)), .prefix = rtm->rtm_dst_len};
        if (address_overlaps(&network, listing->subnet))
                append_network(listing, route_interface(attributes), htonl(network.ip), network.prefix);
        return NL_OK;
}

static int list_once(
        struct link_socket *socket, int type, nl_recvmsg_msg_cb_t list, struct listing *listing) {
        struct rtgenmsg request = {.rtgen_family = AF_INET};
        struct nl_cb *callbacks;
        int r;

        callbacks = nl_cb_alloc(NL_CB_DEFAULT);
        if (!callbacks)
                return -ENOMEM;
        nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, list, listing);

        r = nl_send_simple(socket->nl, type, NLM_F_DUMP, &request, sizeof(request));
        if (r >= 0)
                r = nl_recvmsgs(socket->nl, callbacks);
        nl_cb_put(callbacks);

        r = to_errno(socket, r);
        return r >= 0 && listing->out_of_memory ? -ENOMEM : r;
}

static int list_all(struct link_socket *socket, int type, nl_recvmsg_msg_cb_t list,
        const struct address *subnet, struct link_networks *ret) {
        int r = -EAGAIN;

        for (unsigned i = 0; i < LIST_TRIES && r == -EAGAIN; i++) {
                struct listing listing = {.subnet = subnet};

                r = list_once(socket, type, list, &listing);
                if (r < 0)
                        link_networks_done(&listing.networks);
                else
                        *ret = listing.networks;
        }
        return r;
}

int link_list_addresses(struct link_socket *socket, struct link_networks *ret) {
        return list_all(socket, RTM_GETADDR, list_address, NULL, ret);
}

int link_list_routes(struct link_socket *socket, const struct address *subnet, struct link_networks *ret) {
        return list_all(socket, RTM_GETROUTE, list_route, subnet, ret);
}
