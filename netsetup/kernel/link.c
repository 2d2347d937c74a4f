/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sockets and links. Requests go out whole (name, group, address, flags and master in the one message
 * that creates a link), so that being killed between two of them never leaves a link that cannot be
 * recognised as ours.
 *
 * Single links are asked for by name or index; a login never lists them all.
 */

#include <fcntl.h>
#include <linux/veth.h>
#include <sched.h>

#include "netlink.h"

/* The kernel fits what it lists into this much, so libnl need not ask for the size of each message first. */
#define MESSAGE_SIZE 32768U

int link_open(struct link_socket *ret) {
        struct nl_sock *nl;
        int r;

        nl = nl_socket_alloc();
        if (!nl)
                return -ENOMEM;
        nl_socket_disable_msg_peek(nl);
        *ret = (struct link_socket){.nl = nl};
        nl_socket_modify_err_cb(nl, NL_CB_CUSTOM, netlink_keep_error, &ret->error);

        r = nl_socket_set_msg_buf_size(nl, MESSAGE_SIZE);
        if (r >= 0)
                r = nl_connect(nl, NETLINK_ROUTE);
        if (r < 0) {
                r = netlink_errno(ret, r);
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

static int keep_link(struct nl_msg *message, void *userdata) {
        struct link *link = userdata;

        return netlink_parse_link(message, link) ? NL_OK : NL_SKIP;
}

/* Sends the question and reads the one link that it is answered with. Takes the question. */
static int ask_for_link(struct link_socket *socket, struct nl_msg *question, struct link *ret) {
        struct link link = {0};
        int r;

        r = netlink_ask(socket, question, keep_link, &link);
        if (r >= 0)
                *ret = link;
        return r;
}

/* name: NULL, if it is asked for by index. */
static int get_link(struct link_socket *socket, int index, const char *name, struct link *ret) {
        struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = index};
        struct nl_msg *question = nlmsg_alloc_simple(RTM_GETLINK, 0);

        if (!question || nlmsg_append(question, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
                nla_put_u32(question, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
                (name && nla_put_string(question, IFLA_IFNAME, name) < 0)) {
                nlmsg_free(question);
                return -ENOMEM;
        }
        return ask_for_link(socket, question, ret);
}

int link_get(struct link_socket *socket, int index, struct link *ret) {
        return get_link(socket, index, NULL, ret);
}

int link_find(struct link_socket *socket, const char *name, const char *kind, struct link *ret) {
        int r;

        r = get_link(socket, 0, name, ret);
        if (r == -ENODEV)
                return LINK_ABSENT;
        if (r < 0)
                return r;
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

static int create_link(
        struct link_socket *socket, const char *name, const char *kind, const struct mac *mac) {
        struct nl_msg *request = new_link_request();

        if (!request || put_link_description(request, name, mac, 0) < 0 ||
                put_kind(request, kind, NULL) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

int link_create_bridge(struct link_socket *socket, const char *name, const struct mac *mac) {
        return create_link(socket, name, "bridge", mac);
}

int link_create_cable(struct link_socket *socket, const struct link_cable *cable) {
        struct nl_msg *request = new_link_request();

        if (!request || put_link_description(request, cable->link, &cable->link_mac, IFF_UP) < 0 ||
                nla_put_u32(request, IFLA_MASTER, (uint32_t)cable->bridge) < 0 ||
                put_kind(request, "veth", cable) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
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
        return netlink_errno(socket, rtnl_link_change(socket->nl, now, change, 0));
}

int link_delete(struct link_socket *socket, int index) {
        _cleanup_link_ struct rtnl_link *link = rtnl_link_alloc();
        int r;

        if (!link)
                return -ENOMEM;
        rtnl_link_set_ifindex(link, index);
        r = netlink_errno(socket, rtnl_link_delete(socket->nl, link));
        return r == -ENODEV ? 0 : r;
}

/* By hand, as the bridge ports of libnl 3.7 do not know the setting. */
int link_set_isolated(struct link_socket *socket, int index, bool isolated) {
        struct ifinfomsg ifi = {.ifi_family = AF_BRIDGE, .ifi_index = index};
        struct nl_msg *request = nlmsg_alloc_simple(RTM_SETLINK, 0);
        struct nlattr *port = NULL;

        if (request && nlmsg_append(request, &ifi, sizeof(ifi), NLMSG_ALIGNTO) >= 0)
                port = nla_nest_start(request, IFLA_PROTINFO | NLA_F_NESTED);
        if (!port || nla_put_u8(request, IFLA_BRPORT_ISOLATED, isolated) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        nla_nest_end(request, port);
        return netlink_send(socket, request);
}
