/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* netbr@ of a spread course: the bridge is one network with that of another member. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "netsetup/check/inspect.h"
#include "netsetup/check/teardown.h"
#include "netsetup/claims/claims.h"
#include "netsetup/firewall/course-rules.h"
#include "netsetup/firewall/seat-rules.h"
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
                assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
                /* Packets that are too large for the underlay are seen by the MTU of the bridge only. */
                if (!strstr(breakages[i], "mtu"))
                        assert_error(sandbox, "coursenet-net bridge start 123");
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

/* --- the gateway --------------------------------------------------------------------------------------- */

static void make_two_members(struct sandbox *sandbox, const char *more) {
        make_underlay();
        configure_spread(more);
        assert_int_equal(start(sandbox, "123"), 0);
        make_hostb();
        start_seat(sandbox, "12310");
        assert_silence(sandbox);
        assert_shell("ip netns exec seatb ping -q -c 1 -W 5 10.0.123.10 >/dev/null");
}

struct crossing {
        const char *sent, *seen;
};

static void the_gateway_does_not_cross(void **state) {
        static const struct crossing crossings[] = {
                {"ip netns exec seatb ping -q -c 1 -W 1 -I 10.0.123.1 10.0.123.10",
                        "arp saddr ip 10.0.123.1 ether saddr 02:63:0a:00:7b:0b"},
                {"ip netns exec seatb bash -c 'echo x >/dev/udp/10.0.123.10/68'", "udp dport 68"},
                {"ip netns exec seatb bash -c 'echo x >/dev/udp/10.0.123.10/67'", "udp dport 67"},
        };
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "");
        assert_no_shell("ip netns exec seatb ping -q -c 1 -W 1 10.0.123.1 >/dev/null");
        assert_no_shell("ping -q -c 1 -W 1 10.0.123.11 >/dev/null");
        /* This proves that they would: twice the same, without the rules the second time. */
        for (unsigned i = 0; i < 2; i++) {
                assert_shell("ip -n seatb addr replace 10.0.123.1/32 dev vr-12311 && "
                             "ip -n seatb neigh flush dev vr-12311");
                for (size_t j = 0; j < ELEMENTSOF(crossings); j++) {
                        assert_shell("ip netns exec ns12310 nft 'add table netdev t; add chain netdev t c { "
                                     "type filter hook ingress device vr-12310 priority 0; }; flush chain "
                                     "netdev t c; add rule netdev t c %s counter'",
                                crossings[j].seen);
                        (void)shell("%s >/dev/null 2>&1", crossings[j].sent);
                        assert_shell("ip netns exec ns12310 nft list chain netdev t c | grep counter | "
                                     "grep -q%s 'packets 0'",
                                i == 0 ? "" : "v");
                }
                assert_shell("ip -n seatb addr del 10.0.123.1/32 dev vr-12311");
                if (i == 0)
                        assert_shell("nft delete table bridge coursenet");
        }
}

static void an_exam_holds_between_members(void **state) {
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "");
        assert_shell("mkdir -p /var/lib/coursenet/exam");
        write_file("/var/lib/coursenet/exam/123", "[exam]\nsince = 1000\n");
        assert_int_equal(course_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
        assert_no_shell("ip netns exec seatb ping -q -c 1 -W 1 10.0.123.10 >/dev/null");
        assert_no_shell("ip netns exec ns12310 ping -q -c 1 -W 1 10.0.123.11 >/dev/null 2>&1");
        assert_shell("rm /var/lib/coursenet/exam/123");
        assert_int_equal(course_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_shell("ip netns exec seatb ping -q -c 1 -W 5 10.0.123.10 >/dev/null");
}

/* Whether the seat has got the MAC of an address. */
static bool knows(const char *address) {
        (void)shell("ip -n ns12310 neigh flush dev vr-12310; "
                    "ip netns exec ns12310 ping -q -c 1 -W 1 %s >/dev/null 2>&1",
                address);
        return shell("ip -n ns12310 neigh show %s | grep -q lladdr", address) == 0;
}

/* As FRR tells the kernel, whose bridge answers for the other member then. */
static void an_exam_hides_who_is_live_on_other_members(void **state) {
        static const char *const others[] = {"10.0.123.11", "fd12:3456:789a:123::11"};
        static const char *const gateways[] = {"10.0.123.1", "fd12:3456:789a:123::1"};
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "");
        assert_shell("bridge fdb replace 02:63:0a:00:7b:0b dev vx-123 master extern_learn");
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_shell("ip neigh replace %s lladdr 02:63:0a:00:7b:0b dev br-123 nud noarp extern_learn",
                        others[i]);
        assert_shell("ip -n hostb link set seatb down");
        for (unsigned exam = 0; exam < 2; exam++) {
                for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                        assert_int_equal(knows(others[i]), exam == 0);
                        assert_true(knows(gateways[i]));
                }
                if (exam == 0)
                        assert_shell("mkdir -p /var/lib/coursenet/exam");
                write_file("/var/lib/coursenet/exam/123", "[exam]\nsince = 1000\n");
                assert_int_equal(course_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        }
        assert_silence(sandbox);
}

/* --- seats that are live here -------------------------------------------------------------------------- */

static void watch_for(const char *seen) {
        assert_shell("ip netns exec ns12312 nft 'add table netdev t; add chain netdev t c { "
                     "type filter hook ingress device vr-12312 priority 0; }; flush chain "
                     "netdev t c; add rule netdev t c %s counter'",
                seen);
}

/*
 * What another member sends in the name of seat 12310 comes, or not, to a third seat. Seat 12310 itself sends
 * nothing of that kind.
 */
static void assert_others_speak(bool heard) {
        static const struct crossing crossings[] = {
                {"ping -q -c 1 -W 1 -I 10.0.123.10 10.0.123.12",
                        "ether saddr 02:63:0a:00:7b:0b arp saddr ip 10.0.123.10"},
                {"ping -q -c 1 -W 1 -I fd12:3456:789a:123::10 fd12:3456:789a:123::12",
                        "ether saddr 02:63:0a:00:7b:0b ip6 saddr fd12:3456:789a:123::10"},
                {"ping -q -c 1 -W 1 -I 10.0.123.11 10.0.123.12",
                        "ether saddr 02:63:0a:00:7b:0a arp saddr ip 10.0.123.11"},
        };

        assert_shell("ip -n seatb addr add 10.0.123.10/32 dev vr-12311 && "
                     "ip -n seatb addr add fd12:3456:789a:123::10/128 dev vr-12311 nodad");
        for (size_t i = 0; i < ELEMENTSOF(crossings); i++) {
                if (i == 2)
                        assert_shell("ip -n seatb link set vr-12311 address 02:63:0a:00:7b:0a");
                watch_for(crossings[i].seen);
                assert_shell("ip -n seatb neigh flush dev vr-12311");
                /* On a busy machine what is sent may be heard later than the ping waits. */
                assert_shell("for i in $(seq %u); do ip netns exec seatb %s >/dev/null 2>&1; "
                             "ip netns exec ns12312 nft list chain netdev t c | grep counter | "
                             "grep -q%s 'packets 0' && exit 0; done; exit 1",
                        heard ? 10 : 1, crossings[i].sent, heard ? "v" : "");
        }
        assert_shell("ip -n seatb link set vr-12311 address 02:63:0a:00:7b:0b && "
                     "ip -n seatb addr del 10.0.123.10/32 dev vr-12311 && "
                     "ip -n seatb addr del fd12:3456:789a:123::10/128 dev vr-12311");
}

static bool local_table_is_as_planned(struct sandbox *sandbox) {
        bool good = true;

        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
        for (size_t i = 0; i < sandbox->diagnostics.n_items; i++)
                good &= !strstr(sandbox->diagnostics.items[i].path, "coursenet_local");
        diagnostics_done(&sandbox->diagnostics);
        return good;
}

static void nobody_else_speaks_for_a_seat_that_is_live_here(void **state) {
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "");
        start_seat(sandbox, "12312");
        assert_shell("ip netns exec seatb ping -q -c 1 -W 5 10.0.123.12 >/dev/null");
        assert_others_speak(false);
        assert_true(local_table_is_as_planned(sandbox));
        assert_shell("nft delete table bridge coursenet_local");
        assert_others_speak(true);
        assert_false(local_table_is_as_planned(sandbox));
        assert_int_equal(seat_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_true(local_table_is_as_planned(sandbox));
        assert_others_speak(false);

        /* Then it may be live on the other member. */
        take_claim("12310");
        assert_int_equal(claims_update(&sandbox->diagnostics), 0);
        assert_true(local_table_is_as_planned(sandbox));
        assert_others_speak(true);
        assert_int_equal(seat_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_true(local_table_is_as_planned(sandbox));
        give_claim("12310");
        assert_int_equal(claims_update(&sandbox->diagnostics), 0);
        assert_others_speak(false);

        assert_int_equal(seat_stop("12310", &sandbox->diagnostics), 0);
        assert_others_speak(true);
        assert_no_shell("nft list table bridge coursenet_local | grep 'vx-123.*10.0.123.10'");
        assert_shell("nft list table bridge coursenet_local | grep -q 'vx-123.*10.0.123.12'");
        assert_int_equal(seat_stop("12312", &sandbox->diagnostics), 0);
        assert_int_equal(seat_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_no_shell("nft list tables | grep coursenet_local");
}

/* --- the underlay -------------------------------------------------------------------------------------- */

#define SEND(port) "bash -c 'echo x >/dev/udp/192.0.2.2/" port "'"

static void nobody_but_the_kernel_sends_vxlan(void **state) {
        static const char *const senders[] = {"", "setpriv --reuid 1000 --clear-groups "};
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "");
        /* Two bytes of content: none of the kernel's own is that short. */
        assert_shell("ip netns exec hostb nft 'add table inet t; add chain inet t c { type filter hook input "
                     "priority -400; }; add rule inet t c udp dport 4789 udp length 10 counter; "
                     "add rule inet t c udp dport 4790 counter'");
        for (size_t i = 0; i < ELEMENTSOF(senders); i++) {
                (void)shell("%s" SEND("4789") " 2>/dev/null", senders[i]);
                (void)shell("%s" SEND("4790") " 2>/dev/null", senders[i]);
        }
        assert_shell(
                "ip netns exec hostb nft list chain inet t c | grep 'dport 4789' | grep -q 'packets 0 '");
        assert_shell(
                "ip netns exec hostb nft list chain inet t c | grep 'dport 4790' | grep -q 'packets 2 '");
        assert_shell("ip netns exec seatb ping -q -c 1 -W 5 10.0.123.10 >/dev/null");
}

static void vxlan_of_others_is_dropped(void **state) {
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "");
        assert_shell("ip -n hostb addr add 192.0.2.77/24 dev eth0 && "
                     "ip -n hostb link set vx-123 type vxlan local 192.0.2.77 && "
                     "ip -n seatb neigh flush dev vr-12311");
        assert_no_shell("ip netns exec seatb ping -q -c 1 -W 1 10.0.123.10 >/dev/null");
        assert_shell("ip -n hostb link set vx-123 type vxlan local 192.0.2.2");
        assert_shell("ip netns exec seatb ping -q -c 1 -W 5 10.0.123.10 >/dev/null");
}

static void seats_reach_no_port_of_members(void **state) {
        static const char *const refused[] = {"192.0.2.2/179", "192.0.2.2/2379", "192.0.2.2/2380",
                "192.0.2.2/4789", "10.0.123.1/2379", "192.0.2.1/2379"};
        struct sandbox *sandbox = *state;

        make_two_members(sandbox, "host-ports = 2379/tcp *:2379/tcp\n[site]\nuplink = eth0\n");
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                assert_shell("ip netns exec ns12310 bash -c '</dev/tcp/%s' 2>&1 | grep -q 'No route to host'",
                        refused[i]);
        /* Nobody listens on this one, and that is the answer. */
        assert_shell("ip netns exec ns12310 bash -c '</dev/tcp/192.0.2.2/81' 2>&1 | grep -q "
                     "'Connection refused'");
        /* Where this server passes a port of its own on. */
        assert_shell("nft 'add table ip n; add chain ip n p { type nat hook prerouting priority -100; }; "
                     "add rule ip n p ip daddr 192.0.2.1 tcp dport 2380 dnat to 192.0.2.2:81'");
        assert_shell("ip netns exec ns12310 bash -c '</dev/tcp/192.0.2.1/2380' 2>&1 | grep -q "
                     "'No route to host'");
}

/* A server without [hosts] has not one rule more, and one with it has lost none. */
static void a_server_that_is_alone_has_none_of_it(void **state) {
        struct sandbox *sandbox = *state;

        make_underlay();
        configure("coursenet.conf", "[site]\nnetwork6 = fd12:3456:789a::/48\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("nft -n list ruleset >/run/alone");
        assert_shell("test -s /run/alone && ! grep -E 'member|vx-|4789|2379|table bridge' /run/alone");
        assert_no_shell("ip -o link show | grep vx-");
        assert_no_shell("find /run/coursenet -name '*hosts*' | grep .");
        configure_spread("");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("nft -n list ruleset >/run/member; diff /run/alone /run/member | grep -c '^>' | "
                     "grep -qv '^0$'");
        assert_no_shell("diff /run/alone /run/member | grep '^<'");
        configure("coursenet.conf", "[site]\nnetwork6 = fd12:3456:789a::/48\n");
        assert_int_equal(start(sandbox, "123"), 0);
        assert_shell("nft -n list ruleset | diff /run/alone -");
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
                sandbox_test(the_gateway_does_not_cross),
                sandbox_test(an_exam_holds_between_members),
                sandbox_test(an_exam_hides_who_is_live_on_other_members),
                sandbox_test(nobody_else_speaks_for_a_seat_that_is_live_here),
                sandbox_test(nobody_but_the_kernel_sends_vxlan),
                sandbox_test(vxlan_of_others_is_dropped),
                sandbox_test(seats_reach_no_port_of_members),
                sandbox_test(a_server_that_is_alone_has_none_of_it),
                sandbox_test(what_the_worker_has_made_is_adopted),
                sandbox_test(what_has_changed_since_is_made_again),
                sandbox_test(a_start_that_is_killed_leaves_nothing_that_disturbs),
                sandbox_test(a_link_that_nobody_needs_is_told_and_torn_down),
        };

        return cmocka_run_group_tests_name("stretch", tests, NULL, NULL);
}
