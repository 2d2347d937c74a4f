/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests and lists over rtnetlink, for the files beside this one. */

#include <arpa/inet.h>
#include <unistd.h>

#include "mac.h"
#include "netlink.h"
#include "plan.h"

/*
 * How often a list is read again if others change it meanwhile, which happens while a class logs in. After
 * the first tries there is a pause, so that the changes can go on.
 */
#define LIST_TRIES 30U
#define LIST_TRIES_AT_ONCE 5U
#define LIST_PAUSE_USEC 2000

int netlink_send(struct link_socket *socket, struct nl_msg *request) {
        return link_socket_errno(socket, nl_send_sync(socket->nl, request));
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
        nl_cb_err(callbacks, NL_CB_CUSTOM, link_socket_keep_error, &socket->error);

        r = nl_send_auto(socket->nl, question);
        nlmsg_free(question);
        if (r >= 0)
                r = nl_recvmsgs(socket->nl, callbacks);
        nl_cb_put(callbacks);
        if (r >= 0)
                r = nl_wait_for_ack(socket->nl);
        return link_socket_errno(socket, r);
}

struct nl_msg *netlink_new_link(void) {
        return nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
}

/* By hand, as libnl leaves out a peer's group. */
int netlink_put_description(struct nl_msg *message, const char *name, const struct mac *mac) {
        struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};

        if (nlmsg_append(message, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
                nla_put_string(message, IFLA_IFNAME, name) < 0 ||
                nla_put(message, IFLA_ADDRESS, sizeof(mac->bytes), mac->bytes) < 0 ||
                nla_put_u32(message, IFLA_GROUP, COURSENET_LINK_GROUP) < 0)
                return -ENOMEM;
        return 0;
}

int netlink_set_port(struct link_socket *socket, int index, const struct netlink_port_setting *settings,
        size_t n_settings) {
        struct ifinfomsg ifi = {.ifi_family = AF_BRIDGE, .ifi_index = index};
        struct nl_msg *request = nlmsg_alloc_simple(RTM_SETLINK, 0);
        struct nlattr *port = NULL;
        int r = 0;

        if (request && nlmsg_append(request, &ifi, sizeof(ifi), NLMSG_ALIGNTO) >= 0)
                port = nla_nest_start(request, IFLA_PROTINFO | NLA_F_NESTED);
        for (size_t i = 0; port && r >= 0 && i < n_settings; i++)
                r = nla_put_u8(request, settings[i].attribute, settings[i].value);
        if (!port || r < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        nla_nest_end(request, port);
        return netlink_send(socket, request);
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
        return link_socket_errno(socket, rtnl_route_add(socket->nl, route, NLM_F_REPLACE));
}

uint32_t netlink_get_u32(struct nlattr *attribute) {
        if (!attribute || nla_len(attribute) < (int)sizeof(uint32_t))
                return 0;
        return nla_get_u32(attribute);
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

/* Where the kernel does not know the option, it lists more, and the reader leaves that out. */
static void set_strict(struct link_socket *socket, int on) {
        (void)setsockopt(nl_socket_get_fd(socket->nl), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

static int list_once(
        struct link_socket *socket, const struct netlink_question *question, struct netlink_items *items) {
        struct nl_cb *callbacks;
        int r;

        callbacks = nl_cb_alloc(NL_CB_DEFAULT);
        if (!callbacks)
                return -ENOMEM;
        nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, question->read, items);
        nl_cb_err(callbacks, NL_CB_CUSTOM, link_socket_keep_error, &socket->error);

        if (question->strict)
                set_strict(socket, 1);
        r = nl_send_simple(
                socket->nl, question->type, NLM_F_DUMP, (void *)question->request, question->request_size);
        if (question->strict)
                set_strict(socket, 0);
        if (r >= 0)
                r = nl_recvmsgs(socket->nl, callbacks);
        nl_cb_put(callbacks);

        r = link_socket_errno(socket, r);
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
