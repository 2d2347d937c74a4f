/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <unistd.h>

#include "netlink.h"

/*
 * How often a list is asked for that others change while it is read, as they do while a class logs in. Behind
 * the first tries there is a pause, for them to get on.
 */
#define LIST_TRIES 30U
#define LIST_TRIES_AT_ONCE 5U
#define LIST_PAUSE_USEC 2000

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

int netlink_errno(struct link_socket *socket, int r) {
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

int netlink_keep_error(struct sockaddr_nl *from, struct nlmsgerr *message, void *userdata) {
        int *error = userdata;

        (void)from;
        *error = message->error;
        return NL_STOP;
}

int netlink_send(struct link_socket *socket, struct nl_msg *request) {
        return netlink_errno(socket, nl_send_sync(socket->nl, request));
}

int netlink_ask(
        struct link_socket *socket, struct nl_msg *question, nl_recvmsg_msg_cb_t read, void *userdata) {
        struct nl_cb *callbacks = question ? nl_cb_alloc(NL_CB_DEFAULT) : NULL;
        int r;

        if (!callbacks) {
                nlmsg_free(question);
                return -ENOMEM;
        }
        nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, read, userdata);
        nl_cb_err(callbacks, NL_CB_CUSTOM, netlink_keep_error, &socket->error);

        r = nl_send_auto(socket->nl, question);
        nlmsg_free(question);
        if (r >= 0)
                r = nl_recvmsgs(socket->nl, callbacks);
        nl_cb_put(callbacks);
        if (r >= 0)
                r = nl_wait_for_ack(socket->nl);
        return netlink_errno(socket, r);
}

struct nl_addr *netlink_build_ip(uint32_t ip, unsigned prefix) {
        uint32_t network_order = htonl(ip);
        struct nl_addr *addr = nl_addr_build(AF_INET, &network_order, sizeof(network_order));

        if (addr)
                nl_addr_set_prefixlen(addr, (int)prefix);
        return addr;
}

struct nl_addr *netlink_build_ip6(const struct address6 *address) {
        struct nl_addr *addr = nl_addr_build(AF_INET6, address->bytes, sizeof(address->bytes));

        if (addr)
                nl_addr_set_prefixlen(addr, (int)address->prefix);
        return addr;
}

/* NULL: out of memory. */
static struct nl_addr *build_anywhere(int family) {
        static const struct address6 zero = {0};

        return family == AF_INET6 ? netlink_build_ip6(&zero) : netlink_build_ip(0, 0);
}

int netlink_add_default_route(struct link_socket *socket, int index, struct nl_addr *gateway,
        struct nl_addr *source, uint32_t table) {
        _cleanup_nl_addr_ struct nl_addr *anywhere =
                gateway ? build_anywhere(nl_addr_get_family(gateway)) : NULL;
        _cleanup_route_ struct rtnl_route *route = rtnl_route_alloc();
        struct rtnl_nexthop *hop = route ? rtnl_route_nh_alloc() : NULL;

        if (!hop)
                return -ENOMEM;
        rtnl_route_add_nexthop(route, hop); /* takes it */
        if (!anywhere || rtnl_route_set_dst(route, anywhere) < 0 ||
                (source && rtnl_route_set_pref_src(route, source) < 0))
                return -ENOMEM;
        rtnl_route_set_table(route, table);
        rtnl_route_nh_set_ifindex(hop, index);
        rtnl_route_nh_set_gateway(hop, gateway);
        return netlink_errno(socket, rtnl_route_add(socket->nl, route, NLM_F_REPLACE));
}

uint32_t netlink_get_u32(struct nlattr *attribute) {
        if (!attribute || nla_len(attribute) < (int)sizeof(uint32_t))
                return 0;
        return nla_get_u32(attribute);
}

/* Empty if it is not there. */
static void get_text(struct nlattr *attribute, char *ret, size_t size) {
        ret[0] = '\0';
        if (attribute && nla_len(attribute) > 0)
                (void)nla_strlcpy(ret, attribute, size);
}

/* The bridge's own settings of a port. */
static void parse_port(struct nlattr *data, struct link *link) {
        struct nlattr *attributes[IFLA_BRPORT_MAX + 1];
        struct nlattr *isolated;

        if (!data || nla_parse_nested(attributes, IFLA_BRPORT_MAX, data, NULL) < 0)
                return;
        isolated = attributes[IFLA_BRPORT_ISOLATED];
        link->isolated = isolated && nla_len(isolated) >= 1 && nla_get_u8(isolated) != 0;
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
}

bool netlink_parse_link(struct nl_msg *message, struct link *ret) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[IFLA_MAX + 1], *mac;
        const struct ifinfomsg *ifi;

        if (header->nlmsg_type != RTM_NEWLINK ||
                nlmsg_parse(header, sizeof(*ifi), attributes, IFLA_MAX, NULL) < 0)
                return false;

        ifi = nlmsg_data(header);
        *ret = (struct link){
                .index = ifi->ifi_index,
                .flags = ifi->ifi_flags,
                .group = netlink_get_u32(attributes[IFLA_GROUP]),
                .master = (int)netlink_get_u32(attributes[IFLA_MASTER]),
        };
        get_text(attributes[IFLA_IFNAME], ret->name, sizeof(ret->name));
        parse_kind(attributes[IFLA_LINKINFO], ret);
        mac = attributes[IFLA_ADDRESS];
        if (mac && nla_len(mac) == sizeof(ret->mac.bytes))
                memcpy(ret->mac.bytes, nla_data(mac), sizeof(ret->mac.bytes));
        return true;
}

void *netlink_append(struct netlink_items *items) {
        char *array = reallocarray(items->array, items->n_items + 1, items->item_size);

        if (!array) {
                items->out_of_memory = true;
                return NULL;
        }
        items->array = array;
        return memset(array + items->n_items++ * items->item_size, 0, items->item_size);
}

static int list_once(
        struct link_socket *socket, const struct netlink_question *question, struct netlink_items *items) {
        struct nl_cb *callbacks;
        int r;

        callbacks = nl_cb_alloc(NL_CB_DEFAULT);
        if (!callbacks)
                return -ENOMEM;
        nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, question->read, items);
        nl_cb_err(callbacks, NL_CB_CUSTOM, netlink_keep_error, &socket->error);

        r = nl_send_simple(
                socket->nl, question->type, NLM_F_DUMP, (void *)question->request, question->request_size);
        if (r >= 0)
                r = nl_recvmsgs(socket->nl, callbacks);
        nl_cb_put(callbacks);

        r = netlink_errno(socket, r);
        return r >= 0 && items->out_of_memory ? -ENOMEM : r;
}

int netlink_list(
        struct link_socket *socket, const struct netlink_question *question, struct netlink_items *items) {
        size_t n_before = items->n_items;
        int r = -EAGAIN;

        for (unsigned i = 0; i < LIST_TRIES && r == -EAGAIN; i++) {
                if (i >= LIST_TRIES_AT_ONCE)
                        (void)usleep(LIST_PAUSE_USEC);
                r = list_once(socket, question, items);
                if (r < 0)
                        items->n_items = n_before;
        }
        return r;
}
