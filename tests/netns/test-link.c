/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What link.h promises of addresses, routes and lists, beyond what bridges and seats need of it. */

#include "link-world.h"

#include <dlfcn.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <sys/socket.h>

#include "netsetup/firewall/seat-rules.h"

struct nl_sock;
struct nl_cb;
int nl_recvmsgs(struct nl_sock *nl, struct nl_cb *callbacks);

static struct address6 parse6(const char *text) {
        struct address6 address;

        assert_int_equal(address6_parse(text, 64, &address), 0);
        return address;
}

static void make_dummy(const char *name) {
        assert_shell("ip link add %s up type bridge", name);
}

static void an_ipv6_address_works_at_once_and_goes_again(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct address6 address = parse6("fd00:123::1/64");

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(link_add_address6(&socket, index_of("d0"), &address), 0);
        assert_shell("ip -6 -o addr show dev d0 | grep -q 'inet6 fd00:123::1/64 scope global nodad'");
        assert_no_shell("ip -6 -o addr show dev d0 scope global | grep -q tentative");

        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(link_delete_address6(&socket, index_of("d0"), &address), 0);
        assert_no_shell("ip -6 -o addr show dev d0 | grep -q fd00");
}

static void an_interface_without_ipv6_takes_no_address(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct address6 address = parse6("fd00:123::1/64"), gateway = parse6("fd00:123::2");

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        assert_shell("sysctl -qw net.ipv6.conf.d0.disable_ipv6=1");
        assert_int_equal(link_add_address6(&socket, index_of("d0"), &address), -EACCES);
        assert_int_equal(link_add_default_route6(&socket, index_of("d0"), &gateway), -EHOSTUNREACH);
        assert_int_equal(link_delete_address6(&socket, index_of("d0"), &address), 0);
}

static void an_interface_that_is_not_there_is_told(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct address6 address = parse6("fd00:123::1/64");
        struct link link;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        assert_int_equal(link_add_address6(&socket, 4711, &address), -ENODEV);
        assert_int_equal(link_delete_address6(&socket, 4711, &address), 0);
        assert_int_equal(link_get(&socket, 4711, &link), -ENODEV);
        assert_int_equal(link_find(&socket, "nobody", NULL, &link), LINK_ABSENT);
}

static void senders_of_the_loopback_are_let_in_on_one_interface(void **state) {
        static const char *const names[] = {"route_localnet", "accept_local"};
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        make_dummy("d1");
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(link_allow_loopback_senders(&socket, index_of("d0")), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_shell(
                        "test \"$(cd /proc/sys/net/ipv4/conf && cat d0/%s d1/%s all/%s default/%s | tr -d "
                        "'\\n')\" = 1000",
                        names[i], names[i], names[i], names[i]);
        assert_int_equal(link_allow_loopback_senders(&socket, 4711), -ENODEV);
}

/* What the kernel has told everybody of a link; it does so before it answers. */
static unsigned count_news(int fd, int index) {
        char bytes[32768];
        unsigned n = 0;
        ssize_t size;

        while ((size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
                const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)bytes;
                const struct ifinfomsg *link = NLMSG_DATA(header);

                assert_true(NLMSG_OK(header, (size_t)size));
                n += header->nlmsg_type == RTM_NEWLINK && link->ifi_family == AF_UNSPEC &&
                     link->ifi_index == index;
        }
        return n;
}

static void a_link_of_ours_that_is_set_up_is_one_piece_of_news(void **state) {
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
        _cleanup_link_socket_ struct link_socket links = {0};
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        struct link lo;

        (void)state;
        assert_int_equal(link_open(&links), 0);
        assert_int_equal(link_find(&links, "lo", NULL, &lo), LINK_FOREIGN);
        assert_int_equal(link_bring_up(&links, &lo, NULL), 0);
        assert_shell("ip link set lo down");
        assert_int_equal(link_find(&links, "lo", NULL, &lo), LINK_OURS);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(link_bring_up(&links, &lo, NULL), 0);
        assert_int_equal(count_news(fd, lo.index), 1);
        assert_shell("ip -o link show lo up group %d | grep -q .", COURSENET_LINK_GROUP);
}

static void an_ipv6_default_route_takes_the_place_of_another(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct address6 address = parse6("fd00:123::10/64"), gateway = parse6("fd00:123::1");
        struct address6 far = parse6("fd00:456::1");

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        assert_int_equal(link_add_address6(&socket, index_of("d0"), &address), 0);
        assert_int_equal(link_add_default_route6(&socket, index_of("d0"), &far), -EHOSTUNREACH);
        assert_shell("ip -6 route add default via fd00:123::99 dev d0");
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(link_add_default_route6(&socket, index_of("d0"), &gateway), 0);
        assert_shell("ip -6 route show default | grep -q '^default via fd00:123::1 dev d0 '");
        assert_shell("test $(ip -6 route show default | wc -l) = 1");
}

static void an_ipv4_default_route_may_be_there_already(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        assert_shell("ip addr add 10.0.123.10/24 dev d0");
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(
                        link_add_default_route(&socket, index_of("d0"), 10U << 24 | 123U << 8 | 1U), 0);
        assert_shell("ip route show default | grep -qx 'default via 10.0.123.1 dev d0 proto static *'");
}

static bool has_network6(const struct link_networks6 *networks, const char *name, const char *text) {
        char found[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < networks->n_items; i++) {
                address6_format(&networks->items[i].address, found);
                if (networks->items[i].index == (name ? index_of(name) : 0) && string_equal(found, text))
                        return true;
        }
        return false;
}

static void ipv6_addresses_are_listed_without_link_local_ones(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_link_networks6_ struct link_networks6 networks = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        make_dummy("d1");
        assert_shell("ip link set lo up && ip addr add 10.0.0.1/24 dev d0");
        assert_shell(
                "ip addr add fd00:1::1/64 dev d0 && ip addr add 2001:db8::1 peer 2001:db8:1::/48 dev d1");
        assert_shell("ip -6 addr show dev d0 | grep -q fe80");
        assert_int_equal(link_list_addresses6(&socket, &networks), 0);
        assert_true(has_network6(&networks, "d0", "fd00:1::1/64"));
        assert_true(has_network6(&networks, "d1", "2001:db8::1/128"));
        assert_true(has_network6(&networks, "d1", "2001:db8:1::/48"));
        assert_int_equal(networks.n_items, 3);
}

static void ipv6_routes_that_overlap_are_listed(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        struct address6 subnet = parse6("fd00:123::1/64");

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        make_dummy("d1");
        assert_shell("ip addr add fd00:123::1/64 dev d0 nodad && ip addr add fd00:9::1/64 dev d0 nodad");
        assert_shell("ip -6 route add fd00::/16 dev d1 && ip -6 route add fd00:124::/64 dev d1");
        assert_shell("ip -6 route add fd00:123:0:0:8000::/65 dev d1 table 77");
        assert_shell("ip -6 route add default via fd00:123::2");
        assert_shell(
                "ip -6 route add fd00:120::/28 nexthop via fd00:9::2 dev d0 nexthop via fd00:9::3 dev d0");
        assert_int_equal(link_list_routes6(&socket, &subnet, &networks), 0);
        assert_true(has_network6(&networks, "d0", "fd00:123::/64"));
        assert_true(has_network6(&networks, "d1", "fd00::/16"));
        assert_true(has_network6(&networks, "d1", "fd00:123:0:0:8000::/65"));
        assert_true(has_network6(&networks, "d0", "fd00:120::/28"));
        assert_int_equal(networks.n_items, 4);
}

static void a_route_is_never_link_local_or_multicast(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        struct address6 everything = {.prefix = 0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        assert_shell("ip addr add fd00:123::1/64 dev d0 nodad");
        assert_int_equal(link_list_routes6(&socket, &everything, &networks), 0);
        assert_int_equal(networks.n_items, 1);
}

static bool has_link(const struct links *links, const char *name) {
        for (size_t i = 0; i < links->n_items; i++)
                if (string_equal(links->items[i].name, name))
                        return links->items[i].index == index_of(name);
        return false;
}

static void default_routes_of_the_main_table_are_followed(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links links = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        assert_shell("for d in d0 d1 d2 d3 d4 d5 d6 d7 d8; do ip link add $d up type bridge; done; "
                     "ip link set lo up; ip addr add 10.0.0.1/24 dev d0; ip addr add 10.0.1.1/24 dev d1");
        assert_shell("ip route add default via 10.0.0.2; ip route add default via 10.0.0.3 metric 9");
        assert_shell("ip route add default metric 5 nexthop dev d1 nexthop dev d2");
        assert_shell("ip route add default dev d3 table 51820; ip route add default dev d7 table 5000000");
        assert_shell("ip route add unreachable default metric 99; ip route add blackhole default table 9");
        assert_shell("ip -6 route add default dev d4; ip -6 route add unreachable default metric 99");
        assert_shell("ip addr add fd00:5::1/64 dev d5 nodad && ip addr add fd00:6::1/64 dev d0 nodad && "
                     "ip -6 route add default table 78 nexthop via fd00:6::2 nexthop via fd00:5::2");
        assert_shell("ip route add default dev lo table 10; ip route add 10.2.0.0/16 dev d6");
        assert_shell("ip route add 128.0.0.0/1 dev d8");
        assert_int_equal(link_list_default_interfaces(&socket, &links), 0);
        for (const char *const *name = (const char *const[]){"d0", "d1", "d2", "d4", "d8", NULL}; *name;
                name++)
                assert_true(has_link(&links, *name));
        assert_int_equal(links.n_items, 5);
}

static void a_host_without_default_routes_has_no_default_interface(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links links = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        assert_shell("ip addr add 10.0.0.1/24 dev d0");
        assert_int_equal(link_list_default_interfaces(&socket, &links), 0);
        assert_int_equal(links.n_items, 0);
}

static void only_links_of_ours_and_of_the_kind_are_listed(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links bridges = {0}, cables = {0}, none = {0};
        const struct link *link;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_shell("ip link add other type bridge && ip link add va type veth peer name vb");
        assert_shell("ip link set vl-12310 address 06:63:0a:00:7b:0a");
        assert_int_equal(link_list_ours(&socket, "bridge", &bridges), 0);
        assert_int_equal(bridges.n_items, 1);
        assert_string_equal(bridges.items[0].name, "br-123");
        assert_int_equal(bridges.items[0].master, 0);

        assert_int_equal(link_list_ours(&socket, "veth", &cables), 0);
        assert_int_equal(cables.n_items, 1);
        link = &cables.items[0];
        assert_string_equal(link->name, "vl-12310");
        assert_string_equal(link->kind, "veth");
        assert_int_equal(link->index, index_of("vl-12310"));
        assert_int_equal(link->master, index_of("br-123"));
        assert_true(link->flags & IFF_UP);
        assert_memory_equal(link->mac.bytes, "\x06\x63\x0a\x00\x7b\x0a", 6);
        assert_int_equal(link_list_ours(&socket, "ifb", &none), 0);
        assert_int_equal(none.n_items, 0);
}

static void a_thousand_links_are_listed(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links links = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        /* Cables, because the kernel takes 20 ms to remove a bridge, and the next test waits for that. */
        assert_shell("for i in $(seq 500); do echo link add a$i group %d type veth peer name b$i group %d; "
                     "done | ip -b -",
                COURSENET_LINK_GROUP, COURSENET_LINK_GROUP);
        assert_int_equal(link_list_ours(&socket, "veth", &links), 0);
        assert_int_equal(links.n_items, 1000);
}

static void a_port_can_be_isolated_and_joined_again(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct link link;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(link_set_isolated(&socket, index_of("vl-12310"), true), 0);
        assert_shell("bridge -d link show dev vl-12310 | grep -q 'isolated on'");
        assert_int_equal(link_find(&socket, "vl-12310", "veth", &link), LINK_OURS);
        assert_true(link.isolated);

        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(link_set_isolated(&socket, index_of("vl-12310"), false), 0);
        assert_shell("bridge -d link show dev vl-12310 | grep -q 'isolated off'");
        assert_int_equal(link_find(&socket, "vl-12310", "veth", &link), LINK_OURS);
        assert_false(link.isolated);
        /* Nothing else has changed. */
        assert_shell("bridge -d link show dev vl-12310 | grep -q 'learning on flood on'");
}

static void what_is_no_port_cannot_be_isolated(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        assert_int_equal(link_set_isolated(&socket, index_of("d0"), true), -EOPNOTSUPP);
        assert_int_equal(link_set_isolated(&socket, 4711, true), -ENODEV);
}

/* How many more dumps end as one does that others have changed meanwhile. */
static unsigned interruptions;

int nl_recvmsgs(struct nl_sock *nl, struct nl_cb *callbacks) {
        int (*next)(struct nl_sock * nl, struct nl_cb * callbacks), r;

        *(void **)&next = dlsym(RTLD_NEXT, "nl_recvmsgs");
        r = next(nl, callbacks);
        if (interruptions == 0)
                return r;
        interruptions--;
        return -NLE_DUMP_INTR;
}

static void a_list_that_others_change_is_asked_for_again(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links links = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_dummy("d0");
        interruptions = 20;
        assert_int_equal(link_list_kind(&socket, "bridge", &links), 0);
        assert_int_equal(interruptions, 0);
        assert_int_equal(links.n_items, 1);

        /* But not for ever. */
        links_done(&links);
        interruptions = UINT_MAX;
        assert_int_equal(link_list_kind(&socket, "bridge", &links), -EAGAIN);
        interruptions = 0;
}

static void seats_are_looked_at_again_when_their_list_was_never_whole(void **state) {
        struct sandbox *sandbox = *state;
        unsigned one_list;

        interruptions = 1000;
        {
                _cleanup_link_socket_ struct link_socket socket = {0};
                _cleanup_links_ struct links links = {0};

                assert_int_equal(link_open(&socket), 0);
                assert_int_equal(link_list_kind(&socket, "veth", &links), -EAGAIN);
        }
        one_list = 1000 - interruptions;
        interruptions = 3 * one_list;
        assert_int_equal(seat_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
        assert_int_equal(interruptions, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(an_ipv6_address_works_at_once_and_goes_again),
                sandbox_test(an_interface_without_ipv6_takes_no_address),
                sandbox_test(an_interface_that_is_not_there_is_told),
                sandbox_test(senders_of_the_loopback_are_let_in_on_one_interface),
                sandbox_test(a_link_of_ours_that_is_set_up_is_one_piece_of_news),
                sandbox_test(an_ipv6_default_route_takes_the_place_of_another),
                sandbox_test(an_ipv4_default_route_may_be_there_already),
                sandbox_test(ipv6_addresses_are_listed_without_link_local_ones),
                sandbox_test(ipv6_routes_that_overlap_are_listed),
                sandbox_test(a_route_is_never_link_local_or_multicast),
                sandbox_test(default_routes_of_the_main_table_are_followed),
                sandbox_test(a_host_without_default_routes_has_no_default_interface),
                sandbox_test(only_links_of_ours_and_of_the_kind_are_listed),
                sandbox_test(a_thousand_links_are_listed),
                sandbox_test(a_port_can_be_isolated_and_joined_again),
                sandbox_test(what_is_no_port_cannot_be_isolated),
                sandbox_test(a_list_that_others_change_is_asked_for_again),
                sandbox_test(seats_are_looked_at_again_when_their_list_was_never_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
