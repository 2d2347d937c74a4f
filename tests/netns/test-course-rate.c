/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "link-world.h"
#include "netsetup/course-rate.h"
#include "netsetup/qdisc.h"
#include "throughput.h"

#define MBIT 1000000ULL

static const struct mac ifb_mac = {{0x02, 0x63, 10, 0, 123, 0}};

static int set(struct link_socket *socket, uint64_t bits) {
        return course_rate_set(socket, index_of("br-123"), "ri-123", &ifb_mac, bits);
}

static void assert_rates(struct link_socket *socket, uint64_t to_seats, uint64_t from_seats) {
        struct course_rate rate = {1, 1};

        assert_int_equal(course_rate_get(socket, index_of("br-123"), "ri-123", &rate), 0);
        assert_int_equal(rate.to_seats, to_seats);
        assert_int_equal(rate.from_seats, from_seats);
}

static void assert_limited(const char *rate) {
        assert_shell("tc qdisc show dev br-123 root | grep -q '^qdisc tbf 636e: .* rate %s '", rate);
        assert_shell("tc qdisc show dev ri-123 root | grep -q '^qdisc tbf 636e: .* rate %s '", rate);
        assert_shell("tc qdisc show dev br-123 | grep -q '^qdisc ingress ffff:'");
        assert_shell("tc filter show dev br-123 ingress >/run/filters");
        assert_shell("grep -q 'filter protocol all pref 25454 u32 .*fh 800::' /run/filters");
        assert_shell("test $(grep -c 'mirred (Egress Redirect to device ri-123) stolen' /run/filters) = 1");
        assert_shell("ip -d -o link show ri-123 up group %d | grep -q '02:63:0a:00:7b:00.* ifb '",
                COURSENET_LINK_GROUP);
}

static void assert_unlimited(void) {
        assert_shell("tc qdisc show dev br-123 | grep -q '^qdisc noqueue 0: root'");
        assert_shell("test $(tc qdisc show dev br-123 | wc -l) = 1");
        assert_shell("test -z \"$(tc filter show dev br-123 ingress 2>/dev/null)\"");
        assert_no_shell("ip link show ri-123 >/dev/null 2>&1");
}

static void a_limit_is_made_changed_and_taken_away(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_int_equal(set(&socket, 0), 0);
        assert_unlimited();
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(set(&socket, 20 * MBIT), 0);
        assert_limited("20Mbit");
        assert_rates(&socket, 20 * MBIT, 20 * MBIT);

        assert_int_equal(set(&socket, 1000 * MBIT), 0);
        assert_limited("1Gbit");
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(set(&socket, 0), 0);
        assert_unlimited();
        assert_rates(&socket, 0, 0);
}

static void what_others_took_away_is_noticed_and_made_again(void **state) {
        static const struct {
                const char *command;
                uint64_t to_seats, from_seats;
        } damages[] = {
                {"ip link del ri-123", 20 * MBIT, 0},
                {"ip link del ri-123 && ip link add ri-123 up group 25454 address 02:63:0a:00:7b:00 type ifb",
                        20 * MBIT, 0},
                {"tc qdisc del dev br-123 ingress", 20 * MBIT, 0},
                {"tc filter del dev br-123 ingress", 20 * MBIT, 0},
                {"tc qdisc del dev ri-123 root", 20 * MBIT, 0},
                {"tc qdisc del dev br-123 root", 0, 20 * MBIT},
                {"ip link set ri-123 down", 20 * MBIT, 20 * MBIT},
        };
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                assert_int_equal(set(&socket, 20 * MBIT), 0);
                assert_shell("%s", damages[i].command);
                assert_rates(&socket, damages[i].to_seats, damages[i].from_seats);
                assert_int_equal(set(&socket, 20 * MBIT), 0);
                assert_limited("20Mbit");
                assert_shell("%s", damages[i].command);
                assert_int_equal(set(&socket, 0), 0);
                assert_unlimited();
        }
}

static void a_foreign_link_of_that_name_is_left_alone(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_shell("ip link add ri-123 type bridge");
        assert_int_equal(set(&socket, 20 * MBIT), -EEXIST);
        assert_shell("test $(tc qdisc show dev br-123 | wc -l) = 1");
        assert_int_equal(set(&socket, 0), 0);
        assert_shell("ip link show ri-123 >/dev/null");
        assert_rates(&socket, 0, 0);
}

static void filters_of_others_stay(void **state) {
        static const char *const kinds[] = {"ingress", "clsact"};
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_shell("ip link add d0 up type bridge");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                assert_shell(
                        "tc qdisc add dev br-123 %s && tc filter add dev br-123 ingress pref 7 protocol ip "
                        "u32 match ip dst 192.0.2.1 action mirred egress mirror dev d0",
                        kinds[i]);
                assert_int_equal(set(&socket, 0), 0);
                assert_shell("tc filter show dev br-123 ingress | grep -q 'Mirror to device d0'");
                for (unsigned j = 0; j < 2; j++)
                        assert_int_equal(set(&socket, 20 * MBIT), 0);
                assert_shell("tc filter show dev br-123 ingress | grep -q 'Mirror to device d0'");
                assert_shell("test $(tc filter show dev br-123 ingress | grep -c 'Redirect to device "
                             "ri-123') = 1");
                assert_rates(&socket, 20 * MBIT, 20 * MBIT);
                assert_int_equal(set(&socket, 0), 0);
                assert_no_shell("ip link show ri-123 >/dev/null 2>&1");
                (void)shell("tc qdisc del dev br-123 %s 2>/dev/null", kinds[i]);
        }
}

static void run_set(struct sandbox *sandbox) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)sandbox;
        (void)link_open(&socket);
        (void)set(&socket, 20 * MBIT);
}

static void run_unset(struct sandbox *sandbox) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)sandbox;
        (void)link_open(&socket);
        (void)set(&socket, 0);
}

static void assert_can_be_unlimited(struct sandbox *sandbox) {
        run_unset(sandbox);
        assert_unlimited();
}

static void assert_can_be_unlimited_and_limited(struct sandbox *sandbox) {
        assert_can_be_unlimited(sandbox);
        run_set(sandbox);
        assert_limited("20Mbit");
}

static void being_killed_leaves_nothing_that_stays(void **state) {
        make_course();
        kill_at_every_point(run_set, assert_can_be_unlimited, *state);
        run_set(*state);
        kill_at_every_point(run_unset, assert_can_be_unlimited_and_limited, *state);
}

static void make_second_seat(void) {
        assert_shell(
                "ip netns add ns12311 && ip link add vl-12311 up master br-123 type veth peer name vr-12311 "
                "netns ns12311");
        assert_shell(
                "ip -n ns12311 link set vr-12311 up && ip -n ns12311 addr add 10.0.123.11/24 dev vr-12311");
}

static void a_course_gets_its_rate_both_ways_and_its_seats_more(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        unsigned down, up, between, down_free, up_free;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        make_second_seat();
        assert_int_equal(set(&socket, 20 * MBIT), 0);
        down = measure(NULL, "ns12310", "10.0.123.10");
        up = measure("ns12310", NULL, "10.0.123.1");
        between = measure("ns12311", "ns12310", "10.0.123.10");
        assert_int_equal(set(&socket, 0), 0);
        down_free = measure(NULL, "ns12310", "10.0.123.10");
        up_free = measure("ns12310", NULL, "10.0.123.1");

        print_message("Mbit/s: down %u of 20, up %u of 20, between seats %u; without a limit %u and %u\n",
                down, up, between, down_free, up_free);
        assert_in_range(down, 12, 23);
        assert_in_range(up, 12, 23);
        assert_true(between > 80 && down_free > 80 && up_free > 80);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_limit_is_made_changed_and_taken_away),
                sandbox_test(what_others_took_away_is_noticed_and_made_again),
                sandbox_test(a_foreign_link_of_that_name_is_left_alone),
                sandbox_test(filters_of_others_stay),
                sandbox_test(being_killed_leaves_nothing_that_stays),
                sandbox_test(a_course_gets_its_rate_both_ways_and_its_seats_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
