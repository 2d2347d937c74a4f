/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* netbr@ of a spread course: the bridge is one network with that of another member. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "netsetup/check/inspect.h"
#include "netsetup/check/teardown.h"
#include "netsetup/verbs/receipt.h"
#include "stretch-world.h"

static int start(struct sandbox *sandbox, const char *course) {
        return bridge_start(SANDBOX_ETC, course, &sandbox->diagnostics);
}

static int stop(struct sandbox *sandbox, const char *course) {
        return bridge_stop(SANDBOX_ETC, course, &sandbox->diagnostics);
}

static void start_seat(struct sandbox *sandbox, const char *seat) {
        set_deadline(3600);
        give_claim(seat);
        assert_int_equal(netns_start(SANDBOX_ETC, seat, &sandbox->diagnostics), 0);
        assert_int_equal(seat_start(SANDBOX_ETC, seat, &sandbox->diagnostics), 0);
}

#define assert_nothing_is_left() assert_no_shell("ip -o link show group %d | grep .", COURSENET_LINK_GROUP)

static void the_link_comes_and_goes_with_the_bridge(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_silence(sandbox);
        assert_shell("ip -d -o link show up group %d master br-123 type vxlan | grep vx-123: | "
                     "grep 'mtu 1450 ' | grep -q 'vxlan id 100123 local 192.0.2.1 .*dstport 4789 nolearning'",
                COURSENET_LINK_GROUP);
        assert_shell(
                "bridge -d link show dev vx-123 | grep -q 'learning off .*neigh_suppress on .*isolated off'");
        assert_shell("ip -o link show up dev br-123 | grep -q 'mtu 1450 '");
        assert_shell("test -z \"$(ip -o address show dev vx-123)\"");
        /* What the cables learn must not be static: FRR would take it for what cannot move. */
        assert_no_shell("bridge fdb show br br-123 | grep -v 'permanent\\|extern_learn' | grep static");

        assert_int_equal(stop(sandbox, "123"), 0);
        assert_nothing_is_left();
        assert_int_equal(stop(sandbox, "123"), 0);
        assert_silence(sandbox);
}

static void a_course_that_is_not_spread_has_none(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "124"), 0);
        assert_no_shell("ip -o link show type vxlan | grep .");
        assert_shell("ip -o link show dev br-124 | grep -q 'mtu 1500 '");
        assert_silence(sandbox);
}

static void isolated_seats_are_isolated_from_other_members(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("isolation = seat\nvni = 77\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("bridge -d link show dev vx-123 | grep -q 'isolated on'");
        assert_shell("ip -d -o link show vx-123 | grep -q 'vxlan id 77 '");

        configure_spread("isolation = course\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("bridge -d link show dev vx-123 | grep -q 'isolated off'");
        assert_silence(sandbox);
}

static void a_second_start_changes_nothing(void **state) {
        struct sandbox *sandbox = *state;
        unsigned index;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        index = if_nametoindex("vx-123");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_true(index > 0 && if_nametoindex("vx-123") == index);
        assert_silence(sandbox);
}

static void a_link_that_is_missing_or_differs_is_repaired(void **state) {
        static const char *const breakages[] = {
                "ip link del vx-123",
                "ip link set vx-123 down",
                "ip link set vx-123 nomaster",
                "ip link set vx-123 mtu 1500",
                "bridge link set dev vx-123 learning on",
                "bridge link set dev vx-123 neigh_suppress off",
                "bridge link set dev vx-123 isolated on",
                "ip link del vx-123 && ip link add vx-123 up group 25454 master br-123 type vxlan id 9 "
                "local 192.0.2.1 dstport 4789 nolearning",
                "ip link del vx-123 && ip link add vx-123 up group 25454 master br-123 type vxlan id 100123 "
                "local 192.0.2.9 dstport 4789 nolearning",
                "ip link del vx-123 && ip link add vx-123 up group 25454 master br-123 type vxlan id 100123 "
                "local 192.0.2.1 dstport 8472 nolearning",
                "ip link set vx-123 type vxlan learning",
        };
        static const char shown[] =
                "(ip -d -o link show vx-123; bridge -d link show dev vx-123) | "
                "sed 's/^[0-9]*: //; s/ state [a-z]*//; s/8[0-9.]*:.*//' | tr -s ' ' '\\n' | "
                "grep -E '^(UP|vxlan|id|1[0-9]*|local|192.*|dstport|(no)?learning|on|off|"
                "mtu|master|br-123)$'";
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("%s >/run/before", shown);
        assert_shell("grep -q 100123 /run/before");
        for (size_t i = 0; i < ELEMENTSOF(breakages); i++) {
                assert_shell("%s", breakages[i]);
                diagnostics_done(&sandbox->diagnostics);
                if (i % 4 == 0) {
                        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
                        assert_int_equal(sandbox->diagnostics.n_errors, 1);
                        assert_error(sandbox, "coursenet-net bridge start 123");
                }
                diagnostics_done(&sandbox->diagnostics);
                assert_int_equal(start(sandbox, "123"), 0);
                assert_silence(sandbox);
                assert_shell("%s | diff /run/before -", shown);
        }
}

/* Its settings were edited while it was up. */
static void a_course_that_is_not_spread_any_more_loses_it(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        configure("coursenet.conf", SPREAD_SETTINGS);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_warning(sandbox,
                "br-123: warning: is one network with the other members, while the settings have "
                "spread = no now");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_no_shell("ip link show vx-123 2>/dev/null");
        assert_shell("ip -o link show up dev br-123 | grep -q br-123");
}

static void an_address_that_no_interface_has_is_told(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        assert_shell("ip addr del 192.0.2.1/24 dev eth0");
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), -EADDRNOTAVAIL);
        assert_error(sandbox, "br-123: no interface has 192.0.2.1, the address of this server in members of "
                              "[hosts]: correct members or host-name in coursenet.conf");
        assert_nothing_is_left();
}

static void a_server_that_is_no_member_is_told(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure("coursenet.conf", "[hosts]\nmembers = hostb=192.0.2.2\nhost-name = hostc\n"
                                    "store = http://127.0.0.1:2379\n[course 123]\nspread = yes\n"
                                    "subnet6 = fd12::/64\n");
        assert_int_equal(start(sandbox, "123"), -ENOENT);
        assert_error(sandbox, "course 123: this server, hostc, is not among the members of [hosts]");
        assert_nothing_is_left();
}

static void a_foreign_link_is_left_as_it_is(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_shell("ip link add vx-123 type vxlan id 5 dstport 8472 local 192.0.2.1");
        assert_int_equal(start(sandbox, "123"), -EEXIST);
        assert_error(sandbox, "vx-123: exists already and was not made by coursenet");
        assert_int_equal(stop(sandbox, "123"), 0);
        assert_shell("ip -d link show vx-123 | grep -q 'vxlan id 5 '");
        assert_nothing_is_left();
}

static void a_number_that_another_link_has_is_told(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_shell("ip link add other type vxlan id 100123 dstport 4789 local 192.0.2.1");
        assert_int_equal(start(sandbox, "123"), -EEXIST);
        assert_error(sandbox, "vx-123: another link has VNI 100123 on port 4789");
        assert_nothing_is_left();
}

/* It is no port that only root may have. */
static void a_program_that_has_the_port_is_told(void **state) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(4789)};
        struct sandbox *sandbox = *state;
        int fd;

        make_underlay();
        configure_spread("");
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        assert_int_equal(start(sandbox, "123"), -EADDRINUSE);
        assert_error(sandbox, "vx-123: a program of this server has UDP port 4789");
        assert_nothing_is_left();
        (void)close(fd);
        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(start(sandbox, "123"), 0);
}

static void the_mtu_is_that_of_the_underlay(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        assert_shell("ip link set eth0 mtu 9000");
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        start_seat(sandbox, "12310");
        assert_shell("ip -o link show vx-123 | grep -q 'mtu 8950 '");
        assert_shell("ip -o link show br-123 | grep -q 'mtu 8950 '");
        assert_shell("ip -o link show vl-12310 | grep -q 'mtu 8950 '");
        assert_shell("ip -n ns12310 -o link show vr-12310 | grep -q 'mtu 8950 '");
        assert_silence(sandbox);
}

static void an_address_on_the_loopback_has_the_mtu_of_ethernet(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        assert_shell("ip addr flush dev eth0 && ip addr add 192.0.2.1/32 dev lo");
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o link show vx-123 | grep -q 'mtu 1450 '");
        assert_silence(sandbox);
}

static void seats_of_two_members_reach_each_other(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        make_hostb();
        start_seat(sandbox, "12310");
        assert_silence(sandbox);
        assert_shell("ip netns exec ns12310 ping -q -c 1 -W 5 -M do -s 1422 10.0.123.11 >/dev/null");
        assert_no_shell("ip netns exec ns12310 ping -q -c 1 -W 1 -M do -s 1423 10.0.123.11 >/dev/null 2>&1");
        assert_shell("ip netns exec seatb ping -q -c 1 -W 5 -M do -s 1422 10.0.123.10 >/dev/null");
        assert_shell("ip netns exec ns12310 ping -q -c 1 -W 5 fd12:3456:789a:123::11 >/dev/null");
        /* Nothing was learnt from frames of the other member. */
        assert_no_shell("bridge fdb show br br-123 | grep 02:63:0a:00:7b:0b");
        assert_shell("bridge fdb show br br-123 | grep '^02:63:0a:00:7b:0a dev vl-12310 ' | grep -qv static");
}

/* --- the worker ---------------------------------------------------------------------------------------- */

static void load_plan(struct bridge_plan *ret, struct sandbox *sandbox) {
        _cleanup_settings_ struct settings settings = {0};

        assert_int_equal(settings_load(SANDBOX_ETC, &settings, &sandbox->diagnostics), 0);
        assert_int_equal(bridge_plan_load(SANDBOX_ETC, &settings, "123", ret, &sandbox->diagnostics), 0);
}

static void what_the_worker_has_made_is_adopted(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plan;
        unsigned index;

        make_underlay();
        configure_spread("");
        load_plan(&plan, sandbox);
        assert_int_equal(bridge_prepare(SANDBOX_ETC, &plan, &sandbox->diagnostics), 0);
        index = if_nametoindex("vx-123");
        assert_true(index > 0);
        assert_shell("grep -q 'vx-123, index .*, up, on .*, 100123 from 192.0.2.1:4789, mtu "
                     "1450' " PREPARED_DIRECTORY "/netbr@123");
        /* The index would stay either way: a start that adopts does not write the rules again. */
        assert_shell("nft flush chain inet coursenet forward");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_int_equal(if_nametoindex("vx-123"), index);
        assert_no_shell("nft list chain inet coursenet forward | grep jump");
        assert_no_shell("ls " PREPARED_DIRECTORY "/* 2>/dev/null");
        assert_silence(sandbox);
}

static void what_has_changed_since_is_made_again(void **state) {
        static const char *const breakages[] = {
                "ip link del vx-123", "bridge link set dev vx-123 learning on"};
        struct sandbox *sandbox = *state;
        struct bridge_plan plan;

        make_underlay();
        configure_spread("");
        load_plan(&plan, sandbox);
        for (size_t i = 0; i < ELEMENTSOF(breakages); i++) {
                assert_int_equal(bridge_prepare(SANDBOX_ETC, &plan, &sandbox->diagnostics), 0);
                assert_shell("%s", breakages[i]);
                assert_int_equal(start(sandbox, "123"), 0);
                assert_shell("bridge -d link show dev vx-123 | grep -q 'learning off'");
                assert_int_equal(stop(sandbox, "123"), 0);
        }
        assert_int_equal(bridge_prepare(SANDBOX_ETC, &plan, &sandbox->diagnostics), 0);
        assert_int_equal(bridge_discard(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_nothing_is_left();
        assert_silence(sandbox);
}

/* --- what is left behind ------------------------------------------------------------------------------- */

static void start_123(struct sandbox *sandbox) {
        (void)start(sandbox, "123");
}

static void stop_123(struct sandbox *sandbox) {
        assert_int_equal(stop(sandbox, "123"), 0);
        assert_nothing_is_left();
}

static void start_123_again(struct sandbox *sandbox) {
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("ip -o link show up master br-123 type vxlan | grep -q vx-123");
        stop_123(sandbox);
}

static void a_start_that_is_killed_leaves_nothing_that_disturbs(void **state) {
        make_underlay();
        configure_spread("");
        kill_at_every_point(start_123, stop_123, *state);
        kill_at_every_point(start_123, start_123_again, *state);
}

static void a_link_that_nobody_needs_is_told_and_torn_down(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_int_equal(sandbox->diagnostics.n_errors, 0);
        assert_shell("ip link del br-123");
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_error(sandbox, "vx-123: there is no br-123, the bridge that it belongs to, so nobody needs "
                              "it: ip link delete vx-123");

        assert_int_equal(start(sandbox, "123"), 0);
        assert_int_equal(teardown(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_nothing_is_left();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(the_link_comes_and_goes_with_the_bridge),
                sandbox_test(a_course_that_is_not_spread_has_none),
                sandbox_test(isolated_seats_are_isolated_from_other_members),
                sandbox_test(a_second_start_changes_nothing),
                sandbox_test(a_link_that_is_missing_or_differs_is_repaired),
                sandbox_test(a_course_that_is_not_spread_any_more_loses_it),
                sandbox_test(an_address_that_no_interface_has_is_told),
                sandbox_test(a_server_that_is_no_member_is_told),
                sandbox_test(a_foreign_link_is_left_as_it_is),
                sandbox_test(a_number_that_another_link_has_is_told),
                sandbox_test(a_program_that_has_the_port_is_told),
                sandbox_test(the_mtu_is_that_of_the_underlay),
                sandbox_test(an_address_on_the_loopback_has_the_mtu_of_ethernet),
                sandbox_test(seats_of_two_members_reach_each_other),
                sandbox_test(what_the_worker_has_made_is_adopted),
                sandbox_test(what_has_changed_since_is_made_again),
                sandbox_test(a_start_that_is_killed_leaves_nothing_that_disturbs),
                sandbox_test(a_link_that_nobody_needs_is_told_and_torn_down),
        };

        return cmocka_run_group_tests_name("stretch", tests, NULL, NULL);
}
