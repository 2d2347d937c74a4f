/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists of all addresses, routes or links. Messages are parsed directly, because libnl would build an object
 * for each, and does not say in which table a route is.
 */

#include <arpa/inet.h>

#include "link.h"
#include "netlink.h"

void link_networks_done(struct link_networks *networks) {
        free(networks->items);
        *networks = (struct link_networks){0};
}

void link_networks6_done(struct link_networks6 *networks) {
        free(networks->items);
        *networks = (struct link_networks6){0};
}

void links_done(struct links *links) {
        free(links->items);
        *links = (struct links){0};
}

static void append_network(struct netlink_items *items, int index, uint32_t network_order, unsigned prefix) {
        struct link_network *network = netlink_append(items);

        if (network)
                *network = (struct link_network){
                        .index = index,
                        .address = {.ip = ntohl(network_order), .prefix = prefix},
                };
}

static void append_network6(struct netlink_items *items, int index, const struct address6 *address) {
        struct link_network6 *network = netlink_append(items);

        if (network)
                *network = (struct link_network6){.index = index, .address = *address};
}

/* All zero if it is not there. */
static struct address6 get_address6(struct nlattr *attribute, unsigned prefix) {
        struct address6 address = {.prefix = prefix};

        if (attribute && nla_len(attribute) >= (int)sizeof(address.bytes))
                memcpy(address.bytes, nla_data(attribute), sizeof(address.bytes));
        return address;
}

/* NULL: another message, of another family, or a broken one. */
static const struct ifaddrmsg *parse_address(
        struct nl_msg *message, int family, struct nlattr *attributes[static IFA_MAX + 1]) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        const struct ifaddrmsg *ifa;

        if (header->nlmsg_type != RTM_NEWADDR ||
                nlmsg_parse(header, sizeof(*ifa), attributes, IFA_MAX, NULL) < 0)
                return NULL;
        ifa = nlmsg_data(header);
        return ifa->ifa_family == family ? ifa : NULL;
}

static int read_address(struct nl_msg *message, void *userdata) {
        struct nlattr *attributes[IFA_MAX + 1];
        struct netlink_items *items = userdata;
        const struct ifaddrmsg *ifa;
        uint32_t local, network;
        int index;

        ifa = parse_address(message, AF_INET, attributes);
        if (!ifa)
                return NL_SKIP;
        index = (int)ifa->ifa_index;
        network = netlink_get_u32(attributes[IFA_ADDRESS]);
        local = netlink_get_u32(attributes[IFA_LOCAL]);
        if (local != 0 && local != network)
                append_network(items, index, local, 32);
        append_network(items, index, network, ifa->ifa_prefixlen);
        return NL_OK;
}

static int read_address6(struct nl_msg *message, void *userdata) {
        struct nlattr *attributes[IFA_MAX + 1];
        struct netlink_items *items = userdata;
        struct address6 local, network;
        const struct ifaddrmsg *ifa;
        int index;

        ifa = parse_address(message, AF_INET6, attributes);
        if (!ifa || ifa->ifa_scope >= RT_SCOPE_LINK)
                return NL_SKIP;
        index = (int)ifa->ifa_index;
        network = get_address6(attributes[IFA_ADDRESS], ifa->ifa_prefixlen);
        local = get_address6(attributes[IFA_LOCAL], 128);
        if (address6_is_set(&local) && !address6_same_ip(&local, &network))
                append_network6(items, index, &local);
        append_network6(items, index, &network);
        return NL_OK;
}

static uint32_t route_table(const struct rtmsg *rtm, struct nlattr **attributes) {
        return attributes[RTA_TABLE] ? netlink_get_u32(attributes[RTA_TABLE]) : rtm->rtm_table;
}

/* NULL: another message, a broken one, or a route of the table "local". */
static const struct rtmsg *parse_route(
        struct nl_msg *message, struct nlattr *attributes[static RTA_MAX + 1]) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        const struct rtmsg *rtm;

        if (header->nlmsg_type != RTM_NEWROUTE ||
                nlmsg_parse(header, sizeof(*rtm), attributes, RTA_MAX, NULL) < 0)
                return NULL;
        rtm = nlmsg_data(header);
        return route_table(rtm, attributes) == RT_TABLE_LOCAL ? NULL : rtm;
}

/* The interface of a route with several next hops is that of the first. */
static int route_interface(struct nlattr **attributes) {
        const struct rtnexthop *hop;

        if (!attributes[RTA_MULTIPATH] || nla_len(attributes[RTA_MULTIPATH]) < (int)sizeof(*hop))
                return (int)netlink_get_u32(attributes[RTA_OIF]);
        hop = nla_data(attributes[RTA_MULTIPATH]);
        return hop->rtnh_ifindex;
}

static int read_route(struct nl_msg *message, void *userdata) {
        struct nlattr *attributes[RTA_MAX + 1];
        struct netlink_items *items = userdata;
        const struct rtmsg *rtm;
        struct address network;

        rtm = parse_route(message, attributes);
        if (!rtm || rtm->rtm_family != AF_INET || rtm->rtm_dst_len == 0)
                return NL_SKIP;
        network = (struct address){
                .ip = ntohl(netlink_get_u32(attributes[RTA_DST])),
                .prefix = rtm->rtm_dst_len,
        };
        if (address_overlaps(&network, items->wanted))
                append_network(items, route_interface(attributes), htonl(network.ip), network.prefix);
        return NL_OK;
}

/* fe80::/10 and ff00::/8, which every interface has. */
static bool is_link_local_or_multicast(const struct address6 *network) {
        return network->bytes[0] == 0xff || (network->bytes[0] == 0xfe && (network->bytes[1] & 0xc0) == 0x80);
}

static int read_route6(struct nl_msg *message, void *userdata) {
        struct nlattr *attributes[RTA_MAX + 1];
        struct netlink_items *items = userdata;
        const struct rtmsg *rtm;
        struct address6 network;

        rtm = parse_route(message, attributes);
        if (!rtm || rtm->rtm_family != AF_INET6 || rtm->rtm_dst_len == 0)
                return NL_SKIP;
        network = get_address6(attributes[RTA_DST], rtm->rtm_dst_len);
        if (!is_link_local_or_multicast(&network) && address6_overlaps(&network, items->wanted))
                append_network6(items, route_interface(attributes), &network);
        return NL_OK;
}

/* The loopback interface is 1 in every namespace. */
static void append_interface(struct netlink_items *items, int index) {
        const int *known = items->array;
        int *added;

        if (index <= 1)
                return;
        for (size_t i = 0; i < items->n_items; i++)
                if (known[i] == index)
                        return;
        added = netlink_append(items);
        if (added)
                *added = index;
}

static void append_hops(struct netlink_items *items, struct nlattr *multipath) {
        struct rtnexthop *hop = nla_data(multipath);
        int left = nla_len(multipath);

        while (left >= (int)sizeof(*hop) && RTNH_OK(hop, left)) {
                append_interface(items, hop->rtnh_ifindex);
                left -= (int)RTNH_ALIGN(hop->rtnh_len);
                hop = RTNH_NEXT(hop);
        }
}

static int read_default_interface(struct nl_msg *message, void *userdata) {
        struct nlattr *attributes[RTA_MAX + 1];
        const struct rtmsg *rtm;
        unsigned widest;

        rtm = parse_route(message, attributes);
        if (!rtm || rtm->rtm_type != RTN_UNICAST || route_table(rtm, attributes) != RT_TABLE_MAIN)
                return NL_SKIP;
        widest = rtm->rtm_family == AF_INET6 ? DEFAULT_PREFIX6_MAX : DEFAULT_PREFIX_MAX;
        if ((rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) || rtm->rtm_dst_len > widest)
                return NL_SKIP;

        append_interface(userdata, (int)netlink_get_u32(attributes[RTA_OIF]));
        if (attributes[RTA_MULTIPATH])
                append_hops(userdata, attributes[RTA_MULTIPATH]);
        return NL_OK;
}

static int append_link(struct netlink_items *items, const struct link *link) {
        struct link *added;

        if (!string_equal(link->kind, items->wanted))
                return NL_SKIP;
        added = netlink_append(items);
        if (added)
                *added = *link;
        return NL_OK;
}

static int read_link(struct nl_msg *message, void *userdata) {
        struct link link;

        return link_parse(message, &link) ? append_link(userdata, &link) : NL_SKIP;
}

static int read_our_link(struct nl_msg *message, void *userdata) {
        struct link link;

        if (!link_parse(message, &link) || link.group != COURSENET_LINK_GROUP)
                return NL_SKIP;
        return append_link(userdata, &link);
}

/* Of addresses or routes; frees what it had, if it fails. */
static int list_family(struct link_socket *socket, int type, unsigned char family, nl_recvmsg_msg_cb_t read,
        struct netlink_items *items) {
        struct rtgenmsg request = {.rtgen_family = family};
        struct netlink_question question = {
                .type = type,
                .request = &request,
                .request_size = sizeof(request),
                .read = read,
        };
        int r;

        r = netlink_list(socket, &question, items);
        if (r < 0) {
                free(items->array);
                items->array = NULL;
        }
        return r;
}

static int list_networks(struct link_socket *socket, int type, nl_recvmsg_msg_cb_t read,
        const struct address *subnet, struct link_networks *ret) {
        struct netlink_items items = {.item_size = sizeof(struct link_network), .wanted = subnet};
        int r;

        r = list_family(socket, type, AF_INET, read, &items);
        if (r >= 0)
                *ret = (struct link_networks){.items = items.array, .n_items = items.n_items};
        return r;
}

static int list_networks6(struct link_socket *socket, int type, nl_recvmsg_msg_cb_t read,
        const struct address6 *subnet, struct link_networks6 *ret) {
        struct netlink_items items = {.item_size = sizeof(struct link_network6), .wanted = subnet};
        int r;

        r = list_family(socket, type, AF_INET6, read, &items);
        if (r >= 0)
                *ret = (struct link_networks6){.items = items.array, .n_items = items.n_items};
        return r;
}

int link_list_addresses(struct link_socket *socket, struct link_networks *ret) {
        return list_networks(socket, RTM_GETADDR, read_address, NULL, ret);
}

int link_list_addresses6(struct link_socket *socket, struct link_networks6 *ret) {
        return list_networks6(socket, RTM_GETADDR, read_address6, NULL, ret);
}

int link_list_routes(struct link_socket *socket, const struct address *subnet, struct link_networks *ret) {
        return list_networks(socket, RTM_GETROUTE, read_route, subnet, ret);
}

int link_list_routes6(struct link_socket *socket, const struct address6 *subnet, struct link_networks6 *ret) {
        return list_networks6(socket, RTM_GETROUTE, read_route6, subnet, ret);
}

/* An interface that has gone meanwhile is left out. */
static int get_links(struct link_socket *socket, const int *indices, size_t n_indices, struct links *ret) {
        _cleanup_links_ struct links links = {0};
        int r;

        links.items = calloc(n_indices + 1, sizeof(*links.items));
        if (!links.items)
                return -ENOMEM;
        for (size_t i = 0; i < n_indices; i++) {
                r = link_get(socket, indices[i], &links.items[links.n_items]);
                if (r >= 0)
                        links.n_items++;
                else if (r != -ENODEV)
                        return r;
        }
        *ret = links;
        links = (struct links){0};
        return 0;
}

/* Only the main table: IPv6 has a route in the table "local" for each link, and so for each seat. */
static int list_main_routes(struct link_socket *socket, unsigned char family, struct netlink_items *items) {
        struct rtmsg request = {.rtm_family = family, .rtm_table = RT_TABLE_MAIN};
        struct netlink_question question = {
                .type = RTM_GETROUTE,
                .request = &request,
                .request_size = sizeof(request),
                .read = read_default_interface,
                .strict = true,
        };
        int r = netlink_list(socket, &question, items);

        /* The table is there from the first route on. */
        return r == -ENOENT ? 0 : r;
}

int link_list_default_interfaces(struct link_socket *socket, struct links *ret) {
        struct netlink_items indices = {.item_size = sizeof(int)};
        int r;

        r = list_main_routes(socket, AF_INET, &indices);
        if (r >= 0)
                r = list_main_routes(socket, AF_INET6, &indices);
        if (r < 0) {
                free(indices.array);
                return r;
        }

        r = get_links(socket, indices.array, indices.n_items, ret);
        free(indices.array);
        return r;
}

struct kind_request {
        struct ifinfomsg ifi;
        struct nlattr mask_header;
        uint32_t mask;
        struct nlattr info_header, kind_header;
        char kind[LINK_KIND_SIZE];
};

/*
 * The kernel leaves out other kinds if it has this one, so that it does not describe the cables of all seats
 * when bridges are asked for. If it has no such kind, it lists all.
 */
static int list_links(
        struct link_socket *socket, const char *kind, nl_recvmsg_msg_cb_t read, struct links *ret) {
        size_t kind_size = sizeof(struct nlattr) + strlen(kind) + 1;
        struct kind_request request = {
                .ifi = {.ifi_family = AF_UNSPEC},
                .mask_header = {.nla_len = sizeof(struct nlattr) + sizeof(uint32_t),
                        .nla_type = IFLA_EXT_MASK},
                .mask = RTEXT_FILTER_SKIP_STATS, /* half of the answer's size */
                .info_header = {.nla_len = (uint16_t)(sizeof(struct nlattr) + kind_size),
                        .nla_type = IFLA_LINKINFO},
                .kind_header = {.nla_len = (uint16_t)kind_size, .nla_type = IFLA_INFO_KIND},
        };
        struct netlink_question question = {
                .type = RTM_GETLINK,
                .request = &request,
                .request_size = offsetof(struct kind_request, kind_header) + kind_size,
                .read = read,
        };
        struct netlink_items items = {.item_size = sizeof(struct link), .wanted = kind};
        int r;

        r = string_copy(request.kind, sizeof(request.kind), kind);
        if (r < 0)
                return r;
        r = netlink_list(socket, &question, &items);
        if (r < 0)
                free(items.array);
        else
                *ret = (struct links){.items = items.array, .n_items = items.n_items};
        return r;
}

int link_list_kind(struct link_socket *socket, const char *kind, struct links *ret) {
        return list_links(socket, kind, read_link, ret);
}

int link_list_ours(struct link_socket *socket, const char *kind, struct links *ret) {
        return list_links(socket, kind, read_our_link, ret);
}
