/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's limits and the rosters: Debian's defaults are enough for a small site, and then there is no
 * warning.
 */

#include "fixture.h"

#include "ctl/check/limits.h"

/* Of a Debian host with 8 GiB. */
static const struct limits debian = {{
        [LIMIT_NEIGH4_THRESH1] = 128,
        [LIMIT_NEIGH4_THRESH2] = 512,
        [LIMIT_NEIGH4_THRESH3] = 1024,
        [LIMIT_NEIGH6_THRESH1] = 128,
        [LIMIT_NEIGH6_THRESH2] = 512,
        [LIMIT_NEIGH6_THRESH3] = 1024,
        [LIMIT_NET_NAMESPACES] = 31000,
        [LIMIT_CONNTRACK] = 262144,
        [LIMIT_INOTIFY_INSTANCES] = 128,
}};

static void test_a_small_site_has_no_findings(void **state) {
        static const struct limits_need need = {
                .n_seats = 100, .n_seats6 = 100, .n_nat = 100, .has_units = true, .n_ports = 50};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct limits wanted;

        (void)state;
        limits_check(&debian, &need, &wanted, &diagnostics);
        assert_clean(&diagnostics);
        for (size_t i = 0; i < _LIMIT_MAX; i++)
                assert_int_equal(wanted.values[i], 0);
}

static void test_each_limit(void **state) {
        static const struct {
                struct limits_need need;
                enum limit limit;
                uint64_t value, wanted;
                const char *words;
        } rows[] = {
                {{.n_seats = 300}, LIMIT_NEIGH4_THRESH3, 1024, 2048,
                        "set net.ipv4.neigh.default.gc_thresh3 = 2048 (in /etc/sysctl.d/60-coursenet.conf)"},
                {{.n_seats6 = 300}, LIMIT_NEIGH6_THRESH3, 1024, 2048,
                        "set net.ipv6.neigh.default.gc_thresh3 = 2048"},
                {{.n_seats = 200}, LIMIT_NET_NAMESPACES, 250, 512, "set user.max_net_namespaces = 512"},
                {{.n_nat = 1000}, LIMIT_CONNTRACK, 65536, 131072,
                        "set net.netfilter.nf_conntrack_max = 131072"},
                {{.n_name_servers = 129}, LIMIT_INOTIFY_INSTANCES, 128, 256,
                        "set fs.inotify.max_user_instances = 256"},
                {{.has_units = true}, LIMIT_INOTIFY_INSTANCES, 64, 128,
                        "set fs.inotify.max_user_instances = 128"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct limits limits = debian, wanted;

                limits.values[rows[i].limit] = rows[i].value;
                limits_check(&limits, &rows[i].need, &wanted, &diagnostics);
                assert_warning(&diagnostics, 0, rows[i].words);
                assert_int_equal(diagnostics.n_items, 1);
                assert_string_equal(diagnostics.items[0].path, limit_name(rows[i].limit));
                assert_int_equal(wanted.values[rows[i].limit], rows[i].wanted);
        }
}

static void test_the_thresholds_keep_their_distance(void **state) {
        static const struct limits_need need = {.n_seats = 900};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct limits wanted;

        (void)state;
        limits_check(&debian, &need, &wanted, &diagnostics);
        assert_int_equal(wanted.values[LIMIT_NEIGH4_THRESH3], 4096);
        assert_int_equal(wanted.values[LIMIT_NEIGH4_THRESH2], 2048);
        assert_int_equal(wanted.values[LIMIT_NEIGH4_THRESH1], 1024);
        assert_int_equal(wanted.values[LIMIT_NEIGH6_THRESH3], 0);
}

/* Without the module there is no limit to be too small, nor without IPv6. */
static void test_a_limit_that_is_not_there(void **state) {
        static const struct limits_need need = {
                .n_seats = 9000, .n_seats6 = 9000, .n_nat = 9000, .has_units = true};
        static const struct limits none = {0};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct limits wanted;

        (void)state;
        limits_check(&none, &need, &wanted, &diagnostics);
        assert_clean(&diagnostics);
}

static void test_a_bridge_has_1023_ports(void **state) {
        struct limits_need need = {.bridge = "br-123", .n_ports = 1023};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct limits wanted;

        (void)state;
        limits_check(&debian, &need, &wanted, &diagnostics);
        assert_clean(&diagnostics);
        need.n_ports = 1024;
        limits_check(&debian, &need, &wanted, &diagnostics);
        assert_warning(&diagnostics, 0, "has 1024 seats on the roster, but a Linux bridge has 1023 ports");
        assert_string_equal(diagnostics.items[0].path, "br-123");
}

static void test_reading(void **state) {
        struct limits limits;

        (void)state;
        assert_return_code(mkdir(etc_path("fs"), 0755), errno);
        write_file("fs/inotify/max_user_instances", "128\n");
        assert_return_code(mkdir(etc_path("user"), 0755), errno);
        write_file("user/max_net_namespaces", "nonsense\n");
        limits_read(etc, &limits);
        assert_int_equal(limits.values[LIMIT_INOTIFY_INSTANCES], 128);
        assert_int_equal(limits.values[LIMIT_NET_NAMESPACES], 0);
        assert_int_equal(limits.values[LIMIT_CONNTRACK], 0);
}

/* Seats count on the bridge that they are on. */
static void test_counting(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};
        struct limits_need need;

        (void)state;
        write_file("coursenet.conf", "[site]\nfirst-seat = 10\n[course 377]\nunits = notebook\n");
        write_file("roster.d/123", "amy 10\nbob 11\n#removed carl 12\n");
        write_file("roster.d/377", "zed 10\nyve 11\nxan 12\n");
        write_file("netns/ns37710.conf", "BR=br-123\nVR_IP=10.0.123.77\n");
        assert_int_equal(site_load(etc, &site, &diagnostics), 0);
        assert_clean(&diagnostics);

        assert_int_equal(limits_count(&site, &need), 0);
        assert_int_equal(need.n_seats, 5);
        assert_true(need.has_units);
        assert_string_equal(need.bridge, "br-123");
        assert_int_equal(need.n_ports, 3);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_a_small_site_has_no_findings),
                TEST(test_each_limit),
                TEST(test_the_thresholds_keep_their_distance),
                TEST(test_a_limit_that_is_not_there),
                TEST(test_a_bridge_has_1023_ports),
                TEST(test_reading),
                TEST(test_counting),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
