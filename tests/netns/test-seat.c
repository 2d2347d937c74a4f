/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * nsbr@ and testnetns@: a seat that is connected sends and receives, and a failure leaves no part of a cable
 * behind.
 */

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netsetup/base/runtime-file.h"
#include "netsetup/firewall/seat-rules.h"
#include "netsetup/verbs/bridge.h"
#include "netsetup/verbs/netns.h"
#include "netsetup/verbs/ping.h"
#include "netsetup/verbs/seat.h"
#include "plan.h"
#include "sandbox.h"

#define NET BUILD_DIRECTORY "/coursenet-net"

#define GATEWAY (10U << 24 | 123U << 8 | 1U)
#define ADDRESS (10U << 24 | 123U << 8 | 10U)

static int start(struct sandbox *sandbox, const char *seat) {
        return seat_start(SANDBOX_ETC, seat, &sandbox->diagnostics);
}

static int stop(struct sandbox *sandbox, const char *seat) {
        return seat_stop(seat, &sandbox->diagnostics);
}

/* What comes before nsbr@ in the chain. */
static void make_bridge_and_namespace(struct sandbox *sandbox) {
        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_int_equal(netns_start(SANDBOX_ETC, "12310", &sandbox->diagnostics), 0);
        assert_silence(sandbox);
}

static void assert_no_cable(void) {
        assert_no_shell("ip link show vl-12310 >/dev/null 2>&1");
        assert_no_shell("ip -n ns12310 link show vr-12310 >/dev/null 2>&1");
}

static void assert_connected(void) {
        assert_shell("ip -o link show up master br-123 | grep -q 'vl-12310@'");
        assert_shell("ip -n ns12310 -o -4 addr show dev vr-12310 up | grep -q 'inet 10.0.123.10/24 '");
        assert_shell("ip -n ns12310 route show default | grep -q '^default via 10.0.123.1 dev vr-12310 '");
}

/*
 * testnetns@ runs inside the namespace; a child, so that the test itself stays outside. Its line goes to
 * /run/report.
 */
static int test_inside(struct sandbox *sandbox, const char *seat) {
        struct ping_report report;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = open(NETNS_DIRECTORY "/ns12310", O_RDONLY | O_CLOEXEC);

                if (setns(fd, CLONE_NEWNET) < 0 ||
                        ping_test(SANDBOX_ETC, seat, &report, &sandbox->diagnostics) < 0)
                        _exit(100);
                write_file("/run/report", report.text);
                _exit((int)report.n_received);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void a_start_connects_the_seat_and_a_stop_cuts_it_off(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_connected();

        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_cable();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_silence(sandbox);
}

static void both_ends_are_marked_and_have_lasting_macs(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(
                "ip -o link show group %d | grep -q 'vl-12310@.*06:63:0a:00:7b:0a'", COURSENET_LINK_GROUP);
        assert_shell("ip -n ns12310 -o link show group %d | grep -q 'vr-12310@.*02:63:0a:00:7b:0a'",
                COURSENET_LINK_GROUP);
        /* "set", not "random" or "stolen": what udev's MACAddressPolicy= leaves alone. */
        assert_shell("ip netns exec ns12310 grep -q 3 /sys/class/net/vr-12310/addr_assign_type");
        /* A port that joins with a lower MAC does not change the bridge's. */
        assert_shell("ip -o link show br-123 | grep -q 02:63:0a:00:7b:01");
}

/* With it, every seat would make each dnsmasq list all addresses of the host. */
static void the_end_on_the_host_has_no_address(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip -o link show vl-12310 | grep -q LOWER_UP");
        assert_shell("test -z \"$(ip -o address show dev vl-12310)\"");
        /* Its other end and the bridge have theirs. */
        assert_shell("ip -n ns12310 -o address show dev vr-12310 | grep -q 'inet6 fe80::'");
        assert_shell("ip -o address show dev br-123 | grep -q 'inet6 fe80::'");
}

static int open_link_news(void) {
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

        assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        return fd;
}

/* IFF_LOWER_UP of <linux/if.h>, which does not go together with <net/if.h>. */
#define LOWER_UP (1U << 16)

/* How often this link was told to be up; each time it must have had a carrier. */
static unsigned count_up(int fd, int index) {
        union {
                struct nlmsghdr header;
                char bytes[16384];
        } buffer;
        const struct ifinfomsg *ifi = NLMSG_DATA(&buffer.header);
        unsigned n = 0;

        while (recv(fd, &buffer, sizeof(buffer), 0) > 0) {
                if (buffer.header.nlmsg_type != RTM_NEWLINK || ifi->ifi_index != index ||
                        !(ifi->ifi_flags & IFF_UP))
                        continue;
                assert_true(ifi->ifi_flags & LOWER_UP);
                n++;
        }
        return n;
}

/* Each such wait is some milliseconds of a login, and delays all others. */
static void a_cable_is_made_without_a_wait_for_all_processors(void **state) {
        struct sandbox *sandbox = *state;
        int fd;

        make_bridge_and_namespace(sandbox);
        fd = open_link_news();
        assert_int_equal(start(sandbox, "12310"), 0);
        /* No surplus queues, and no end on the host that is up before it has a carrier. */
        assert_shell("ip -d -o link show vl-12310 | grep -q 'numtxqueues 1 numrxqueues 1 '");
        assert_shell("ip -n ns12310 -d -o link show vr-12310 | grep -q 'numtxqueues 1 numrxqueues 1 '");
        assert_true(count_up(fd, (int)if_nametoindex("vl-12310")) > 0);
        (void)close(fd);
        assert_silence(sandbox);
}

static void both_directions_work(void **state) {
        struct sandbox *sandbox = *state;
        unsigned received = 0;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(ping_host(ADDRESS, &received), 0);
        assert_int_equal(received, PING_COUNT);

        assert_int_equal(test_inside(sandbox, "12310"), PING_COUNT);
        assert_shell("grep -qx 'ping 10.0.123.1 from ns12310: 10.0.123.10/24 (vr-12310) 0%% packet loss' "
                     "/run/report");
        assert_silence(sandbox);
}

static void two_seats_of_a_course_reach_each_other(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(netns_start(SANDBOX_ETC, "123254", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "123254"), 0);
        configure("coursenet.conf", "[course 123]\ntest-host = 10.0.123.254\n");
        assert_int_equal(test_inside(sandbox, "12310"), PING_COUNT);
        assert_shell("grep -q '^ping 10.0.123.254 from ns12310: ' /run/report");
}

static void a_gateway_that_is_down_is_told_as_loss(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip link set br-123 down");
        assert_int_equal(test_inside(sandbox, "12310"), 0);
        assert_shell("grep -q '(vr-12310) 100%% packet loss$' /run/report");
}

static void a_test_host_without_a_route_is_told_as_loss(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip -n ns12310 route del default");
        configure("coursenet.conf", "[site]\ntest-host = 192.0.2.1\n");
        assert_int_equal(test_inside(sandbox, "12310"), 0);
        assert_shell("grep -q '^ping 192.0.2.1 .* 100%% packet loss$' /run/report");
}

static void the_test_shows_the_real_address_not_the_planned_one(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip -n ns12310 addr flush dev vr-12310 && ip -n ns12310 addr add 10.0.123.77/24 dev "
                     "vr-12310");
        /* An address that is not the seat's own gets nowhere. */
        assert_int_equal(test_inside(sandbox, "12310"), 0);
        assert_shell("grep -q ' from ns12310: 10.0.123.77/24 (vr-12310) 100%% packet loss$' /run/report");
}

static void a_test_outside_of_the_seat_says_so(void **state) {
        struct sandbox *sandbox = *state;
        struct ping_report report;

        assert_int_equal(ping_test(SANDBOX_ETC, "12310", &report, &sandbox->diagnostics), -ENODEV);
        assert_error(sandbox, "vr-12310: there is no such link here");
}

static void a_test_host_that_does_not_resolve_is_an_error(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\ntest-host = no-such-host.invalid\n");
        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(test_inside(sandbox, "12310"), 100);
}

static void a_leftover_is_replaced(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_connected();

        /* This is the state after the namespace was re-created while a process was still in the old one. */
        assert_shell("ip link del vl-12310; ip link add vl-12310 group %d type veth peer name other",
                COURSENET_LINK_GROUP);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_connected();
        assert_silence(sandbox);
}

static void a_leftover_in_the_namespace_is_replaced_too(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_shell(
                "ip -n ns12310 link add vr-12310 group %d type veth peer name other", COURSENET_LINK_GROUP);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_connected();
        assert_silence(sandbox);
}

static void a_foreign_link_on_the_host_is_left_as_it_is(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_shell("ip link add vl-12310 type veth peer name other");
        assert_int_equal(start(sandbox, "12310"), -EEXIST);
        assert_error(sandbox, "vl-12310: exists already on the host and was not made by coursenet");
        assert_int_equal(stop(sandbox, "12310"), -EEXIST);
        assert_error(sandbox, "vl-12310: was not made by coursenet and is left as it is");
        assert_shell("ip link show vl-12310 | grep -q DOWN");
}

static void a_foreign_link_in_the_namespace_leaves_no_half_of_a_cable(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_shell("ip -n ns12310 link add vr-12310 type veth peer name other");
        assert_int_equal(start(sandbox, "12310"), -EEXIST);
        assert_error(
                sandbox, "vr-12310: exists already in the seat's namespace and was not made by coursenet");
        assert_no_shell("ip link show vl-12310 >/dev/null 2>&1");
        assert_shell("ip -n ns12310 link show vr-12310 >/dev/null");
}

static void a_step_that_fails_is_undone(void **state) {
        struct sandbox *sandbox = *state;

        /*
         * The seat's own address as a route of higher standing: the default route then has no way to its
         * gateway.
         */
        make_bridge_and_namespace(sandbox);
        assert_shell("ip -n ns12310 rule add pref 0 to 10.0.123.1 unreachable");
        assert_true(start(sandbox, "12310") < 0);
        assert_error(sandbox, "vr-12310: cannot get its default route");
        assert_no_cable();

        assert_shell("ip -n ns12310 rule del pref 0 to 10.0.123.1 unreachable");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_connected();
}

static void a_missing_bridge_is_explained(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(netns_start(SANDBOX_ETC, "12310", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12310"), -ENODEV);
        assert_error(sandbox, "br-123: there is no such bridge for seat 12310: see systemctl status "
                              "netbr@123.service, which creates it");
        assert_error(sandbox, "coursenetctl roster add 123 NAME");

        configure("netns/ns12310.conf", "BR=campus0\n");
        assert_int_equal(start(sandbox, "12310"), -ENODEV);
        assert_error(sandbox, "campus0: there is no such bridge for seat 12310: create it, or change BR in "
                              "netns/ns12310.conf");
        assert_no_cable();
}

static void what_is_no_bridge_is_refused(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        configure("netns/ns12310.conf", "BR=lo\n");
        assert_int_equal(start(sandbox, "12310"), -EINVAL);
        assert_error(sandbox, "lo: is no bridge, so seat 12310 cannot be connected to it");
}

static void a_missing_namespace_is_explained(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12310"), -ENOENT);
        assert_error(sandbox, "ns12310: there is no such namespace: netns@12310.service creates it");
}

static void a_foreign_namespace_gets_no_cable(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_shell("ip netns add ns12310");
        assert_int_equal(start(sandbox, "12310"), -EEXIST);
        assert_error(sandbox, "ns12310: the namespace was not made by coursenet");
        assert_no_cable();
}

static void an_admins_own_bridge_can_be_named(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_shell("ip link add campus0 up type bridge && ip -o link show campus0 >/run/before");
        configure("netns/ns12310.conf", "BR=campus0\n");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip -o link show up master campus0 | grep -q 'vl-12310@'");
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_shell("ip link show campus0 >/dev/null");
        assert_silence(sandbox);
}

static void vr_ip_and_br_ip_win_over_what_is_computed(void **state) {
        static const struct {
                const char *file, *address, *gateway, *mac;
        } cases[] = {
                {"VR_IP=10.0.123.77\n", "10.0.123.77/24", "10.0.123.1", "02:63:0a:00:7b:4d"},
                {"VR_IP=10.0.123.77/16\n", "10.0.123.77/16", "10.0.123.1", "02:63:0a:00:7b:4d"},
                {"BR_IP=10.0.123.254\n", "10.0.123.10/24", "10.0.123.254", "02:63:0a:00:7b:0a"},
                {"VR_IP=\"192.168.7.5/28\"\nBR_IP='192.168.7.1'\nBR=br-123\n", "192.168.7.5/28",
                        "192.168.7.1", "02:63:c0:a8:07:05"},
        };
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                configure("netns/ns12310.conf", cases[i].file);
                assert_int_equal(start(sandbox, "12310"), 0);
                assert_shell(
                        "ip -n ns12310 -o -4 addr show dev vr-12310 | grep -q 'inet %s '", cases[i].address);
                assert_shell("ip -n ns12310 route show default | grep -q 'via %s dev'", cases[i].gateway);
                assert_shell("ip -n ns12310 -o link show vr-12310 | grep -q %s", cases[i].mac);
        }
        assert_silence(sandbox);
}

static void four_digit_courses_have_their_seats(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\ncourse-digits = 4\n");
        assert_int_equal(bridge_start(SANDBOX_ETC, "1234", &sandbox->diagnostics), 0);
        assert_int_equal(netns_start(SANDBOX_ETC, "123410", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "123410"), 0);
        assert_shell("ip -n ns123410 -o -4 addr show dev vr-123410 | grep -q 'inet 10.4.210.10/24 '");
        assert_int_equal(stop(sandbox, "123410"), 0);
        assert_silence(sandbox);
}

static void the_longest_names_fit(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\ncourse-digits = 6\nnetwork = 10.0.0.0/8\nprefix = 16\n"
                                    "[course 999999]\nsubnet = 172.16.0.0/16\n");
        assert_int_equal(bridge_start(SANDBOX_ETC, "999999", &sandbox->diagnostics), 0);
        assert_int_equal(netns_start(SANDBOX_ETC, "99999965534", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "99999965534"), 0);
        assert_shell("ip link show vl-99999965534 >/dev/null");
        assert_int_equal(stop(sandbox, "99999965534"), 0);
        assert_silence(sandbox);
}

static void an_unfinished_file_of_a_killed_start_goes_with_the_stop(void **state) {
        static const char record[] = "/run/coursenet/seats/vl-12310",
                          unfinished[] = "/run/coursenet/seats/.vl-12310.new";
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        write_file(unfinished, "10.0.1");
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(access(unfinished, F_OK), -1);

        /* Also when the next program has nothing to write. */
        assert_int_equal(runtime_file_write(record, "text", 0600), 1);
        write_file(unfinished, "te");
        assert_int_equal(runtime_file_write(record, "text", 0600), 0);
        assert_int_equal(access(unfinished, F_OK), -1);
}

static void a_stop_works_without_namespace_and_configuration(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        configure("coursenet.conf", "nonsense\n");
        assert_shell("umount " NETNS_DIRECTORY "/ns12310");
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell("ip link show vl-12310 >/dev/null 2>&1");
        assert_silence(sandbox);
}

static void what_can_be_no_seat_is_refused(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "123"), -EINVAL);
        assert_int_equal(start(sandbox, "12x10"), -EINVAL);
        assert_int_equal(stop(sandbox, "12x10"), -EINVAL);
        assert_int_equal(stop(sandbox, ""), -EINVAL);
        assert_int_equal(stop(sandbox, "1234567890123"), -EINVAL);
        assert_true(start(sandbox, "123255") < 0);
        assert_error(sandbox, "the /24 of course 123 ends at seat number 254");
}

static void start_12310(struct sandbox *sandbox) {
        (void)start(sandbox, "12310");
}

static void stop_12310_twice(struct sandbox *sandbox) {
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_cable();
}

static void start_12310_again(struct sandbox *sandbox) {
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_connected();
        stop_12310_twice(sandbox);
}

static void a_start_that_is_killed_leaves_nothing_that_disturbs(void **state) {
        make_bridge_and_namespace(*state);
        kill_at_every_point(start_12310, stop_12310_twice, *state);
        kill_at_every_point(start_12310, start_12310_again, *state);
}

/* --- the filter ---------------------------------------------------------------------------------------- */

#define FILTERS "nft list ruleset netdev"
#define KEPT "/run/coursenet/seats/vl-12310"

static int restore(struct sandbox *sandbox) {
        return seat_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics);
}

static void a_filter_is_kept_while_the_seat_is_up(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("test \"$(stat -c %%a:%%U /run/coursenet/seats " KEPT " | tr '\\n' ' ')\" = "
                     "'700:root 600:root '");
        assert_shell(
                "grep -q '^10.0.123.10/24 fd.*::10/64 via 10.0.123.1 fd.*::1 on br-123, with names$' " KEPT);
        assert_shell(FILTERS " | grep -q vl-12310");
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_shell("test -z \"$(ls /run/coursenet/seats)\"");
        assert_no_shell(FILTERS " | grep -q vl-12310");
        assert_silence(sandbox);
}

/* An edit counts from the next start on, and a mistake does not leave live seats without a filter. */
static void a_filter_is_restored_whatever_the_settings_say(void **state) {
        static const struct {
                const char *file, *text;
        } edits[] = {
                {"coursenet.conf", ""},
                {"coursenet.conf", "[course 123]\nsubnet = 172.16.5.0/24\n"},
                {"coursenet.conf", "[site]\nnetwork = 192.168.0.0/16\nnetwork6 = off\n"},
                {"coursenet.conf", "[site]\ncourse-digits = 4\n"},
                {"coursenet.conf", "nonsense\n"},
                {"netns/ns12310.conf", "VR_IP=10.0.123.77\n"},
                {"netns/ns12310.conf", "nonsense\n"},
        };
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(FILTERS " >/run/before");
        for (size_t i = 0; i < ELEMENTSOF(edits); i++) {
                configure(edits[i].file, edits[i].text);
                assert_int_equal(restore(sandbox), 0);
                assert_shell(FILTERS " | cmp - /run/before");
                assert_shell("nft flush ruleset");
                assert_int_equal(restore(sandbox), 0);
                assert_shell(FILTERS " | cmp - /run/before");
        }
        assert_silence(sandbox);
}

static void without_a_kept_filter_the_plan_counts(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(FILTERS " >/run/before && rm -r /run/coursenet/seats && nft flush ruleset");
        assert_int_equal(restore(sandbox), 0);
        assert_shell(FILTERS " | cmp - /run/before");
        assert_silence(sandbox);

        assert_shell("rm -r /run/coursenet/seats");
        configure("coursenet.conf", "nonsense\n");
        assert_int_equal(restore(sandbox), 0);
        assert_warning(sandbox, "vl-12310: warning: its firewall is left unchanged");
        assert_shell(FILTERS " | cmp - /run/before");
}

static void what_was_restored_without_a_record_is_taken_back(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("rm -r /run/coursenet/seats && nft flush ruleset");
        assert_int_equal(restore(sandbox), 0);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell(FILTERS " | grep -q vl-12310");
        assert_silence(sandbox);
}

/* As a stop leaves it that is killed, where a chain outlives its link. */
static void a_chain_without_a_link_is_removed(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(FILTERS " >/run/before");
        assert_shell(
                "nft add chain netdev coursenet_1 vl-12311 && nft add rule netdev coursenet_1 vl-12311 drop "
                "&& echo >/run/coursenet/seats/vl-12311 && nft add element netdev coursenet_1 macs '{ "
                "vl-12311 . 02:00:00:00:00:01 }'");
        assert_int_equal(restore(sandbox), 0);
        assert_shell(FILTERS " | cmp - /run/before");
        assert_shell("test \"$(ls /run/coursenet/seats)\" = vl-12310");
        assert_silence(sandbox);

        assert_shell("ip link del vl-12310");
        assert_int_equal(restore(sandbox), 0);
        assert_no_shell(FILTERS " | grep -q vl-");
        assert_silence(sandbox);
}

static void a_seat_is_in_the_table_of_its_last_digit(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(netns_start(SANDBOX_ETC, "12317", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12317"), 0);
        assert_shell(
                "nft list chain netdev coursenet_0 vl-12310 && nft list chain netdev coursenet_7 vl-12317");
        assert_shell(FILTERS " >/run/before");

        /* Elsewhere, nobody needs it. */
        assert_shell(
                "nft 'add chain netdev coursenet_7 vl-12310; add rule netdev coursenet_7 vl-12310 drop'");
        assert_int_equal(restore(sandbox), 0);
        assert_shell(FILTERS " | cmp - /run/before");
        assert_silence(sandbox);
}

#define FORMER                                                                                               \
        "table netdev coursenet { set macs { type ifname . ether_addr; }; chain vl-12310 { type filter "     \
        "hook ingress device vl-12310 priority filter; policy drop; }; }"

/* After an upgrade with seats that are up: their rules are never missing, and are in one place afterwards. */
static void the_table_of_earlier_versions_is_replaced(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(FILTERS " >/run/before && nft flush ruleset netdev && nft '" FORMER "'");
        assert_int_equal(restore(sandbox), 0);
        assert_shell(FILTERS " | cmp - /run/before");
        assert_silence(sandbox);

        /* A seat of which nothing can be known keeps what it has. */
        assert_shell("nft flush ruleset netdev && nft '" FORMER "' && echo nonsense >" KEPT);
        configure("netns/ns12310.conf", "VR_IP=nonsense\n");
        assert_int_equal(restore(sandbox), 0);
        assert_warning(sandbox, "vl-12310: warning: its firewall is left unchanged");
        assert_shell("nft list chain netdev coursenet vl-12310");
}

/* Of a seat of which nothing can be known: the others get theirs, and it keeps what it has. */
static void a_filter_that_cannot_be_restored_costs_one_seat(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(netns_start(SANDBOX_ETC, "12311", &sandbox->diagnostics), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_shell(FILTERS " >/run/before && echo nonsense >" KEPT);
        configure("netns/ns12310.conf", "VR_IP=nonsense\n");
        assert_int_equal(restore(sandbox), 0);
        assert_warning(sandbox, "vl-12310: warning: its firewall is left unchanged");
        assert_shell(FILTERS " | cmp - /run/before");

        assert_shell("nft flush ruleset");
        assert_int_equal(restore(sandbox), 0);
        assert_shell(FILTERS " | grep -q 'chain vl-12311'");
        assert_no_shell(FILTERS " | grep -q vl-12310");
}

/* As a stop that was killed leaves it where a chain goes with its link, and what it allows does not. */
static void what_an_earlier_address_was_allowed_is_taken_back(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip link del vl-12310");
        configure("netns/ns12310.conf", "VR_IP=10.0.123.77\n");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(FILTERS " | grep -q '\"vl-12310\" . 02:63:0a:00:7b:4d . 10.0.123.77'");
        assert_no_shell(FILTERS " | grep -qE '7b:?0a'");
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell(FILTERS " | grep -q vl-12310");
        assert_silence(sandbox);
}

/* So it is while the course's firewall is being set up: see bridge.c. */
static void a_start_waits_for_its_bridge_to_be_up(void **state) {
        struct sandbox *sandbox = *state;
        int status;
        pid_t pid;

        make_bridge_and_namespace(sandbox);
        assert_shell("ip link set br-123 down");
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(start(sandbox, "12310") < 0);
        assert_shell("for i in $(seq 500); do ip -o link show vl-12310 >/dev/null 2>&1 && exit; sleep 0.01; "
                     "done; exit 1");
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
        assert_shell("ip link set br-123 up");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_connected();
}

/* The course's firewall could not be set up: netbr@ has failed, and takes its bridge away. */
static void a_bridge_that_goes_before_it_is_up_fails_the_start(void **state) {
        struct sandbox *sandbox = *state;

        make_bridge_and_namespace(sandbox);
        assert_shell("ip link set br-123 down; (until ip -o link show vl-12310 2>/dev/null; do sleep 0.01; "
                     "done; ip link del br-123) >/dev/null &");
        assert_int_equal(start(sandbox, "12310"), -ENODEV);
        assert_error(sandbox,
                "br-123: there is no such bridge for seat 12310: see systemctl status netbr@123.service");
        assert_no_cable();
}

/* In a class that logs in, somebody has the lock at any time. */
static void a_filter_is_restored_while_seats_come_and_go(void **state) {
        struct sandbox *sandbox = *state;
        int lock = -1, status;
        pid_t pid;

        make_bridge_and_namespace(sandbox);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell(FILTERS " >/run/before && nft flush ruleset");
        assert_int_equal(seat_rules_lock(&lock), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)close(lock);
                _exit(restore(sandbox) < 0);
        }
        assert_shell("for i in $(seq 500); do " FILTERS
                     " 2>/dev/null | cmp -s - /run/before && exit 0; sleep 0.05; done; exit 1");
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
        (void)close(lock);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/*
 * A login waits for each library that is loaded. libnftables is loaded for the courses' table, and for the
 * seats' table only if that is missing.
 */
static void a_start_loads_no_library_that_it_does_not_need(void **state) {
        (void)state;
        assert_shell(NET " bridge start 123 && " NET " netns start 12310 && " NET " seat start 12310");
        assert_shell("export LD_DEBUG=files; " NET " netns start 12311 2>/run/loaded && " NET
                     " seat start 12311 2>>/run/loaded");
        assert_shell("grep -q 'calling init.*libnl-route-3' /run/loaded");
        assert_no_shell("grep -E 'libjson|libnftables|libsubid|libsystemd' /run/loaded");
        assert_shell(NET " seat stop 12311; nft delete table netdev coursenet_1; LD_DEBUG=files " NET
                         " seat start 12311 2>&1 | grep -q 'calling init.*libnftables'");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_start_connects_the_seat_and_a_stop_cuts_it_off),
                sandbox_test(both_ends_are_marked_and_have_lasting_macs),
                sandbox_test(the_end_on_the_host_has_no_address),
                sandbox_test(a_cable_is_made_without_a_wait_for_all_processors),
                sandbox_test(both_directions_work),
                sandbox_test(two_seats_of_a_course_reach_each_other),
                sandbox_test(a_gateway_that_is_down_is_told_as_loss),
                sandbox_test(a_test_host_without_a_route_is_told_as_loss),
                sandbox_test(the_test_shows_the_real_address_not_the_planned_one),
                sandbox_test(a_test_outside_of_the_seat_says_so),
                sandbox_test(a_test_host_that_does_not_resolve_is_an_error),
                sandbox_test(a_leftover_is_replaced),
                sandbox_test(a_start_loads_no_library_that_it_does_not_need),
                sandbox_test(a_leftover_in_the_namespace_is_replaced_too),
                sandbox_test(a_foreign_link_on_the_host_is_left_as_it_is),
                sandbox_test(a_foreign_link_in_the_namespace_leaves_no_half_of_a_cable),
                sandbox_test(a_step_that_fails_is_undone),
                sandbox_test(a_missing_bridge_is_explained),
                sandbox_test(what_is_no_bridge_is_refused),
                sandbox_test(a_missing_namespace_is_explained),
                sandbox_test(a_foreign_namespace_gets_no_cable),
                sandbox_test(an_admins_own_bridge_can_be_named),
                sandbox_test(vr_ip_and_br_ip_win_over_what_is_computed),
                sandbox_test(four_digit_courses_have_their_seats),
                sandbox_test(the_longest_names_fit),
                sandbox_test(a_stop_works_without_namespace_and_configuration),
                sandbox_test(what_can_be_no_seat_is_refused),
                sandbox_test(a_start_that_is_killed_leaves_nothing_that_disturbs),
                sandbox_test(a_filter_is_kept_while_the_seat_is_up),
                sandbox_test(a_filter_is_restored_whatever_the_settings_say),
                sandbox_test(without_a_kept_filter_the_plan_counts),
                sandbox_test(what_was_restored_without_a_record_is_taken_back),
                sandbox_test(a_chain_without_a_link_is_removed),
                sandbox_test(a_seat_is_in_the_table_of_its_last_digit),
                sandbox_test(the_table_of_earlier_versions_is_replaced),
                sandbox_test(a_filter_that_cannot_be_restored_costs_one_seat),
                sandbox_test(what_an_earlier_address_was_allowed_is_taken_back),
                sandbox_test(an_unfinished_file_of_a_killed_start_goes_with_the_stop),
                sandbox_test(a_start_waits_for_its_bridge_to_be_up),
                sandbox_test(a_bridge_that_goes_before_it_is_up_fails_the_start),
                sandbox_test(a_filter_is_restored_while_seats_come_and_go),
        };

        return cmocka_run_group_tests_name("seat", tests, NULL, NULL);
}
