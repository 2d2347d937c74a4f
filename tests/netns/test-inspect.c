/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenet-host check`: it reports nothing as long as everything is as planned, and names each difference.
 */

#include <time.h>

#include "netsetup/check/inspect.h"
#include "netsetup/check/scratch.h"
#include "netsetup/check/teardown.h"
#include "netsetup/fence/fence.h"
#include "netsetup/firewall/course-rules.h"
#include "netsetup/verbs/bridge.h"
#include "netsetup/verbs/netns.h"
#include "netsetup/verbs/seat.h"
#include "sandbox.h"

/* br-123 and its seats 10 and 11, a host with a way out, and a fence. */
static void bring_up(struct sandbox *sandbox) {
        static const char *const seats[] = {"12310", "12311"};

        assert_shell("mkdir -p " SANDBOX_ETC "/roster.d");
        configure("roster.d/123", "amy 10\nbob 11\n");
        assert_shell(
                "ip link set lo up && ip link add eth0 type veth peer name cable0 && ip link set eth0 up && "
                "ip link set cable0 up && ip addr add 192.0.2.1/24 dev eth0 && "
                "ip route add default via 192.0.2.254");
        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        for (size_t i = 0; i < ELEMENTSOF(seats); i++) {
                assert_int_equal(netns_start(SANDBOX_ETC, seats[i], &sandbox->diagnostics), 0);
                assert_int_equal(seat_start(SANDBOX_ETC, seats[i], &sandbox->diagnostics), 0);
        }
        assert_int_equal(fence_update(SANDBOX_ETC, FENCE_LOCAL, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
}

static void look(struct sandbox *sandbox) {
        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
}

static void assert_all_is_well(struct sandbox *sandbox) {
        look(sandbox);
        if (sandbox->diagnostics.n_items > 0)
                (void)was_said(sandbox, DIAGNOSTIC_ERROR, "(nothing)");
        assert_silence(sandbox);
}

/* The check prints this and nothing else. */
static void assert_one_error(struct sandbox *sandbox, const char *text) {
        look(sandbox);
        assert_error(sandbox, text);
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

static void nothing_is_up(void **state) {
        assert_all_is_well(*state);
}

static void all_is_as_planned(void **state) {
        bring_up(*state);
        assert_all_is_well(*state);
}

static void with_every_setting_too(void **state) {
        configure("coursenet.conf",
                "[site]\nisolation = seat\nrate = 10M\ncourse-rate = 100M\nhost-ports = 443/tcp *:631\n"
                "network6 = fd12:3456:789a::/48\nfence-except-ports = 88\ninbound = yes\nuplink = eth0\n");
        bring_up(*state);
        assert_all_is_well(*state);
}

static void without_names_and_ipv6(void **state) {
        configure("coursenet.conf", "[site]\ndns = off\nnetwork6 = off\nfence = no\n");
        bring_up(*state);
        assert_all_is_well(*state);
}

/* It looks; it does not touch. */
static void looking_changes_nothing(void **state) {
        static const char state_of_all[] =
                "(ip -o addr | sed 's/scope link.*//'; ip route show table all; nft list "
                "ruleset; ls -R /run; ip -n ns12310 -o addr | sed 's/scope link.*//'; "
                "sysctl -a 2>/dev/null | grep -E 'forwarding|accept_ra ') | grep -v valid_lft";

        /* The kernel need not look for a second or two whether somebody else has the addresses of the links.
         */
        assert_shell("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad");
        bring_up(*state);
        assert_shell(
                "for i in $(seq 1000); do a=$(ip -o addr show tentative; ip -n ns12310 -o addr show "
                "tentative; "
                "ip -n ns12311 -o addr show tentative); test -z \"$a\" && exit; sleep 0.02; done; exit 1");
        assert_shell("%s >/run/before", state_of_all);
        assert_all_is_well(*state);
        assert_shell("%s | diff /run/before -", state_of_all);
}

/* It has lost its IPv6 addresses then, which the firewall has still. */
static void a_bridge_that_is_down_is_named(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("ip link set br-123 down");
        look(sandbox);
        assert_error(sandbox, "br-123: is down: coursenet-net bridge start 123");
        assert_false(was_said(sandbox, DIAGNOSTIC_ERROR, "br-123: lacks"));
        assert_error(sandbox, "inet coursenet: set gateways6 is not as planned");
}

struct breakage {
        const char *command, *said;
};

#define BREAKAGES_MAX 9U

/* Those of a row are made at once: none of them hides what another one does. */
static const struct breakage breakages[][BREAKAGES_MAX] = {
        {
                {"ip link set br-123 address 02:00:00:00:00:01",
                        "br-123: has the MAC address 02:00:00:00:00:01 instead of 02:63:0a:00:7b:01"},
                {"ip link set vl-12310 nomaster", "vl-12310: is not connected to br-123"},
                {"ip link set vl-12311 down", "vl-12311: is down"},
                {"ip -n ns12310 route del default",
                        "vr-12310: there is no default route by 10.0.123.1 in the seat"},
                {"ip -n ns12311 rule del pref 53",
                        "vr-12311: DNS queries to 127.0.0.53 and the like do not leave the seat"},
                {"nft delete table inet coursenet",
                        "inet coursenet: there is no such table, so its rules are not in force: "
                        "systemctl restart coursenet-network.service"},
                {"nft delete table netdev coursenet_0",
                        "netdev coursenet_0: there is no such table, so its rules are not in force"},
                {"nft delete table inet coursenet_fence", "inet coursenet_fence: there is no such table"},
        },
        {
                {"sysctl -qw net.ipv4.conf.br-123.forwarding=0", "br-123: does not forward IPv4"},
                {"ip link set vl-12310 address 06:00:00:00:00:01",
                        "vl-12310: has the MAC address 06:00:00:00:00:01 instead of 06:63:0a:00:7b:0a"},
                {"bridge link set dev vl-12311 isolated on",
                        "vl-12311: the seat cannot reach the others of its course, which is not what the "
                        "settings say"},
                {"ip -n ns12310 addr add 10.0.123.66/24 dev vr-12310",
                        "vr-12310: has the address 10.0.123.66/24, which is not planned: the seat's next "
                        "start corrects this (coursenetctl stop 12310 ends its logins)"},
                {"ip -n ns12311 -6 addr flush dev vr-12311 scope global", "vr-12311: lacks its address fd"},
                {"nft insert rule inet coursenet from_seats accept",
                        "inet coursenet: chain from_seats is not as planned: it has an extra 'accept': "
                        "systemctl restart coursenet-network.service"},
                {"nft flush chain inet coursenet to_seats",
                        "inet coursenet: chain to_seats is not as planned: it lacks 'ct state "
                        "established,related accept'"},
                {"nft flush chain netdev coursenet_0 vl-12310",
                        "vl-12310: the filter for what the seat sends "
                        "is not as planned: it lacks 'ether saddr "
                        "02:63:0a:00:7b:0a ip saddr 10.0.123.10"},
                {"nft flush chain inet coursenet_fence output",
                        "inet coursenet_fence: chain output is not as planned: it lacks"},
        },
        {
                {"tc qdisc add dev vl-12310 root handle 636e: tbf rate 1mbit burst 10k latency 50ms",
                        "vl-12310: is limited to 1000000 bits per second instead of 0"},
                {"ip -n ns12310 -6 route del default", "vr-12310: there is no default route by fd"},
                {"ip netns exec ns12311 sysctl -qw net.ipv4.conf.vr-12311.route_localnet=0",
                        "vr-12311: DNS queries to 127.0.0.53"},
                {"nft add chain inet coursenet extra",
                        "inet coursenet: chain extra was not made by coursenet"},
                {"nft delete element inet coursenet uplinks \\{ eth0 \\}",
                        "inet coursenet: set uplinks is not as planned: it lacks '\"eth0\"'"},
                {"nft insert rule netdev coursenet_0 sent accept",
                        "netdev coursenet_0: chain sent is not as planned: it has an extra 'accept'"},
                {"nft add element netdev coursenet_0 macs \\{ vl-12310 . 02:00:00:00:00:01 \\}",
                        "netdev coursenet_0: set macs is not as planned: it has an extra '\"vl-12310\" . "
                        "02:00:00:00:00:01'"},
                {"nft add rule netdev coursenet_0 vl-12310 accept",
                        "vl-12310: the filter for what the seat sends is not as planned: it has an extra "
                        "'accept'"},
        },
        {
                /* A process is left in it, so that the cable is still there; no longer than this sandbox. */
                {"nsenter --net=/run/netns/ns12310 sh -c ': >/run/inside; for i in $(seq 600); do "
                 "test -e /run/inside || exit; sleep 0.1; done' & "
                 "until test -e /run/inside; do sleep 0.01; done; umount /run/netns/ns12310",
                        "vl-12310: the seat's namespace /run/netns/ns12310 is gone, so nobody can log in"},
                {"ip -n ns12311 link set vr-12311 address 02:00:00:00:00:01",
                        "vr-12311: has the MAC address 02:00:00:00:00:01 instead of"},
                {"nft add element inet coursenet uplinks \\{ eth1 \\}",
                        "inet coursenet: set uplinks is not as planned: it has an extra '\"eth1\"'"},
                {"nft delete chain netdev coursenet_0 vl-12310",
                        "vl-12310: nothing checks what the seat sends (chain vl-12310 in its table is "
                        "missing)"},
                {"nft flush set netdev coursenet_0 senders4", "netdev coursenet_0: set senders4 is not as "
                                                              "planned: it lacks '\"vl-12310\" . 02:63:"},
        },
        {
                {"sysctl -qw net.ipv6.conf.all.forwarding=0; "
                 "f=/proc/sys/net/ipv6/conf/br-123/force_forwarding; ! test -e $f || echo 0 >$f",
                        "br-123: does not forward IPv6"},
                {"ip -n ns12310 -6 addr add fd00::66/64 dev vr-12310",
                        "vr-12310: has the address fd00::66/64, which is not planned"},
                {"ip -n ns12311 link set vr-12311 down && ip -n ns12311 link set vr-12311 name other",
                        "ns12311: there is no link vr-12311 of ours in the seat"},
                {"h=$(nft -a list chain inet coursenet to_seats | "
                 "sed -n 's/.*ct state established,related accept # handle //p') && "
                 "nft delete rule inet coursenet to_seats handle $h && "
                 "nft add rule inet coursenet to_seats ct state established,related accept",
                        "inet coursenet: chain to_seats is not as planned: its lines have another order"},
        },
};

/* Each of them is an error, and nothing else is. */
static void assert_breakages(struct sandbox *sandbox, const struct breakage *row) {
        size_t n = 0;

        for (; n < BREAKAGES_MAX && row[n].command; n++) {
                print_message("%s\n", row[n].command);
                assert_shell("%s", row[n].command);
        }
        look(sandbox);
        for (size_t i = 0; i < n; i++)
                assert_error(sandbox, row[i].said);
        if (sandbox->diagnostics.n_items != n)
                (void)was_said(sandbox, DIAGNOSTIC_ERROR, "(nothing else)");
        assert_int_equal(sandbox->diagnostics.n_items, n);
}

static void each_thing_that_is_wrong_is_named(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(breakages); i++) {
                void *own = NULL;

                assert_int_equal(sandbox_setup(&own), 0);
                bring_up(own);
                assert_breakages(own, breakages[i]);
                assert_int_equal(sandbox_teardown(&own), 0);
        }
}

/* Students with an account that the fence should have, and does not: lost, or new since it was computed. */
static void who_is_not_fenced_is_named(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell(
                "cp /etc/passwd /run/passwd && echo 'cs123-amy:x:54321:54321::/:/bin/sh' >>/run/passwd && "
                "mount --bind /run/passwd /etc/passwd");
        bring_up(sandbox);
        assert_all_is_well(sandbox);

        assert_shell("echo 'cs123-bob:x:54322:54322::/:/bin/sh' >>/run/passwd");
        assert_one_error(sandbox,
                "fence: students' processes outside of their seats are not fenced in (1): cs123-bob: "
                "systemctl "
                "restart coursenet-network.service");
        configure("coursenet.conf", "[site]\nfence-except-users = cs123-bob\n");
        assert_all_is_well(sandbox);
        configure("coursenet.conf", "");
        assert_shell("nft delete element inet coursenet_fence fenced \\{ 54321 \\}");
        look(sandbox);
        assert_error(sandbox, "inet coursenet_fence: set fenced is not as planned: it lacks '54321'");
        assert_shell("umount /etc/passwd");
}

static void routing_rules_of_the_fence_that_are_missing_are_told(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell(
                "cp /etc/passwd /run/passwd && echo 'cs123-amy:x:54321:54321::/:/bin/sh' >>/run/passwd && "
                "mount --bind /run/passwd /etc/passwd");
        bring_up(sandbox);
        assert_all_is_well(sandbox);
        assert_shell("ip -6 rule del pref 0 uidrange 54321-54321 goto 32500");
        assert_one_error(sandbox,
                "the routing rules of the fence: of IPv6, 1 are missing and 0 are unexpected (`ip rule`): "
                "systemctl "
                "restart coursenet-network.service");
        assert_shell("umount /etc/passwd");
}

static void changed_settings_are_differences(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        configure("coursenet.conf", "[site]\nrate = 10M\n[course 123]\ncourse-rate = 50M\n");
        look(sandbox);
        assert_error(sandbox, "vl-12310: is limited to 0 bits per second instead of 10000000 (0: no limit)");
        assert_error(sandbox, "vr-12311: is limited to 0 bits per second instead of 10000000 (0: no limit)");
        assert_error(sandbox, "br-123: the course is limited to 0 bits per second to its seats instead of "
                              "50000000 (0: no limit): systemctl restart coursenet-network.service");
        assert_error(sandbox, "inet coursenet: ");
        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        look(sandbox);
        assert_int_equal(sandbox->diagnostics.n_items, 4);
}

/* The firewall has it still. */
static void an_address_that_a_bridge_has_lost_is_named(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("ip addr del 10.0.123.1/24 dev br-123");
        look(sandbox);
        assert_error(sandbox, "br-123: lacks its address 10.0.123.1/24: coursenet-net bridge start 123");
        assert_error(sandbox, "inet coursenet: set gateways4 is not as planned");
}

/* The worker names the namespace when the cable is there. */
static void a_seat_that_is_being_prepared_is_no_error(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("mkdir -p " PREPARED_DIRECTORY "; touch " PREPARED_DIRECTORY
                     "/netns@12310 && umount /run/netns/ns12310");
        look(sandbox);
        assert_silence(sandbox);
        assert_shell("rm " PREPARED_DIRECTORY "/netns@12310");
}

/* Links of the group that coursenet gives to its own. */
static void what_has_no_plan_is_a_warning(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("ip link add strange group 25454 type bridge && "
                     "ip link add br-99999999 group 25454 type bridge && "
                     "ip link add vl-1 group 25454 type veth peer name other && "
                     "nft add chain netdev coursenet_1 vl-1");
        look(sandbox);
        assert_warning(sandbox, "br-99999999: warning: cannot be compared with its plan");
        assert_warning(sandbox, "vl-1: warning: cannot be compared with its plan");
}

static void of_many_differences_the_first_are_told(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("for n in $(seq 40); do echo add chain inet coursenet extra$n; done | nft -f -");
        look(sandbox);
        assert_error(sandbox, "inet coursenet: chain extra1 was not made by coursenet");
        assert_error(sandbox, " more are not as planned");
}

/* The kernel may have no netem, and then the setting has no effect. */
static void impairments_that_a_seat_does_not_have_are_told(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        configure("coursenet.conf", "[site]\ndelay = 10ms\n");
        look(sandbox);
        assert_true(was_said(sandbox, DIAGNOSTIC_WARNING,
                "vl-12310: warning: has not the delay, jitter and loss of the settings"));
}

static void a_teardown_leaves_nothing(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("touch /run/netns/ns12399 && mount --bind /proc/self/ns/uts /run/netns/ns12399");
        assert_int_equal(teardown(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_shell("test -e /run/netns/ns12399 && ! ip link show br-123 2>/run/said && ! ip link show "
                     "vl-12310 2>/run/said && "
                     "! test -e /run/netns/ns12310 && ! nft list tables | grep coursenet");
        /* Again, with nothing left to remove but the folder. */
        assert_shell("umount /run/netns/ns12399 && rm /run/netns/ns12399");
        assert_int_equal(teardown(SANDBOX_ETC, &sandbox->diagnostics), 0);
}

/* What it prints goes to /run/said. */
static int teardown_and_keep_output(struct sandbox *sandbox) {
        int r, said_fd, own_fd;

        (void)fflush(stdout);
        own_fd = dup(STDOUT_FILENO);
        said_fd = open("/run/said", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(own_fd >= 0 && dup2(said_fd, STDOUT_FILENO) >= 0);
        r = teardown(SANDBOX_ETC, &sandbox->diagnostics);
        (void)fflush(stdout);
        assert_true(dup2(own_fd, STDOUT_FILENO) >= 0);
        (void)close(said_fd);
        (void)close(own_fd);
        return r;
}

static void a_teardown_counts_no_file_as_a_namespace(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(netns_start(SANDBOX_ETC, "12310", &sandbox->diagnostics), 0);
        assert_shell("install -m 000 /dev/null /run/netns/ns12311 && echo notes >/run/netns/ns12312");
        assert_int_equal(teardown_and_keep_output(sandbox), 0);
        assert_shell("grep -qx 'Removed 1 network namespace.' /run/said");
        assert_shell("grep -qx 'Removed 1 empty file of a former network namespace.' /run/said");
        assert_shell("! test -e /run/netns/ns12311 && grep -q notes /run/netns/ns12312");
        assert_silence(sandbox);
}

/* Nothing about them is wrong, and a "repair" would cut them off. */
static void edited_addresses_count_from_the_next_start(void **state) {
        static const struct {
                const char *file, *text;
                const char *said[3];
        } edits[] = {
                {"coursenet.conf", "[course 123]\nsubnet = 10.9.9.0/24\n",
                        {"br-123: warning: has the address 10.0.123.1/24, while the settings plan "
                         "10.9.9.1/24 now: the new one applies from the next start of the course",
                                "vl-12310: warning: has another address, gateway, bridge or name service "
                                "than the settings plan now (10.9.9.10/24 by 10.9.9.1): the new ones apply "
                                "from "
                                "the seat's next start",
                                "vl-12311: warning: has another address"}},
                {"netns/ns12310.conf", "VR_IP=10.0.123.77\n",
                        {"vl-12310: warning: has another address", NULL, NULL}},
                {"netns/ns12310.conf", "BR_IP=10.0.123.254\n",
                        {"vl-12310: warning: has another address", NULL, NULL}},
                {"coursenet.conf", "[site]\nnetwork6 = fd12:3456:789a::/48\n",
                        {"br-123: warning: has the address fd", "vl-12310: warning: has another address",
                                "vl-12311: warning: has another address"}},
        };

        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        /* Their filter is still compared, with what they were started with. */
        assert_shell("nft add rule netdev coursenet_0 vl-12310 accept");
        for (size_t i = 0; i < ELEMENTSOF(edits); i++) {
                char path[256];
                size_t n = 0;

                configure(edits[i].file, edits[i].text);
                look(sandbox);
                for (; n < ELEMENTSOF(edits[i].said) && edits[i].said[n]; n++)
                        assert_warning(sandbox, edits[i].said[n]);
                assert_error(sandbox, "vl-12310: the filter for what the seat sends is not as planned: it "
                                      "has an extra 'accept'");
                assert_int_equal(sandbox->diagnostics.n_items, n + 1);
                (void)snprintf(path, sizeof(path), SANDBOX_ETC "/%s", edits[i].file);
                assert_int_equal(unlink(path), 0);
        }
}

static void a_host_without_a_way_out_is_a_warning(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("ip route del default");
        look(sandbox);
        assert_warning(sandbox, "uplink: warning: this host has no default route");

        configure("coursenet.conf", "[site]\nuplink = eth7\n");
        look(sandbox);
        assert_warning(
                sandbox, "eth7: warning: uplink in coursenet.conf names it, but there is no such interface");

        configure("coursenet.conf", "[site]\nnat = no\n");
        look(sandbox);
        assert_false(was_said(sandbox, DIAGNOSTIC_WARNING, "uplink"));
}

/* The receipt of a thing that no unit wants, a minute later. */
static void what_was_prepared_for_nobody_is_told(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        assert_shell("mkdir /run/coursenet/prepared && touch /run/coursenet/prepared/nsbr@12399");
        assert_all_is_well(sandbox);
        assert_shell("touch -d '2 minutes ago' /run/coursenet/prepared/nsbr@12399");
        look(sandbox);
        assert_warning(sandbox, "/run/coursenet/prepared: warning: nsbr@12399 was made for a login");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

static void foreign_firewalls_are_told(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        write_file("/run/rules",
                "table inet campus { chain f { type filter hook forward priority 0; policy drop; }; }");
        assert_shell("nft -f /run/rules");
        look(sandbox);
        assert_warning(
                sandbox, "table inet campus: warning: chain f drops packets by default and has no rule for");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

/* What is to happen while the code under test pauses, and in which of its pauses, counted from one. */
static void (*in_the_pause)(void);
static unsigned n_pauses;

/* In its place, so that nothing depends on who is quicker. What is wrong in these tests stays wrong, so short
 * pauses do. */
int usleep(useconds_t usec) {
        const struct timespec pause = {.tv_nsec = usec < 20000 ? (long)usec * 1000 : 20000000};
        void (*happens)(void) = in_the_pause;

        if (happens && --n_pauses == 0) {
                in_the_pause = NULL;
                happens();
        }
        return nanosleep(&pause, NULL);
}

static void start_the_seat(void) {
        _cleanup_diagnostics_ struct diagnostics said = {0};

        assert_int_equal(seat_start(SANDBOX_ETC, "12310", &said), 0);
}

/* What appears or disappears during the check is no difference. */
static void what_does_not_last_is_not_told(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        for (unsigned pause = 1; pause <= 2; pause++) {
                assert_shell("ip -n ns12310 link set vr-12310 down");
                in_the_pause = start_the_seat;
                n_pauses = pause;
                assert_all_is_well(sandbox);
                assert_null(in_the_pause);
        }
}

static void settings_with_a_mistake_are_no_plan(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        configure("coursenet.conf", "nonsense\n");
        assert_true(inspect(SANDBOX_ETC, &sandbox->diagnostics) < 0);
        assert_error(sandbox, "what is up cannot be compared with the settings, because they have a mistake");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

static void an_override_with_a_mistake_costs_one_seat(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        configure("netns/ns12310.conf", "VR_IP=nonsense\n");
        look(sandbox);
        assert_warning(sandbox, "vl-12310: warning: cannot be compared with its plan, because its "
                                "configuration has a mistake");
        assert_int_equal(sandbox->diagnostics.n_items, 1);

        assert_shell("nft flush chain netdev coursenet_0 vl-12310");
        look(sandbox);
        assert_error(sandbox, "vl-12310: the filter for what the seat sends is not as planned: it lacks");
        assert_int_equal(sandbox->diagnostics.n_items, 2);
}

/* The kernel may have none; then the rules are planned without one, and an administrator is told. */
static void a_flowtable_is_as_planned_or_a_warning(void **state) {
        struct sandbox *sandbox = *state;

        bring_up(sandbox);
        configure("coursenet.conf", "[site]\nflowtable = yes\n");
        (void)course_rules_refresh(SANDBOX_ETC, &sandbox->diagnostics);
        if (system("nft list table inet coursenet | grep -q 'flowtable connections'") == 0) {
                assert_all_is_well(sandbox);
                return;
        }
        look(sandbox);
        assert_warning(sandbox, "flowtable: warning: is set, but the firewall has none");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

/* Of the planned tables; a comment stands for a flowtable, which not every kernel has. */
static void the_devices_of_a_flowtable_are_there(void **state) {
        struct sandbox *sandbox = *state;
        char commands[] = "table netdev planned {\n#\t\tdevices = { \"br-123\", \"eth0.7\" }\n"
                          "\tchain b { type filter hook ingress device \"br-123\" priority 0; }\n"
                          "\tchain e { type filter hook ingress device \"eth0.7\" priority 0; }\n}\n";
        struct scratch_table table = {.name = "netdev planned", .commands = commands};

        assert_int_equal(scratch_list(&table, 1, 0, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
        assert_non_null(table.listing);
        assert_non_null(strstr(table.listing, "eth0.7"));
        free(table.listing);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(nothing_is_up),
                sandbox_test(all_is_as_planned),
                sandbox_test(with_every_setting_too),
                sandbox_test(without_names_and_ipv6),
                sandbox_test(looking_changes_nothing),
                sandbox_test(a_bridge_that_is_down_is_named),
                sandbox_test(each_thing_that_is_wrong_is_named),
                sandbox_test(who_is_not_fenced_is_named),
                sandbox_test(routing_rules_of_the_fence_that_are_missing_are_told),
                sandbox_test(changed_settings_are_differences),
                sandbox_test(a_seat_that_is_being_prepared_is_no_error),
                sandbox_test(what_has_no_plan_is_a_warning),
                sandbox_test(an_address_that_a_bridge_has_lost_is_named),
                sandbox_test(of_many_differences_the_first_are_told),
                sandbox_test(impairments_that_a_seat_does_not_have_are_told),
                sandbox_test(a_teardown_leaves_nothing),
                sandbox_test(a_teardown_counts_no_file_as_a_namespace),
                sandbox_test(edited_addresses_count_from_the_next_start),
                sandbox_test(a_host_without_a_way_out_is_a_warning),
                sandbox_test(a_flowtable_is_as_planned_or_a_warning),
                sandbox_test(the_devices_of_a_flowtable_are_there),
                sandbox_test(what_was_prepared_for_nobody_is_told),
                sandbox_test(foreign_firewalls_are_told),
                sandbox_test(what_does_not_last_is_not_told),
                sandbox_test(settings_with_a_mistake_are_no_plan),
                sandbox_test(an_override_with_a_mistake_costs_one_seat),
        };

        return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
