/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Default routes of the main table, by the interface and the gateway that they have. */

#include <arpa/inet.h>

#include "link.h"
#include "netlink.h"

int link_add_default_route(struct link_socket *socket, int index, uint32_t ip) {
        _cleanup_nl_addr_ struct nl_addr *gateway = netlink_build_ip(ip, 32);

        return netlink_add_default_route(socket, index, gateway, NULL, RT_TABLE_MAIN);
}

int link_add_default_route6(struct link_socket *socket, int index, const struct address6 *gateway) {
        struct address6 host = *gateway;
        _cleanup_nl_addr_ struct nl_addr *addr = NULL;

        host.prefix = 128;
        addr = netlink_build_ip6(&host);
        return netlink_add_default_route(socket, index, addr, NULL, RT_TABLE_MAIN);
}

struct wanted {
        unsigned char family;
        int index;
        uint8_t gateway[16];
        size_t gateway_size;
};

static int read_route(struct nl_msg *message, void *userdata) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[RTA_MAX + 1];
        struct netlink_items *items = userdata;
        const struct wanted *wanted = items->wanted;
        const struct rtmsg *rtm;
        uint32_t table;

        if (header->nlmsg_type != RTM_NEWROUTE ||
                nlmsg_parse(header, sizeof(*rtm), attributes, RTA_MAX, NULL) < 0)
                return NL_SKIP;
        rtm = nlmsg_data(header);
        table = attributes[RTA_TABLE] ? netlink_get_u32(attributes[RTA_TABLE]) : rtm->rtm_table;
        if (rtm->rtm_family != wanted->family || rtm->rtm_dst_len != 0 || rtm->rtm_type != RTN_UNICAST ||
                table != RT_TABLE_MAIN || (int)netlink_get_u32(attributes[RTA_OIF]) != wanted->index ||
                !attributes[RTA_GATEWAY] || nla_len(attributes[RTA_GATEWAY]) != (int)wanted->gateway_size ||
                memcmp(nla_data(attributes[RTA_GATEWAY]), wanted->gateway, wanted->gateway_size) != 0)
                return NL_SKIP;
        (void)netlink_append(items);
        return NL_OK;
}

static int find(struct link_socket *socket, const struct wanted *wanted) {
        struct rtgenmsg request = {.rtgen_family = wanted->family};
        struct netlink_question question = {
                .type = RTM_GETROUTE,
                .request = &request,
                .request_size = sizeof(request),
                .read = read_route,
        };
        struct netlink_items items = {.item_size = 1, .wanted = wanted};
        int r;

        r = netlink_list(socket, &question, &items);
        free(items.array);
        return r < 0 ? r : items.n_items > 0;
}

int link_has_default_route(struct link_socket *socket, int index, uint32_t ip) {
        struct wanted wanted = {.family = AF_INET, .index = index, .gateway_size = sizeof(ip)};
        uint32_t network_order = htonl(ip);

        memcpy(wanted.gateway, &network_order, sizeof(network_order));
        return find(socket, &wanted);
}

int link_has_default_route6(struct link_socket *socket, int index, const struct address6 *gateway) {
        struct wanted wanted = {.family = AF_INET6, .index = index, .gateway_size = sizeof(wanted.gateway)};

        memcpy(wanted.gateway, gateway->bytes, sizeof(wanted.gateway));
        return find(socket, &wanted);
}
