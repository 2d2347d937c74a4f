/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Most messages are about links and addresses of seats, or routes of a whole network. Whether a message
 * matters is decided from the message alone.
 */

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/msg.h>

#include "fence/fence-route.h"
#include "kernel/link.h"
#include "plan.h"
#include "watch-route.h"
#include "watch-socket.h"

/* NETCONFA_FORCE_FORWARDING, which older headers do not have: Linux 6.17. */
#define NETCONFA_FORCE 9
#define NETCONFA_KNOWN_MAX 9

/* --- links ------------------------------------------------------------------------------------------ */

static struct watch_link *find_link(struct watch_route *watch, int index) {
        for (size_t i = 0; i < watch->n_links; i++)
                if (watch->links[i].index == index)
                        return &watch->links[i];
        return NULL;
}

/* True if the link is new or has another name than before. */
static bool remember_link(struct watch_route *watch, int index, const char *name) {
        struct watch_link *links, *link = find_link(watch, index);

        if (link && string_equal(link->name, name))
                return false;
        if (!link) {
                links = reallocarray(watch->links, watch->n_links + 1, sizeof(*links));
                if (!links)
                        return true;
                watch->links = links;
                link = &links[watch->n_links++];
                link->index = index;
        }
        (void)snprintf(link->name, sizeof(link->name), "%s", name);
        return true;
}

static void forget_link(struct watch_route *watch, int index) {
        struct watch_link *link = find_link(watch, index);

        if (link)
                *link = watch->links[--watch->n_links];
}

static void handle_link(struct watch_route *watch, struct nlmsghdr *header) {
        struct nlattr *attributes[IFLA_MAX + 1];
        const struct ifinfomsg *ifi;
        const char *name;
        bool ours;

        if (nlmsg_parse(header, sizeof(*ifi), attributes, IFLA_MAX, NULL) < 0 || !attributes[IFLA_IFNAME])
                return;
        ifi = nlmsg_data(header);
        /* The message is a bridge's, about one of its ports. */
        if (ifi->ifi_family != AF_UNSPEC)
                return;
        name = nla_get_string(attributes[IFLA_IFNAME]);
        ours = attributes[IFLA_GROUP] && nla_get_u32(attributes[IFLA_GROUP]) == COURSENET_LINK_GROUP;

        if (header->nlmsg_type == RTM_DELLINK)
                forget_link(watch, ifi->ifi_index);
        else if (!ours && remember_link(watch, ifi->ifi_index, name))
                watch->changes.routes = true;
}

static int list_links(struct watch_route *watch) {
        struct if_nameindex *list = if_nameindex();

        if (!list)
                return -errno;
        for (struct if_nameindex *item = list; item->if_index != 0; item++)
                (void)remember_link(watch, (int)item->if_index, item->if_name);
        if_freenameindex(list);
        return 0;
}

/* --- routes and forwarding -------------------------------------------------------------------------- */

static void handle_route(struct watch_route *watch, struct nlmsghdr *header) {
        const struct rtmsg *rtm = nlmsg_data(header);

        if (nlmsg_valid_hdr(header, sizeof(*rtm)) && rtm->rtm_type == RTN_UNICAST &&
                rtm->rtm_dst_len <= (rtm->rtm_family == AF_INET6 ? DEFAULT_PREFIX6_MAX : DEFAULT_PREFIX_MAX))
                watch->changes.routes = true;
}

/*
 * A routing rule of the fence has been removed. If coursenet removed it, the job that follows finds nothing
 * to do.
 */
static void handle_rule(struct watch_route *watch, struct nlmsghdr *header) {
        struct nlattr *attributes[FRA_MAX + 1];

        if (nlmsg_parse(header, sizeof(struct fib_rule_hdr), attributes, FRA_MAX, NULL) >= 0 &&
                fence_route_is_ours(attributes[FRA_PRIORITY] ? nla_get_u32(attributes[FRA_PRIORITY]) : 0,
                        attributes[FRA_PROTOCOL] ? nla_get_u8(attributes[FRA_PROTOCOL]) : 0))
                watch->changes.fence = true;
}

static bool is_off(struct nlattr *attribute) {
        return attribute && nla_len(attribute) >= (int)sizeof(uint32_t) && nla_get_u32(attribute) == 0;
}

/* For a new interface the kernel reports all switches, and for a change only those that have changed. */
static void handle_netconf(struct watch_route *watch, struct nlmsghdr *header) {
        struct nlattr *attributes[NETCONFA_KNOWN_MAX + 1];

        if (header->nlmsg_type != RTM_NEWNETCONF ||
                nlmsg_parse(header, sizeof(struct netconfmsg), attributes, NETCONFA_KNOWN_MAX, NULL) < 0 ||
                attributes[NETCONFA_PROXY_NEIGH])
                return;
        if (is_off(attributes[NETCONFA_FORWARDING]) || is_off(attributes[NETCONFA_FORCE]))
                watch->changes.forwarding = true;
}

static int handle_message(struct nl_msg *message, void *userdata) {
        struct watch_route *watch = userdata;
        struct nlmsghdr *header = nlmsg_hdr(message);

        switch (header->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
                handle_link(watch, header);
                break;
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
                handle_route(watch, header);
                break;
        case RTM_DELRULE:
                handle_rule(watch, header);
                break;
        default:
                handle_netconf(watch, header);
        }
        return NL_OK;
}

/*
 * The kernel passes on only the routes that lead everywhere: a host that takes part in the routing of a
 * campus has tens of thousands that come and go. A notification is one message. A failure costs no more than
 * wake-ups.
 */
static void filter_routes(struct nl_sock *nl) {
        const unsigned type = offsetof(struct nlmsghdr, nlmsg_type),
                       family = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_family),
                       prefix = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len);
        /* What is loaded is taken for network byte order. */
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 6),
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, family),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 2),
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, prefix),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, DEFAULT_PREFIX6_MAX, 3, 2),
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, prefix),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, DEFAULT_PREFIX_MAX, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(filter), .filter = filter};

        (void)setsockopt(nl_socket_get_fd(nl), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int watch_route_open(struct watch_route *watch) {
        static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
                RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};
        int r;

        *watch = (struct watch_route){0};
        r = watch_socket_open(NETLINK_ROUTE, groups, ELEMENTSOF(groups), handle_message, watch, &watch->nl);
        if (r < 0)
                return r;
        filter_routes(watch->nl);
        return list_links(watch);
}

void watch_route_close(struct watch_route *watch) {
        if (watch->nl)
                nl_socket_free(watch->nl);
        watch->nl = NULL;
        free(watch->links);
        watch->links = NULL;
}

int watch_route_fd(const struct watch_route *watch) {
        return nl_socket_get_fd(watch->nl);
}

int watch_route_read(struct watch_route *watch, struct watch_route_changes *ret) {
        int r;

        r = watch_socket_read(watch->nl);
        if (r < 0 && r != -ENOBUFS)
                return r;
        if (r == -ENOBUFS)
                watch->changes = (struct watch_route_changes){.routes = true, .fence = true};
        *ret = watch->changes;
        watch->changes = (struct watch_route_changes){0};
        return 0;
}
