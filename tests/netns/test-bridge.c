/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* netbr@: one bridge with one address, on a subnet that is free. Links of others are never changed. */

#include "netsetup/firewall/course-rules.h"
#include "netsetup/verbs/bridge.h"
#include "plan.h"
#include "sandbox.h"

static int start(struct sandbox *sandbox, const char *course) {
        return bridge_start(SANDBOX_ETC, course, &sandbox->diagnostics);
}

static int stop(struct sandbox *sandbox, const char *course) {
        return bridge_stop(SANDBOX_ETC, course, &sandbox->diagnostics);
}

/* The host's network card: a veth will do, as not every kernel has dummies. */
static void add_eth0(void) {
        assert_shell("ip link add eth0 type veth peer name cable0 && ip link set eth0 up && ip link set "
                     "cable0 up");
}

static void a_start_makes_the_bridge_and_a_stop_removes_it(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o link show type bridge up group %d | grep -q 'br-123:.*02:63:0a:00:7b:01'",
                COURSENET_LINK_GROUP);
        assert_shell("ip -o -4 addr show dev br-123 | grep -q 'inet 10.0.123.1/24 '");

        assert_int_equal(stop(sandbox, "123"), 0);
        assert_no_shell("ip link show br-123 >/dev/null 2>&1");
        assert_int_equal(stop(sandbox, "123"), 0);
        assert_silence(sandbox);
}

/* There is a flowtable, or a warning that the kernel refuses it and the rules without it. */
static void a_kernel_without_flowtables_refuses_no_bridge(void **state) {
        struct sandbox *sandbox = *state;

        add_eth0();
        configure("coursenet.conf", "[site]\nuplink = eth0, eth9\nflowtable = yes\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell(
                "nft list chain inet coursenet from_seats | grep -q 'ct state established,related accept'");
        if (system("nft list table inet coursenet | grep -q 'flowtable connections'") == 0) {
                assert_shell("nft list table inet coursenet | grep -q 'devices = { br-123, eth0 }'");
                assert_silence(sandbox);
        } else
                assert_warning(sandbox, "flowtable: warning: is left out, so connections of the seats take "
                                        "the usual way: the "
                                        "firewall cannot be set: ");
}

/* What is kept for the time of a mistake in the settings names no device. */
static void without_an_uplink_there_is_no_flowtable(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\nflowtable = yes\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_silence(sandbox);
        assert_shell("grep -q 'chain from_seats' /run/coursenet/courses.nft");
        assert_no_shell("grep flow /run/coursenet/courses.nft");
        assert_shell("nft flush ruleset");
        configure("coursenet.conf", "[site]\nflowtable = maybe\n");
        assert_true(course_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics) < 0);
        assert_shell("nft list chain inet coursenet from_seats >/dev/null");
}

static void a_second_start_changes_nothing(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o addr show dev br-123 scope global >/run/before");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o addr show dev br-123 scope global | cmp - /run/before");
        assert_silence(sandbox);
}

static void a_half_made_bridge_is_completed(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip link add br-123 group %d type bridge", COURSENET_LINK_GROUP);
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o link show up dev br-123 | grep -q 02:63:0a:00:7b:01");
        /* Setting a link up must not take its other flags away. */
        assert_shell("ip -o link show up dev br-123 | grep -q BROADCAST,MULTICAST");
        assert_shell("ip -o -4 addr show dev br-123 | grep -q 'inet 10.0.123.1/24 '");
        assert_silence(sandbox);
}

static void a_changed_address_replaces_the_old_one(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "123"), 0);
        configure("netns/bridge-123.conf", "BR_IP=10.0.123.254\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o -4 addr show dev br-123 | grep -q 'inet 10.0.123.254/24 '");
        assert_shell("test $(ip -o -4 addr show dev br-123 | wc -l) = 1");
        assert_shell("ip -o link show dev br-123 | grep -q 02:63:0a:00:7b:fe");
        assert_silence(sandbox);
}

static void wrong_addresses_go_even_if_the_right_one_hangs_on_them(void **state) {
        struct sandbox *sandbox = *state;

        /*
         * 10.0.123.1 is a secondary of 10.0.123.9 here and goes with it; 10.0.123.1/16 is the same with
         * another prefix.
         */
        assert_shell("ip link add br-123 up group %d type bridge", COURSENET_LINK_GROUP);
        assert_shell("ip addr add 10.0.123.9/24 dev br-123 && ip addr add 10.0.123.1/24 dev br-123");
        assert_shell("ip addr add 10.0.123.1/16 dev br-123");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("test \"$(ip -o -4 addr show dev br-123 | awk '{print $4}')\" = 10.0.123.1/24");
        assert_silence(sandbox);
}

static void a_foreign_bridge_is_left_as_it_is(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip link add br-123 type bridge && ip -d -o link show br-123 >/run/before");
        assert_int_equal(start(sandbox, "123"), -EEXIST);
        assert_error(sandbox, "br-123: exists already and was not made by coursenet");
        assert_int_equal(stop(sandbox, "123"), -EEXIST);
        assert_error(sandbox, "br-123: was not made by coursenet and is left as it is");
        assert_shell("ip link show br-123 | grep -q DOWN");
        assert_no_shell("ip -o addr show dev br-123 | grep -q 'inet '");
}

static void a_link_of_another_kind_is_foreign_even_in_our_group(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip link add br-123 group %d type veth peer name other", COURSENET_LINK_GROUP);
        assert_int_equal(start(sandbox, "123"), -EEXIST);
        assert_int_equal(stop(sandbox, "123"), -EEXIST);
        assert_shell("ip link show type veth | grep -q br-123");
}

static void an_alternative_name_counts_as_taken(void **state) {
        struct sandbox *sandbox = *state;

        add_eth0();
        assert_shell("ip link property add dev eth0 altname br-123");
        assert_int_equal(start(sandbox, "123"), -EEXIST);
        assert_int_equal(stop(sandbox, "123"), -EEXIST);
        assert_shell("ip link show eth0 >/dev/null");
}

static void a_connected_network_is_refused(void **state) {
        static const char *const addresses[] = {
                "10.0.123.7/24",
                "10.0.200.1/16",
                "10.0.123.130/25",
                "10.0.123.5/32",
                "192.0.2.1 peer 10.0.123.5/32",
        };
        struct sandbox *sandbox = *state;

        add_eth0();
        for (size_t i = 0; i < ELEMENTSOF(addresses); i++) {
                assert_shell("ip addr add %s dev eth0", addresses[i]);
                assert_int_equal(start(sandbox, "123"), -EADDRINUSE);
                assert_error(sandbox, "br-123: its subnet (10.0.123.1/24) overlaps with the network 10.0.");
                assert_error(sandbox, " on eth0: give course 123 another one");
                assert_no_shell("ip link show br-123 >/dev/null 2>&1");
                assert_shell("ip addr flush dev eth0");
                diagnostics_done(&sandbox->diagnostics);
        }

        assert_shell("ip addr add 10.0.124.1/24 dev eth0");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_silence(sandbox);
}

static void an_ipv6_network_or_route_is_refused_too(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\nnetwork6 = 2001:db8:42::/48\n");
        add_eth0();
        assert_shell("ip -6 addr add 2001:db8:42:123::7/64 dev eth0 nodad");
        assert_int_equal(start(sandbox, "123"), -EADDRINUSE);
        assert_error(sandbox, "br-123: its subnet (2001:db8:42:123::1/64) overlaps with the network "
                              "2001:db8:42:123::7/64 on eth0");
        diagnostics_done(&sandbox->diagnostics);
        assert_shell(
                "ip -6 addr flush dev eth0 scope global; ip -6 route add 2001:db8:42:123:1::/80 dev eth0");
        assert_int_equal(start(sandbox, "123"), -EADDRINUSE);
        assert_error(sandbox, "overlaps with the route 2001:db8:42:123:1::/80 on eth0");
        diagnostics_done(&sandbox->diagnostics);
        assert_shell(
                "ip -6 route del 2001:db8:42:123:1::/80 dev eth0; ip -6 route add 2001:db8:42::/48 dev eth0");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_warning(sandbox, "2001:db8:42::/48");
}

static void a_start_removes_the_former_ipv6_address(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\nnetwork6 = 2001:db8:42::/48\n");
        assert_int_equal(start(sandbox, "123"), 0);
        configure("coursenet.conf", "[site]\nnetwork6 = 2001:db8:43::/48\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -6 addr show dev br-123 | grep -q 2001:db8:43:123::1/64");
        assert_no_shell("ip -6 addr show dev br-123 | grep -q 2001:db8:42:");
}

static void another_courses_bridge_is_a_connected_network_too(void **state) {
        struct sandbox *sandbox = *state;

        configure("netns/bridge-124.conf", "BR_IP=10.0.123.129/25\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_int_equal(start(sandbox, "124"), -EADDRINUSE);
        assert_error(sandbox,
                "br-124: its subnet (10.0.123.129/25) overlaps with the network 10.0.123.1/24 on br-123");
}

static void an_equal_or_more_specific_route_is_refused(void **state) {
        static const char *const routes[] = {
                "10.0.123.0/24 dev eth0",
                "10.0.123.64/26 via 192.0.2.9",
                "10.0.123.99 dev eth0 table 77",
                "blackhole 10.0.123.0/25",
                "10.0.123.0/24 nexthop via 192.0.2.8 nexthop via 192.0.2.9",
        };
        struct sandbox *sandbox = *state;

        add_eth0();
        assert_shell("ip addr add 192.0.2.1/24 dev eth0");
        for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
                assert_shell("ip route add %s", routes[i]);
                assert_int_equal(start(sandbox, "123"), -EADDRINUSE);
                assert_error(sandbox, "br-123: its subnet (10.0.123.1/24) overlaps with the route 10.0.123.");
                assert_error(sandbox, strstr(routes[i], "blackhole") ? "on no interface" : "on eth0");
                assert_no_shell("ip link show br-123 >/dev/null 2>&1");
                assert_shell("ip route del %s", routes[i]);
                diagnostics_done(&sandbox->diagnostics);
        }
}

static void a_wider_route_is_a_warning_and_the_default_route_is_none(void **state) {
        struct sandbox *sandbox = *state;

        add_eth0();
        assert_shell("ip addr add 192.0.2.1/24 dev eth0");
        assert_shell("ip route add default via 192.0.2.254");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_silence(sandbox);

        assert_shell("ip route add 10.0.0.0/8 via 192.0.2.254");
        assert_int_equal(start(sandbox, "124"), 0);
        assert_warning(sandbox,
                "br-124: warning: its subnet (10.0.124.1/24) lies within the route 10.0.0.0/8 on eth0");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

static void routes_by_our_own_bridge_do_not_count(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip route add 10.0.123.128/25 via 10.0.123.10");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_silence(sandbox);
}

static void many_routes_are_all_seen(void **state) {
        struct sandbox *sandbox = *state;

        /* More than fits into one of the kernel's messages, and the one that matters comes late. */
        add_eth0();
        assert_shell(
                "i=0; while [ $i -lt 5000 ]; do echo route add 11.$((i / 250)).$((i %% 250)).0/24 dev eth0; "
                "i=$((i+1)); "
                "done >/run/batch; echo route add 250.0.0.0/24 dev eth0 >>/run/batch; ip -batch /run/batch");
        configure("coursenet.conf", "[course 123]\nsubnet = 250.0.0.0/24\n");
        assert_int_equal(start(sandbox, "123"), -EADDRINUSE);
        assert_error(sandbox, "the route 250.0.0.0/24 on eth0");
}

static void four_digit_courses_have_their_place(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\ncourse-digits = 4\n");
        assert_int_equal(start(sandbox, "1234"), 0);
        assert_shell("ip -o -4 addr show dev br-1234 | grep -q 'inet 10.4.210.1/24 '");
        assert_int_equal(stop(sandbox, "1234"), 0);
        assert_silence(sandbox);
}

static void br_ip_may_have_a_prefix(void **state) {
        struct sandbox *sandbox = *state;

        configure("netns/bridge-123.conf", "BR_IP=172.16.5.1/22\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o -4 addr show dev br-123 | grep -q 'inet 172.16.5.1/22 '");
        assert_silence(sandbox);
}

static void every_mistake_in_the_configuration_is_said(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\nprefix = 99\ncolour = green\n");
        assert_int_equal(start(sandbox, "123"), -EINVAL);
        assert_error(sandbox, "coursenet.conf:2: prefix = 99");
        assert_error(sandbox, "coursenet.conf:3: unknown setting 'colour'");

        configure("coursenet.conf", "");
        configure("netns/bridge-123.conf", "BR_IP=ten\n");
        assert_int_equal(start(sandbox, "123"), -EINVAL);
        assert_error(sandbox, "netns/bridge-123.conf:1: BR_IP=ten");
        assert_no_shell("ip link show br-123 >/dev/null 2>&1");

        /* A stop does not care. */
        assert_int_equal(stop(sandbox, "123"), 0);
}

static void what_can_be_no_course_is_refused(void **state) {
        static const char *const courses[] = {"", "12", "1234", "12a", "../1", "1 3", "-12", "１２３"};
        struct sandbox *sandbox = *state;

        for (size_t i = 0; i < ELEMENTSOF(courses); i++)
                assert_int_equal(start(sandbox, courses[i]), -EINVAL);
        assert_int_equal(stop(sandbox, ""), -EINVAL);
        assert_int_equal(stop(sandbox, "12a"), -EINVAL);
        assert_int_equal(stop(sandbox, "1234567"), -EINVAL);
        assert_error(sandbox, "1234567: expected a course number, such as 123");
}

/* A package that somebody removed: nothing is left of the bridge, and one knows why. */
static void without_libnftables_there_is_no_bridge(void **state) {
        (void)state;
        assert_shell(
                "mount --bind /dev/null $(ldconfig -p | sed -n 's/.*libnftables.so.1 .*=> //p' | head -n 1)");
        assert_shell("! " BUILD_DIRECTORY "/coursenet-net bridge start 123 2>/run/said");
        assert_shell("grep -q 'the firewall cannot be set: .*libnftables.so.1' /run/said");
        assert_no_shell("ip link show br-123 2>/dev/null");
}

static void start_123(struct sandbox *sandbox) {
        (void)start(sandbox, "123");
}

static void stop_123_twice(struct sandbox *sandbox) {
        assert_int_equal(stop(sandbox, "123"), 0);
        assert_int_equal(stop(sandbox, "123"), 0);
        assert_no_shell("ip link show br-123 >/dev/null 2>&1");
}

static void start_123_again(struct sandbox *sandbox) {
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o -4 addr show dev br-123 up | grep -q 'inet 10.0.123.1/24 '");
        stop_123_twice(sandbox);
}

static void a_start_that_is_killed_leaves_nothing_that_disturbs(void **state) {
        kill_at_every_point(start_123, stop_123_twice, *state);
        kill_at_every_point(start_123, start_123_again, *state);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_start_makes_the_bridge_and_a_stop_removes_it),
                sandbox_test(a_kernel_without_flowtables_refuses_no_bridge),
                sandbox_test(without_an_uplink_there_is_no_flowtable),
                sandbox_test(a_second_start_changes_nothing),
                sandbox_test(a_half_made_bridge_is_completed),
                sandbox_test(a_changed_address_replaces_the_old_one),
                sandbox_test(wrong_addresses_go_even_if_the_right_one_hangs_on_them),
                sandbox_test(a_foreign_bridge_is_left_as_it_is),
                sandbox_test(a_link_of_another_kind_is_foreign_even_in_our_group),
                sandbox_test(an_alternative_name_counts_as_taken),
                sandbox_test(a_connected_network_is_refused),
                sandbox_test(another_courses_bridge_is_a_connected_network_too),
                sandbox_test(a_start_removes_the_former_ipv6_address),
                sandbox_test(an_ipv6_network_or_route_is_refused_too),
                sandbox_test(an_equal_or_more_specific_route_is_refused),
                sandbox_test(a_wider_route_is_a_warning_and_the_default_route_is_none),
                sandbox_test(routes_by_our_own_bridge_do_not_count),
                sandbox_test(many_routes_are_all_seen),
                sandbox_test(four_digit_courses_have_their_place),
                sandbox_test(br_ip_may_have_a_prefix),
                sandbox_test(every_mistake_in_the_configuration_is_said),
                sandbox_test(what_can_be_no_course_is_refused),
                sandbox_test(without_libnftables_there_is_no_bridge),
                sandbox_test(a_start_that_is_killed_leaves_nothing_that_disturbs),
        };

        return cmocka_run_group_tests_name("bridge", tests, NULL, NULL);
}
