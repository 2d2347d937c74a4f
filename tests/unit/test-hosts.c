/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The section [hosts], and what it makes of the plans of a spread course. */

#include "fixture.h"

#include "hosts.h"
#include "plan.h"

#define HOSTS                                                                                                \
        "[hosts]\nmembers = hosta=192.0.2.1\nmembers = hostb=192.0.2.2\nstore = https://192.0.2.1:2379\n"    \
        "host-name = hostb\nhandover = ssh %u@%h.example.edu (100%%)\n"

static void load(const char *text, struct settings *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        write_file(SETTINGS_FILE, text);
        if (settings_load(etc, ret, &diagnostics) < 0)
                show_findings(&diagnostics);
        assert_clean(&diagnostics);
}

static void test_members(void **state) {
        _cleanup_settings_ struct settings settings = {0};
        struct host_member member;
        char reason[256] = "";

        (void)state;
        load(HOSTS, &settings);
        assert_true(hosts_configured(&settings));
        assert_int_equal(settings.hosts.n_members, 2);
        assert_string_equal(hosts_member(&settings, 0).name, "hosta");
        assert_int_equal(hosts_find(&settings, "hosta", &member), 0);
        assert_int_equal(member.address, 0xc0000201);
        assert_int_equal(hosts_find(&settings, "hostc", &member), -ENOENT);
        assert_int_equal(hosts_own(&settings, &member, reason, sizeof(reason)), 0);
        assert_string_equal(member.name, "hostb");
        assert_int_equal(member.address, 0xc0000202);
}

static void test_not_a_member(void **state) {
        _cleanup_settings_ struct settings settings = {0};
        struct host_member member;
        char reason[256] = "", name[HOST_NAME_SIZE] = "";

        (void)state;
        load("[hosts]\nmembers = not-this-machine=192.0.2.1\nstore = https://192.0.2.1:2379\n", &settings);
        assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
        name[strcspn(name, ".")] = '\0';
        assert_int_equal(hosts_own(&settings, &member, reason, sizeof(reason)), -ENOENT);
        assert_non_null(strstr(reason, name));
        assert_non_null(strstr(reason, "=ADDRESS to members, or set host-name"));
}

static void test_alone(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_id id = {.course = "123", .number = 10};
        struct bridge_plan bridge;
        struct seat_plan seat;

        (void)state;
        load("", &settings);
        assert_false(hosts_configured(&settings));
        assert_int_equal(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics), 0);
        assert_int_equal(bridge.vni, 0);
        assert_int_equal(bridge.underlay, 0);
        assert_int_equal(seat_plan_load(etc, &settings, &id, &seat, &diagnostics), 0);
        assert_false(seat.spread);
        assert_clean(&diagnostics);
}

static void test_spread_plan(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_id id = {.course = "123", .number = 10};
        struct bridge_plan bridge;
        struct seat_plan seat;

        (void)state;
        load(HOSTS
                "[site]\nnetwork6 = off\n[course 123]\nspread = yes\n[course 124]\nspread = yes\nvni = 7\n",
                &settings);
        assert_int_equal(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics), 0);
        assert_string_equal(bridge.vxlan, "vx-123");
        assert_int_equal(bridge.vni, 100123);
        assert_int_equal(bridge.underlay, 0xc0000202);
        assert_int_equal(seat_plan_load(etc, &settings, &id, &seat, &diagnostics), 0);
        assert_true(seat.spread);

        assert_int_equal(bridge_plan_load(etc, &settings, "124", &bridge, &diagnostics), 0);
        assert_int_equal(bridge.vni, 7);
        assert_int_equal(bridge_plan_load(etc, &settings, "125", &bridge, &diagnostics), 0);
        assert_int_equal(bridge.vni, 0);
        assert_clean(&diagnostics);
}

/* The seat of a course that is not spread may be on the bridge of one that is. */
static void test_guest_on_spread_bridge(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_id id = {.course = "125", .number = 10};
        struct seat_plan seat;

        (void)state;
        load(HOSTS "[course 123]\nsubnet6 = fd00:0:0:123::/64\nspread = yes\n", &settings);
        write_file("netns/ns12510.conf", "BR=br-123\nVR_IP=10.0.123.200\n");
        assert_int_equal(seat_plan_load(etc, &settings, &id, &seat, &diagnostics), 0);
        assert_true(seat.spread);
        assert_clean(&diagnostics);
}

static void test_no_plan_without_a_name(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct bridge_plan bridge = {.vni = 9};

        (void)state;
        load("[hosts]\nmembers = not-this-machine=192.0.2.1\nstore = "
             "https://192.0.2.1:2379\n[site]\nnetwork6 = "
             "off\n[course 123]\nspread = yes\n",
                &settings);
        assert_int_equal(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics), -ENOENT);
        assert_int_equal(bridge.vni, 9);
        assert_int_equal(diagnostics.n_errors, 1);
        assert_non_null(strstr(diagnostics.items[0].text, "course 123: this server"));
        assert_int_equal(bridge_plan_load(etc, &settings, "124", &bridge, &diagnostics), 0);
}

static void test_handover(void **state) {
        _cleanup_settings_ struct settings settings = {0}, none = {0};
        char text[64];

        (void)state;
        load(HOSTS, &settings);
        hosts_handover(&settings, "cs123-ada", "hosta", text, sizeof(text));
        assert_string_equal(text, "ssh cs123-ada@hosta.example.edu (100%)");
        hosts_handover(&settings, "cs123-ada", "hosta", text, 20);
        assert_string_equal(text, "");
        load("", &none);
        hosts_handover(&none, "cs123-ada", "hosta", text, sizeof(text));
        assert_string_equal(text, "");
}

static void test_what_is_no_member(void **state) {
        static const char *const rows[] = {"", "hosta", "hosta=", "=192.0.2.1", "hosta=192.0.2.1/24",
                "host_a=192.0.2.1", "hosta=192.0.2", "hosta=2001:db8::1",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=192.0.2.1"};
        struct host_member member;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (host_member_parse(rows[i], &member) >= 0)
                        fail_msg("accepted: %s", rows[i]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_members),
                TEST(test_not_a_member),
                TEST(test_alone),
                TEST(test_spread_plan),
                TEST(test_guest_on_spread_bridge),
                TEST(test_no_plan_without_a_name),
                TEST(test_handover),
                TEST(test_what_is_no_member),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
