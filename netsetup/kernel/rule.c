/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The routing rules of a seat's namespace for DNS: made by seat.c, compared by inspect-seat.c. */

#include <arpa/inet.h>
#include <linux/fib_rules.h>

#include <netlink/route/rule.h>

#include "netlink.h"
#include "rule.h"

#define LOOPBACK_NETWORK 0x7f000000U
#define LOOPBACK_PREFIX 8U
#define DNS_PORT 53U
#define DNS_TABLE 53U

/* A rule of ours; protocol 0: any packet, and no destination either. */
struct rule {
        uint32_t priority;
        uint32_t table;
        uint8_t protocol; /* IPPROTO_UDP, IPPROTO_TCP */
};

static const struct rule kernel_local = {.priority = 0, .table = RT_TABLE_LOCAL};

/* In the order in which they are made. */
static const struct rule rules[] = {
        {.priority = 100, .table = RT_TABLE_LOCAL},
        {.priority = 53, .table = DNS_TABLE, .protocol = IPPROTO_UDP},
        {.priority = 54, .table = DNS_TABLE, .protocol = IPPROTO_TCP},
};

static void put_rule(struct rtnl_rule **rule) {
        if (*rule)
                rtnl_rule_put(*rule);
}

#define _cleanup_rule_ _cleanup_(put_rule)

/* -ENOMEM, or 0. */
static int fill_rule(struct rtnl_rule *filled, const struct rule *rule) {
        _cleanup_nl_addr_ struct nl_addr *loopback = NULL;

        rtnl_rule_set_family(filled, AF_INET);
        rtnl_rule_set_action(filled, FR_ACT_TO_TBL);
        rtnl_rule_set_prio(filled, rule->priority);
        rtnl_rule_set_table(filled, rule->table);
        if (rule->protocol == 0)
                return 0;

        loopback = netlink_build_ip(LOOPBACK_NETWORK, LOOPBACK_PREFIX);
        if (!loopback || rtnl_rule_set_dst(filled, loopback) < 0)
                return -ENOMEM;
        (void)rtnl_rule_set_ipproto(filled, rule->protocol);
        (void)rtnl_rule_set_dport(filled, DNS_PORT);
        return 0;
}

static int add_rule(struct link_socket *socket, const struct rule *rule) {
        _cleanup_rule_ struct rtnl_rule *added = rtnl_rule_alloc();
        int r;

        if (!added || fill_rule(added, rule) < 0)
                return -ENOMEM;
        r = link_socket_errno(socket, rtnl_rule_add(socket->nl, added, NLM_F_EXCL));
        return r == -EEXIST ? 0 : r;
}

static int delete_rule(struct link_socket *socket, const struct rule *rule) {
        _cleanup_rule_ struct rtnl_rule *deleted = rtnl_rule_alloc();
        int r;

        if (!deleted || fill_rule(deleted, rule) < 0)
                return -ENOMEM;
        r = link_socket_errno(socket, rtnl_rule_delete(socket->nl, deleted, 0));
        return r == -ENOENT ? 0 : r;
}

/* This comes last: while the kernel's own rule at 0 exists, none of ours is evaluated. */
int rule_add_loopback_dns(struct link_socket *socket, int index, uint32_t own_ip, uint32_t gateway) {
        _cleanup_nl_addr_ struct nl_addr *to = netlink_build_ip(gateway, 32);
        _cleanup_nl_addr_ struct nl_addr *from = netlink_build_ip(own_ip, 32);
        int r;

        if (!to || !from)
                return -ENOMEM;
        r = netlink_add_default_route(socket, index, to, from, DNS_TABLE);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rules); i++)
                r = add_rule(socket, &rules[i]);
        return r < 0 ? r : delete_rule(socket, &kernel_local);
}

/* To 127.0.0.0/8, port 53. */
static bool has_dns_destination(struct nlattr **attributes, const struct fib_rule_hdr *header) {
        const struct fib_rule_port_range *range;

        if (header->dst_len != LOOPBACK_PREFIX ||
                netlink_get_u32(attributes[FRA_DST]) != htonl(LOOPBACK_NETWORK) ||
                !attributes[FRA_DPORT_RANGE] || nla_len(attributes[FRA_DPORT_RANGE]) < (int)sizeof(*range))
                return false;
        range = nla_data(attributes[FRA_DPORT_RANGE]);
        return range->start == DNS_PORT && range->end == DNS_PORT;
}

/* A rule with a condition that our rules do not have. */
static bool is_narrower(struct nlattr **attributes, const struct fib_rule_hdr *header) {
        return header->src_len != 0 || header->tos != 0 || (header->flags & FIB_RULE_INVERT) ||
               attributes[FRA_FWMARK] || attributes[FRA_IIFNAME] || attributes[FRA_OIFNAME] ||
               attributes[FRA_SPORT_RANGE] || attributes[FRA_UID_RANGE];
}

/* False: the rule cannot be one of ours. */
static bool parse_rule(struct nlattr **attributes, const struct fib_rule_hdr *header, struct rule *ret) {
        struct nlattr *protocol = attributes[FRA_IP_PROTO];

        if (header->action != FR_ACT_TO_TBL || is_narrower(attributes, header))
                return false;
        *ret = (struct rule){
                .priority = netlink_get_u32(attributes[FRA_PRIORITY]),
                .table = netlink_get_u32(attributes[FRA_TABLE]),
                .protocol = protocol && nla_len(protocol) >= 1 ? nla_get_u8(protocol) : 0,
        };
        if (ret->protocol == 0)
                return header->dst_len == 0 && !attributes[FRA_DPORT_RANGE];
        return has_dns_destination(attributes, header);
}

static int read_rule(struct nl_msg *message, void *userdata) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[FRA_MAX + 1];
        const struct fib_rule_hdr *frh;
        struct rule rule, *added;

        if (header->nlmsg_type != RTM_NEWRULE ||
                nlmsg_parse(header, sizeof(*frh), attributes, FRA_MAX, NULL) < 0)
                return NL_SKIP;
        frh = nlmsg_data(header);
        if (frh->family != AF_INET || !parse_rule(attributes, frh, &rule))
                return NL_SKIP;
        added = netlink_append(userdata);
        if (added)
                *added = rule;
        return NL_OK;
}

static bool is_among(const struct netlink_items *items, const struct rule *rule) {
        const struct rule *found = items->array;

        for (size_t i = 0; i < items->n_items; i++)
                if (found[i].priority == rule->priority && found[i].table == rule->table &&
                        found[i].protocol == rule->protocol)
                        return true;
        return false;
}

/* Where table 53 leads; addresses in network byte order. */
struct way {
        int index;
        uint32_t gateway;
        uint32_t source;
};

static int read_way(struct nl_msg *message, void *userdata) {
        struct netlink_items *items = userdata;
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[RTA_MAX + 1];
        const struct way *wanted = items->wanted;
        const struct rtmsg *rtm;

        if (header->nlmsg_type != RTM_NEWROUTE ||
                nlmsg_parse(header, sizeof(*rtm), attributes, RTA_MAX, NULL) < 0)
                return NL_SKIP;
        rtm = nlmsg_data(header);
        if (rtm->rtm_family != AF_INET || rtm->rtm_dst_len != 0 || rtm->rtm_type != RTN_UNICAST ||
                netlink_get_u32(attributes[RTA_TABLE]) != DNS_TABLE)
                return NL_SKIP;
        if ((int)netlink_get_u32(attributes[RTA_OIF]) == wanted->index &&
                netlink_get_u32(attributes[RTA_GATEWAY]) == wanted->gateway &&
                netlink_get_u32(attributes[RTA_PREFSRC]) == wanted->source)
                (void)netlink_append(items);
        return NL_OK;
}

static int list_ipv4(
        struct link_socket *socket, int type, nl_recvmsg_msg_cb_t read, struct netlink_items *items) {
        struct rtgenmsg request = {.rtgen_family = AF_INET};
        struct netlink_question question = {
                .type = type,
                .request = &request,
                .request_size = sizeof(request),
                .read = read,
        };

        return netlink_list(socket, &question, items);
}

static int has_rules(struct link_socket *socket) {
        struct netlink_items items = {.item_size = sizeof(struct rule)};
        int r;

        r = list_ipv4(socket, RTM_GETRULE, read_rule, &items);
        if (r >= 0)
                r = !is_among(&items, &kernel_local);
        for (size_t i = 0; r > 0 && i < ELEMENTSOF(rules); i++)
                r = is_among(&items, &rules[i]);
        free(items.array);
        return r;
}

static int has_way(struct link_socket *socket, const struct way *way) {
        struct netlink_items items = {.item_size = sizeof(*way), .wanted = way};
        int r;

        r = list_ipv4(socket, RTM_GETROUTE, read_way, &items);
        free(items.array);
        return r < 0 ? r : items.n_items > 0;
}

int rule_has_loopback_dns(struct link_socket *socket, int index, uint32_t own_ip, uint32_t gateway) {
        struct way way = {.index = index, .gateway = htonl(gateway), .source = htonl(own_ip)};
        int r;

        r = has_rules(socket);
        return r > 0 ? has_way(socket, &way) : r;
}
