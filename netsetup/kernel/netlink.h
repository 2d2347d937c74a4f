/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files that know libnl share. Of the rest of netsetup/ only fence-route.c includes this: its rules
 * need more of netlink than rule.h offers.
 *
 * Functions return 0 or negative errno, the kernel's own wherever it was the kernel that refused.
 */

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

#include "address6.h"
#include "link-socket.h"

/* Sends a request and waits until the kernel has done it. Takes the request. */
int netlink_send(struct link_socket *socket, struct nl_msg *request);

/* Sends a question that has one answer, and calls read for it with userdata. Takes the question; NULL:
 * -ENOMEM. */
int netlink_ask(
        struct link_socket *socket, struct nl_msg *question, nl_recvmsg_msg_cb_t read, void *userdata);

struct mac;

/* A request that creates a link; NULL: out of memory. */
struct nl_msg *netlink_new_link(void);

/* What every link of ours has, put behind the request or behind the nested one of a peer. */
int netlink_put_description(struct nl_msg *message, const char *name, const struct mac *mac);

/* An IFLA_BRPORT_… of the port of a bridge, one byte wide. */
struct netlink_port_setting {
        int attribute;
        uint8_t value;
};

/* By hand, as the bridge ports of libnl 3.7 do not know all of them. -EOPNOTSUPP if the link is no port. */
int netlink_set_port(struct link_socket *socket, int index, const struct netlink_port_setting *settings,
        size_t n_settings);

/*
 * Addresses as libnl wants them; ip is in host byte order. NULL: out of memory.
 */
struct nl_addr *netlink_build_ip(uint32_t ip, unsigned prefix);
struct nl_addr *netlink_build_ip6(const struct address6 *address);

/*
 * A default route through gateway: main table unless table is another one, source address unless source is
 * NULL. It takes the place of one that is there with the same metric. Gateway and source may be NULL, which
 * is "out of memory", as the builders above say it.
 */
int netlink_add_default_route(struct link_socket *socket, int index, struct nl_addr *gateway,
        struct nl_addr *source, uint32_t table);

/* 0, which no interface has as its index and no address is, if the attribute is not there. */
uint32_t netlink_get_u32(struct nlattr *attribute);

/* A growing array, on its way from the kernel. */
struct netlink_items {
        size_t item_size;
        const void *wanted; /* for the reader: what it compares with */
        void *array;        /* the caller frees it */
        size_t n_items;
        bool out_of_memory;
};

/* Appends an item, which is all zero; NULL: out of memory, which netlink_list() reports. */
void *netlink_append(struct netlink_items *items);

/* A question that the kernel answers with a list. */
struct netlink_question {
        int type;            /* RTM_GET… */
        const void *request; /* the message's header and attributes */
        size_t request_size;
        nl_recvmsg_msg_cb_t read; /* called for each message of the answer, with struct netlink_items */
        bool strict;              /* the kernel leaves out what the request does not ask for */
};

/*
 * Appends what the reader finds in the answer. The list is asked for again if others change it meanwhile, for
 * some tens of milliseconds: then -EAGAIN. On failure items are as they were before.
 */
int netlink_list(
        struct link_socket *socket, const struct netlink_question *question, struct netlink_items *items);

static inline void netlink_put_link(struct rtnl_link **link) {
        if (*link)
                rtnl_link_put(*link);
}

static inline void netlink_put_rtnl_addr(struct rtnl_addr **addr) {
        if (*addr)
                rtnl_addr_put(*addr);
}

static inline void netlink_put_route(struct rtnl_route **route) {
        if (*route)
                rtnl_route_put(*route);
}

static inline void netlink_put_addr(struct nl_addr **addr) {
        if (*addr)
                nl_addr_put(*addr);
}

#define _cleanup_link_ _cleanup_(netlink_put_link)
#define _cleanup_rtnl_addr_ _cleanup_(netlink_put_rtnl_addr)
#define _cleanup_route_ _cleanup_(netlink_put_route)
#define _cleanup_nl_addr_ _cleanup_(netlink_put_addr)
