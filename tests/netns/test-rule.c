/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inside a seat, queries to loopback addresses go to the gateway, and everything else stays as it is. */

#include "link-world.h"
#include "netsetup/kernel/rule.h"

#define GATEWAY (10U << 24 | 123U << 8 | 1U)
#define ADDRESS (10U << 24 | 123U << 8 | 10U)

static int add(struct link_socket *socket) {
        return rule_add_loopback_dns(socket, index_in(socket, "vr-12310"), ADDRESS, GATEWAY);
}

static int has(struct link_socket *socket) {
        return rule_has_loopback_dns(socket, index_in(socket, "vr-12310"), ADDRESS, GATEWAY);
}

static void assert_rules(void) {
        assert_shell("ip -n ns12310 rule show >/run/rules");
        assert_shell("grep -q '^53:.from all to 127.0.0.0/8 ipproto udp dport 53 lookup 53' /run/rules");
        assert_shell("grep -q '^54:.from all to 127.0.0.0/8 ipproto tcp dport 53 lookup 53' /run/rules");
        assert_shell("grep -q '^100:.from all lookup local' /run/rules");
        assert_no_shell("grep -q '^0:' /run/rules");
        assert_shell("test $(wc -l </run/rules) = 5");
        assert_shell(
                "ip -n ns12310 route show table 53 | grep -q '^default via 10.0.123.1 dev vr-12310 .*src "
                "10.0.123.10 *$'");
        assert_shell("test $(ip -n ns12310 route show table 53 | wc -l) = 1");
}

static void the_rules_are_made_once(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        make_course();
        open_socket_in("ns12310", &socket);
        assert_int_equal(has(&socket), 0);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(add(&socket), 0);
                assert_rules();
                assert_int_equal(has(&socket), 1);
        }
        /* Outside, nothing has changed. */
        assert_shell("ip rule show | grep -q '^0:.from all lookup local'");
}

static void queries_leave_and_the_rest_stays(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        make_course();
        open_socket_in("ns12310", &socket);
        assert_int_equal(add(&socket), 0);
        assert_shell("ip -n ns12310 route get 127.0.0.53 ipproto udp dport 53 >/run/way && "
                     "grep -q 'via 10.0.123.1 dev vr-12310 .*src 10.0.123.10' /run/way");
        assert_shell("ip -n ns12310 route get 127.0.0.1 ipproto tcp dport 53 | grep -q 'dev vr-12310'");
        assert_shell("ip -n ns12310 route get 127.0.0.1 ipproto tcp dport 80 | grep -q 'dev lo'");
        assert_shell("ip -n ns12310 route get 10.0.123.10 | grep -q 'dev lo'");
        assert_shell("ip netns exec ns12310 ping -c1 -q -w20 127.0.0.1 >/dev/null");
        assert_shell("ip netns exec ns12310 ping -c1 -q -w20 10.0.123.1 >/dev/null");
}

/* In the place of the rule for 53. */
#define OTHER_PORT "ip -n ns12310 rule add pref 53 to 127.0.0.0/8 ipproto udp dport 54 lookup 53"

static void each_missing_part_is_noticed_and_made_again(void **state) {
        static const char *const damages[] = {
                "rule del pref 53",
                "rule del pref 54",
                "rule add pref 0 lookup local",
                "rule add pref 99 lookup local && ip -n ns12310 rule del pref 100",
                "route flush table 53",
                "route replace default dev lo table 53",
                ("rule del pref 53; " OTHER_PORT),
        };
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        make_course();
        open_socket_in("ns12310", &socket);
        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                assert_int_equal(add(&socket), 0);
                assert_int_equal(has(&socket), 1);
                assert_shell("ip -n ns12310 %s", damages[i]);
                assert_int_equal(has(&socket), 0);
                assert_int_equal(add(&socket), 0);
                assert_int_equal(has(&socket), 1);
        }
}

static void other_addresses_are_another_configuration(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        int index;

        (void)state;
        make_course();
        open_socket_in("ns12310", &socket);
        index = index_in(&socket, "vr-12310");
        assert_int_equal(add(&socket), 0);
        assert_int_equal(rule_has_loopback_dns(&socket, index, ADDRESS + 1, GATEWAY), 0);
        assert_int_equal(rule_has_loopback_dns(&socket, index, ADDRESS, GATEWAY + 1), 0);
        assert_int_equal(rule_has_loopback_dns(&socket, index + 1, ADDRESS, GATEWAY), 0);
}

static void run_add(struct sandbox *sandbox) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)sandbox;
        open_socket_in("ns12310", &socket);
        (void)add(&socket);
}

/* Whatever happened, a local rule is there; then as before, so that each death is one of a first call. */
static void assert_local_and_undo(struct sandbox *sandbox) {
        (void)sandbox;
        assert_shell("ip -n ns12310 rule show | grep -q 'from all lookup local'");
        assert_shell("ip -n ns12310 rule show | grep -q '^0:' || ip -n ns12310 rule add pref 0 lookup local");
        (void)shell("for p in 53 54 100; do ip -n ns12310 rule del pref $p 2>/dev/null; done");
        (void)shell("ip -n ns12310 route flush table 53 2>/dev/null");
}

static void being_killed_leaves_local_addresses_reachable(void **state) {
        struct sandbox *sandbox = *state;

        make_course();
        kill_at_every_point(run_add, assert_local_and_undo, sandbox);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(the_rules_are_made_once),
                sandbox_test(queries_leave_and_the_rest_stays),
                sandbox_test(each_missing_part_is_noticed_and_made_again),
                sandbox_test(other_addresses_are_another_configuration),
                sandbox_test(being_killed_leaves_local_addresses_reachable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
