/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/pkt_sched.h>
#include <netlink/msg.h>

#include "link-world.h"
#include "netsetup/kernel/qdisc.h"
#include "throughput.h"

#define MBIT 1000000ULL

static int set(struct link_socket *socket, const char *name, uint64_t bits) {
        return qdisc_set_rate(socket, index_of(name), bits);
}

static uint64_t get(struct link_socket *socket, const char *name) {
        uint64_t bits = 1;

        assert_int_equal(qdisc_get_rate(socket, index_of(name), &bits), 0);
        return bits;
}

static void a_limit_is_made_changed_and_taken_away(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_int_equal(get(&socket, "vl-12310"), 0);
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(set(&socket, "vl-12310", 20 * MBIT), 0);
        assert_shell("tc qdisc show dev vl-12310 | grep -q '^qdisc tbf 636e: root refcnt . rate 20Mbit "
                     "burst 128Kb'");
        assert_int_equal(get(&socket, "vl-12310"), 20 * MBIT);

        assert_int_equal(set(&socket, "vl-12310", 5000 * MBIT), 0);
        assert_shell("tc qdisc show dev vl-12310 | grep -q '^qdisc tbf 636e: root .* rate 5Gbit'");
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(set(&socket, "vl-12310", 0), 0);
        assert_shell("tc qdisc show dev vl-12310 | grep -q '^qdisc noqueue 0: root'");
        assert_int_equal(get(&socket, "vl-12310"), 0);
}

/* What is sent for a netem, and how it is read again: also on a kernel that has none. */
static void an_impairment_is_written_and_read(void **state) {
        static const struct {
                uint64_t bits;
                struct impairment impairment;
                uint32_t packets;
        } rows[] = {
                {0, {50000, 0, 0}, 1000},
                {0, {10000000, 10000000, LOSS_ALL}, 1000},
                {10 * MBIT, {50000, 10000, 1}, 1000},
                {100 * MBIT, {300000, 100000, 10000}, 6666},
                {10000 * MBIT, {300000, 0, 0}, 10000},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWQDISC, 0);
                struct impairment impairment;
                struct tc_netem_qopt options;
                struct nlattr *attribute;

                assert_non_null(message);
                assert_int_equal(qdisc_put_impairment(message, rows[i].bits, &rows[i].impairment), 0);
                attribute = nlmsg_find_attr(nlmsg_hdr(message), 0, TCA_OPTIONS);
                assert_non_null(attribute);
                memcpy(&options, nla_data(attribute), sizeof(options));
                assert_int_equal(options.limit, rows[i].packets);
                assert_true(qdisc_parse_impairment(attribute, &impairment));
                assert_memory_equal(&impairment, &rows[i].impairment, sizeof(impairment));
                nlmsg_free(message);
        }
}

/* With netem both are there, the rate below; without it the rate alone, and the caller is told. */
static void a_kernel_without_netem_still_has_the_rate(void **state) {
        static const struct impairment impairment = {.delay_usec = 20000,
                                               .jitter_usec = 1000,
                                               .loss_ppm = 10000},
                                       none = {0};
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct qdisc_rate found;
        int index, r;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        index = index_of("vl-12310");
        for (unsigned i = 0; i < 2; i++) {
                r = qdisc_set(&socket, index, 20 * MBIT, &impairment);
                assert_true(r == 0 || r == QDISC_NO_NETEM);
                assert_int_equal(qdisc_get(&socket, index, &found), 0);
                assert_int_equal(found.bits, 20 * MBIT);
                if (r == 0)
                        assert_memory_equal(&found.impairment, &impairment, sizeof(impairment));
                else
                        assert_true(impairment_is_none(&found.impairment));
        }
        print_message("# this kernel has %snetem\n", r == QDISC_NO_NETEM ? "no " : "");
        assert_int_equal(qdisc_set(&socket, index, 0, &none), 0);
        assert_shell("tc qdisc show dev vl-12310 | grep -q '^qdisc noqueue 0: root'");
}

static void rates_of_any_size_come_back(void **state) {
        static const uint64_t rates[] = {8, 1000, 10 * MBIT, 34359738360, 34359738368, 400000 * MBIT};
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        for (size_t i = 0; i < ELEMENTSOF(rates); i++) {
                assert_int_equal(set(&socket, "br-123", rates[i]), 0);
                assert_int_equal(get(&socket, "br-123"), rates[i]);
        }
        assert_shell("tc qdisc show dev br-123 | grep -q ' rate 400Gbit'");
}

static void our_limit_wins_over_another_root_qdisc(void **state) {
        static const char *const others[] = {
                "htb",
                "handle 1: pfifo",
                "handle 636e: pfifo limit 9",
                "handle 1: tbf rate 1mbit burst 10k limit 20k",
        };
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                assert_shell("tc qdisc add dev vl-12310 root %s", others[i]);
                assert_int_equal(get(&socket, "vl-12310"), 0);
                assert_int_equal(set(&socket, "vl-12310", 20 * MBIT), 0);
                assert_shell("tc qdisc show dev vl-12310 root | grep -q '^qdisc tbf 636e: .* rate 20Mbit'");
                assert_shell("test $(tc qdisc show dev vl-12310 | wc -l) = 1");
                assert_int_equal(set(&socket, "vl-12310", 0), 0);
        }
}

static void no_limit_leaves_another_qdisc_alone(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_shell("tc qdisc add dev vl-12310 root handle 7: htb");
        assert_int_equal(set(&socket, "vl-12310", 0), 0);
        assert_shell("tc qdisc show dev vl-12310 | grep -q '^qdisc htb 7: root'");
        assert_shell("ip link set br-123 down");
        assert_int_equal(set(&socket, "br-123", 0), 0);
        assert_int_equal(qdisc_set_rate(&socket, 4711, MBIT), -ENODEV);
}

static void only_our_limits_are_listed(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_qdisc_rates_ struct qdisc_rates rates = {0};

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        assert_shell(
                "ip link add d0 type bridge && tc qdisc add dev d0 root tbf rate 1mbit burst 10k limit 9k");
        assert_int_equal(set(&socket, "vl-12310", 20 * MBIT), 0);
        assert_int_equal(set(&socket, "br-123", 30 * MBIT), 0);
        assert_int_equal(qdisc_list_rates(&socket, &rates), 0);
        assert_int_equal(rates.n_items, 2);
        for (size_t i = 0; i < rates.n_items; i++)
                assert_int_equal(rates.items[i].bits,
                        rates.items[i].index == index_of("br-123") ? 30 * MBIT : 20 * MBIT);
}

static void a_seat_gets_its_rate_and_no_more(void **state) {
        _cleanup_link_socket_ struct link_socket socket = {0}, inside = {0};
        unsigned down, up, down_free, up_free;

        (void)state;
        assert_int_equal(link_open(&socket), 0);
        make_course();
        open_socket_in("ns12310", &inside);
        assert_int_equal(set(&socket, "vl-12310", 40 * MBIT), 0);
        assert_int_equal(qdisc_set_rate(&inside, index_in(&inside, "vr-12310"), 20 * MBIT), 0);
        down = measure(NULL, "ns12310", "10.0.123.10");
        up = measure("ns12310", NULL, "10.0.123.1");

        assert_int_equal(set(&socket, "vl-12310", 0), 0);
        assert_int_equal(qdisc_set_rate(&inside, index_in(&inside, "vr-12310"), 0), 0);
        down_free = measure(NULL, "ns12310", "10.0.123.10");
        up_free = measure("ns12310", NULL, "10.0.123.1");
        print_message("Mbit/s: down %u of 40, up %u of 20; without a limit %u and %u\n", down, up, down_free,
                up_free);
        assert_in_range(down, 25, 44);
        assert_in_range(up, 12, 23);
        assert_true(down_free > 80 && up_free > 80);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_limit_is_made_changed_and_taken_away),
                sandbox_test(an_impairment_is_written_and_read),
                sandbox_test(a_kernel_without_netem_still_has_the_rate),
                sandbox_test(rates_of_any_size_come_back),
                sandbox_test(our_limit_wins_over_another_root_qdisc),
                sandbox_test(no_limit_leaves_another_qdisc_alone),
                sandbox_test(only_our_limits_are_listed),
                sandbox_test(a_seat_gets_its_rate_and_no_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
