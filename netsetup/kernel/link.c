/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The one message that creates a link has its name, group, address and bridge. So if this program is
 * killed, it never leaves a link without our mark.
 *
 * Single links are asked for by name or index, because a login must not wait for a list of all.
 */

#include <linux/ip.h>
#include <linux/veth.h>

#include "link.h"
#include "netlink.h"

/* The alias of a link that is fenced off. */
#define FENCED_ALIAS "fenced off by coursenet"

/* Empty if it is not there. */
static void get_text(struct nlattr *attribute, char *ret, size_t size) {
        ret[0] = '\0';
        if (attribute && nla_len(attribute) > 0)
                (void)nla_strlcpy(ret, attribute, size);
}

static bool is_set(struct nlattr *attribute) {
        return attribute && nla_len(attribute) >= 1 && nla_get_u8(attribute) != 0;
}

/* The bridge's own settings of a port. */
static void parse_port(struct nlattr *data, struct link *link) {
        struct nlattr *attributes[IFLA_BRPORT_MAX + 1];

        if (!data || nla_parse_nested(attributes, IFLA_BRPORT_MAX, data, NULL) < 0)
                return;
        link->isolated = is_set(attributes[IFLA_BRPORT_ISOLATED]);
        link->learning = is_set(attributes[IFLA_BRPORT_LEARNING]);
        link->neigh_suppress = is_set(attributes[IFLA_BRPORT_NEIGH_SUPPRESS]);
}

static void parse_kind(struct nlattr *info, struct link *link) {
        struct nlattr *attributes[IFLA_INFO_MAX + 1];
        char master_kind[LINK_KIND_SIZE];

        if (!info || nla_parse_nested(attributes, IFLA_INFO_MAX, info, NULL) < 0)
                return;
        get_text(attributes[IFLA_INFO_KIND], link->kind, sizeof(link->kind));
        get_text(attributes[IFLA_INFO_SLAVE_KIND], master_kind, sizeof(master_kind));
        if (string_equal(master_kind, "bridge"))
                parse_port(attributes[IFLA_INFO_SLAVE_DATA], link);
        if (string_equal(link->kind, "vxlan"))
                link_parse_vxlan(attributes[IFLA_INFO_DATA], &link->vxlan);
}

bool link_parse(struct nl_msg *message, struct link *ret) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[IFLA_MAX + 1], *mac;
        char alias[sizeof(FENCED_ALIAS) + 1];
        const struct ifinfomsg *ifi;

        if (header->nlmsg_type != RTM_NEWLINK ||
                nlmsg_parse(header, sizeof(*ifi), attributes, IFLA_MAX, NULL) < 0)
                return false;

        ifi = nlmsg_data(header);
        *ret = (struct link){
                .index = ifi->ifi_index,
                .flags = ifi->ifi_flags,
                .group = netlink_get_u32(attributes[IFLA_GROUP]),
                .mtu = netlink_get_u32(attributes[IFLA_MTU]),
                .master = (int)netlink_get_u32(attributes[IFLA_MASTER]),
        };
        get_text(attributes[IFLA_IFNAME], ret->name, sizeof(ret->name));
        parse_kind(attributes[IFLA_LINKINFO], ret);
        get_text(attributes[IFLA_IFALIAS], alias, sizeof(alias));
        ret->fenced = string_equal(alias, FENCED_ALIAS);
        mac = attributes[IFLA_ADDRESS];
        if (mac && nla_len(mac) == sizeof(ret->mac.bytes))
                memcpy(ret->mac.bytes, nla_data(mac), sizeof(ret->mac.bytes));
        return true;
}

/* NULL: out of memory. */
static struct nl_addr *build_mac(const struct mac *mac) {
        return nl_addr_build(AF_LLC, mac->bytes, sizeof(mac->bytes));
}

static int keep_link(struct nl_msg *message, void *userdata) {
        struct link *link = userdata;

        return link_parse(message, link) ? NL_OK : NL_SKIP;
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

/* name: NULL to ask by index. */
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
 * A veth with more queues than it uses, as the kernel makes it unless it is told, has its surplus taken away
 * again, and for that the kernel waits until no processor uses it (RCU). All other requests wait as well.
 */
static int put_one_queue(struct nl_msg *message) {
        return nla_put_u32(message, IFLA_NUM_TX_QUEUES, 1) < 0 ||
                               nla_put_u32(message, IFLA_NUM_RX_QUEUES, 1) < 0
                       ? -ENOMEM
                       : 0;
}

static int put_mtu(struct nl_msg *message, unsigned mtu) {
        return mtu > 0 && nla_put_u32(message, IFLA_MTU, mtu) < 0 ? -ENOMEM : 0;
}

static int put_peer(struct nl_msg *message, const struct link_cable *cable) {
        struct nlattr *data, *peer;

        data = nla_nest_start(message, IFLA_INFO_DATA);
        peer = data ? nla_nest_start(message, VETH_INFO_PEER) : NULL;
        if (!peer || netlink_put_description(message, cable->peer, &cable->peer_mac) < 0 ||
                put_one_queue(message) < 0 || put_mtu(message, cable->mtu) < 0 ||
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

static int create_link(
        struct link_socket *socket, const char *name, const char *kind, const struct mac *mac) {
        struct nl_msg *request = netlink_new_link();

        if (!request || netlink_put_description(request, name, mac) < 0 ||
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
        struct nl_msg *request = netlink_new_link();

        if (!request || netlink_put_description(request, cable->link, &cable->link_mac) < 0 ||
                put_one_queue(request) < 0 || put_mtu(request, cable->mtu) < 0 ||
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
        /* For a request with a group, even the same one, the kernel tells everybody of one more change, and
         * IPv6 goes through all routes of the host. */
        if (link->group != COURSENET_LINK_GROUP)
                rtnl_link_set_group(change, COURSENET_LINK_GROUP);
        if (addr)
                rtnl_link_set_addr(change, addr);
        return link_socket_errno(socket, rtnl_link_change(socket->nl, now, change, 0));
}

int link_set_fenced(struct link_socket *socket, const struct link *link, bool fenced) {
        static const char alias[] = FENCED_ALIAS;
        struct ifinfomsg ifi = {
                .ifi_family = AF_UNSPEC,
                .ifi_index = link->index,
                .ifi_flags = fenced ? 0 : IFF_UP,
                .ifi_change = IFF_UP,
        };
        struct nl_msg *request = nlmsg_alloc_simple(RTM_SETLINK, 0);

        /* Without the NUL, as ip(8) sends it; empty: none. */
        if (!request || nlmsg_append(request, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
                nla_put(request, IFLA_IFALIAS, fenced ? (int)strlen(alias) : 0, alias) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

int link_set_mtu(struct link_socket *socket, int index, unsigned mtu) {
        struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = index};
        struct nl_msg *request = nlmsg_alloc_simple(RTM_SETLINK, 0);

        if (!request || nlmsg_append(request, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
                put_mtu(request, mtu) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

int link_delete(struct link_socket *socket, int index) {
        _cleanup_link_ struct rtnl_link *link = rtnl_link_alloc();
        int r;

        if (!link)
                return -ENOMEM;
        rtnl_link_set_ifindex(link, index);
        r = link_socket_errno(socket, rtnl_link_delete(socket->nl, link));
        return r == -ENODEV ? 0 : r;
}

/* What an address family keeps of a link is in an attribute of the family, in one for all families. */
struct family_change {
        struct nl_msg *request;
        struct nlattr *families, *family;
};

/* Where there is no memory, family is NULL. */
static struct family_change begin_family_change(int index, int family) {
        struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = index};
        struct family_change change = {.request = nlmsg_alloc_simple(RTM_SETLINK, 0)};

        if (change.request && nlmsg_append(change.request, &ifi, sizeof(ifi), NLMSG_ALIGNTO) >= 0)
                change.families = nla_nest_start(change.request, IFLA_AF_SPEC);
        if (change.families)
                change.family = nla_nest_start(change.request, family);
        return change;
}

/* r: negative, if it could not be finished. */
static int send_family_change(struct link_socket *socket, struct family_change *change, int r) {
        if (r < 0) {
                nlmsg_free(change->request);
                return -ENOMEM;
        }
        nla_nest_end(change->request, change->family);
        nla_nest_end(change->request, change->families);
        return netlink_send(socket, change->request);
}

/* Without IPv6 in the kernel, or on the link, the kernel says -EAFNOSUPPORT. */
int link_set_no_address6(struct link_socket *socket, int index) {
        struct family_change change = begin_family_change(index, AF_INET6);
        int r = change.family ? nla_put_u8(change.request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)
                              : -ENOMEM;

        r = send_family_change(socket, &change, r);
        return r == -EAFNOSUPPORT ? 0 : r;
}

int link_allow_loopback_senders(struct link_socket *socket, int index) {
        struct family_change change = begin_family_change(index, AF_INET);
        struct nlattr *settings = change.family ? nla_nest_start(change.request, IFLA_INET_CONF) : NULL;
        int r = settings ? 0 : -ENOMEM;

        if (r >= 0)
                r = nla_put_u32(change.request, IPV4_DEVCONF_ROUTE_LOCALNET, 1);
        if (r >= 0)
                r = nla_put_u32(change.request, IPV4_DEVCONF_ACCEPT_LOCAL, 1);
        if (r >= 0)
                nla_nest_end(change.request, settings);
        return send_family_change(socket, &change, r);
}

int link_set_isolated(struct link_socket *socket, int index, bool isolated) {
        const struct netlink_port_setting setting = {IFLA_BRPORT_ISOLATED, isolated};

        return netlink_set_port(socket, index, &setting, 1);
}
