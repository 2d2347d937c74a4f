/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The address plan: computed values, values that an administrator sets, and impossible ones. */

#include "fixture.h"

#include "plan.h"

/* Settings as a file with this text gives them. */
static void load(const char *text, struct settings *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        write_file(SETTINGS_FILE, text);
        assert_int_equal(settings_load(etc, ret, &diagnostics), 0);
        assert_clean(&diagnostics);
}

static void assert_address(const struct address *address, const char *expected) {
        char text[ADDRESS_TEXT_SIZE];

        address_format(address, text);
        assert_string_equal(text, expected);
}

static void assert_ip(uint32_t ip, const char *expected) {
        char text[ADDRESS_TEXT_SIZE];

        address_format_ip(ip, text);
        assert_string_equal(text, expected);
}

static int plan_seat(const struct settings *settings, const char *seat, struct seat_plan *ret,
        struct diagnostics *diagnostics) {
        struct seat_id id;

        assert_int_equal(seat_id_parse(seat, settings->course_digits, &id), 0);
        return seat_plan_load(etc, settings, &id, ret, diagnostics);
}

static void test_computed(void **state) {
        static const struct {
                const char *settings, *seat, *bridge, *gateway, *address;
        } rows[] = {
                {"", "12310", "br-123", "10.0.123.1/24", "10.0.123.10/24"},
                {"", "0002", "br-000", "10.0.0.1/24", "10.0.0.2/24"},
                {"", "25510", "br-255", "10.0.255.1/24", "10.0.255.10/24"},
                {"", "25610", "br-256", "10.1.0.1/24", "10.1.0.10/24"},
                {"", "377254", "br-377", "10.1.121.1/24", "10.1.121.254/24"},
                {"", "99910", "br-999", "10.3.231.1/24", "10.3.231.10/24"},
                {"[site]\ncourse-digits = 4\n", "123410", "br-1234", "10.4.210.1/24", "10.4.210.10/24"},
                {"[site]\ncourse-digits = 4\n", "012310", "br-0123", "10.0.123.1/24", "10.0.123.10/24"},
                {"[site]\ncourse-digits = 4\n", "999910", "br-9999", "10.39.15.1/24", "10.39.15.10/24"},
                {"[site]\nprefix = 22\n", "1231022", "br-123", "10.1.236.1/22", "10.1.239.254/22"},
                {"[site]\nprefix = 30\nfirst-seat = 2\n", "1232", "br-123", "10.0.1.237/30", "10.0.1.238/30"},
                {"[site]\nnetwork = 172.16.0.0/12\n", "12310", "br-123", "172.16.123.1/24",
                        "172.16.123.10/24"},
                {"[course 123]\nsubnet = 192.168.4.0/22\n", "123700", "br-123", "192.168.4.1/22",
                        "192.168.6.188/22"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};
                struct bridge_plan bridge;
                struct seat_plan seat;

                load(rows[i].settings, &settings);
                assert_int_equal(plan_seat(&settings, rows[i].seat, &seat, &diagnostics), 0);
                assert_int_equal(bridge_plan_load(etc, &settings, seat.id.course, &bridge, &diagnostics), 0);
                assert_clean(&diagnostics);

                assert_string_equal(bridge.name, rows[i].bridge);
                assert_address(&bridge.address, rows[i].gateway);
                assert_address(&seat.address, rows[i].address);
                assert_string_equal(seat.bridge, rows[i].bridge);
                assert_string_equal(seat.bridge_course, seat.id.course);
                assert_int_equal(seat.gateway, bridge.address.ip);
        }
}

static void test_names(void **state) {
        struct bridge_plan bridge;
        struct seat_plan seat;

        (void)state;
        seat_plan_name("12310", &seat);
        assert_string_equal(seat.name, "12310");
        assert_string_equal(seat.link, "vl-12310");
        assert_string_equal(seat.peer, "vr-12310");
        assert_string_equal(seat.netns, "ns12310");

        /* The longest id there can be still fits. */
        seat_plan_name("12345665534", &seat);
        assert_string_equal(seat.link, "vl-12345665534");
        assert_string_equal(seat.netns, "ns12345665534");
        bridge_plan_name("123456", &bridge);
        assert_string_equal(bridge.name, "br-123456");
}

static void test_courses_of_bridges(void **state) {
        (void)state;
        assert_string_equal(bridge_course("br-123"), "123");
        assert_string_equal(bridge_course("br-123456"), "123456");
        assert_null(bridge_course("br-1234567"));
        assert_null(bridge_course("br-"));
        assert_null(bridge_course("br-1a"));
        assert_null(bridge_course("vl-123"));
        assert_null(bridge_course("br"));
}

static void test_courses_that_cannot_be(void **state) {
        static const struct {
                const char *settings, *course, *words;
        } rows[] = {
                {"", "12", "exactly 3 digits"},
                {"", "1234", "exactly 3 digits"},
                {"", "12a", "a number"},
                {"", "", "a number"},
                {"", "../etc", "a number"},
                {"[site]\ncourse-digits = 4\n", "123", "exactly 4 digits"},
                {"[site]\nnetwork = 10.0.0.0/16\n", "256", "subnet in [course 256]"},
                {"[site]\nnetwork = 10.0.0.0/24\n", "001", "wider network"},
                {"[site]\ncourse-digits = 6\n", "065536", "has no subnet number 65536"},
                {"[site]\nnetwork6 = 2001:db8::/56\n", "123",
                        "network6 = 2001:db8::/56 has no /64 with the number 123: set a wider network6, "
                        "subnet6 in "
                        "[course 123], or network6 = off"},
                {"[site]\nnetwork6 = 2001:db8::/64\n", "001", "has no /64 with the number 1"},
                {"[site]\nnetwork6 = 2001:db8::/48\ncourse-digits = 5\n", "12345",
                        "has no /64 with the number 12345"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};
                struct bridge_plan bridge = {.name = "untouched"};

                load(rows[i].settings, &settings);
                assert_int_equal(
                        bridge_plan_load(etc, &settings, rows[i].course, &bridge, &diagnostics), -EINVAL);
                assert_error(&diagnostics, 0, rows[i].words);
                assert_string_equal(bridge.name, "untouched");
        }
}

static void test_bridge_overrides(void **state) {
        static const struct {
                const char *text, *gateway, *seat_address;
        } rows[] = {
                {"BR_IP=10.0.123.1\n", "10.0.123.1/24", "10.0.123.10/24"},
                {"BR_IP=10.9.0.1\n", "10.9.0.1/24", "10.9.0.10/24"},
                {"BR_IP=10.9.0.1/22\n", "10.9.0.1/22", "10.9.0.10/22"},
                {"BR_IP=10.9.0.129/25", "10.9.0.129/25", "10.9.0.138/25"},
                {"BR_IP=\"10.9.0.1\"\n", "10.9.0.1/24", "10.9.0.10/24"},
                {"BR_IP='10.9.0.1/24'\r\n", "10.9.0.1/24", "10.9.0.10/24"},
                {"# the seed's\n; too\n\n  BR_IP = 10.9.0.254 \n", "10.9.0.254/24", "10.9.0.10/24"},
                {"BR_IP=10.8.0.1\nBR_IP=10.9.0.1\n", "10.9.0.1/24", "10.9.0.10/24"},
                {"MY_OWN=thing\nBR_IP=10.9.0.1\n", "10.9.0.1/24", "10.9.0.10/24"},
                {"", "10.0.123.1/24", "10.0.123.10/24"},
        };
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        load("", &settings);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct bridge_plan bridge;
                struct seat_plan seat;

                write_file("netns/bridge-123.conf", rows[i].text);
                assert_int_equal(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics), 0);
                assert_int_equal(plan_seat(&settings, "12310", &seat, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_address(&bridge.address, rows[i].gateway);
                assert_address(&seat.address, rows[i].seat_address);
                assert_int_equal(seat.gateway, bridge.address.ip);
        }
}

static void test_seat_overrides(void **state) {
        static const struct {
                const char *seat, *text, *bridge, *bridge_course, *gateway, *address;
        } rows[] = {
                /* The seed's own file. */
                {"12310", "VR_IP=10.0.123.10\nBR=br-123\nBR_IP=10.0.123.1", "br-123", "123", "10.0.123.1",
                        "10.0.123.10/24"},
                {"12310", "VR_IP=10.0.123.99\n", "br-123", "123", "10.0.123.1", "10.0.123.99/24"},
                {"12310", "VR_IP=10.0.120.99/16\n", "br-123", "123", "10.0.123.1", "10.0.120.99/16"},
                {"12310", "BR_IP=10.0.123.2\n", "br-123", "123", "10.0.123.2", "10.0.123.10/24"},
                {"12310", "BR=lab0\n", "lab0", "", "10.0.123.1", "10.0.123.10/24"},
                {"12310", "BR=br-lab\n", "br-lab", "", "10.0.123.1", "10.0.123.10/24"},
                {"12310", "BR=br-1234\n", "br-1234", "", "10.0.123.1", "10.0.123.10/24"},
                {"12310", "BR=br-377\nVR_IP=10.1.121.77\n", "br-377", "377", "10.1.121.1", "10.1.121.77/24"},
                {"12310", "BR=lab0\nBR_IP=10.7.0.1\nVR_IP=10.7.0.9\n", "lab0", "", "10.7.0.1", "10.7.0.9/24"},
                /* A number that the subnet does not have is fine with an address of its own. */
                {"123700", "VR_IP=10.0.123.200\n", "br-123", "123", "10.0.123.1", "10.0.123.200/24"},
        };
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        load("", &settings);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct seat_plan seat;
                char name[64];

                (void)snprintf(name, sizeof(name), "netns/ns%s.conf", rows[i].seat);
                write_file(name, rows[i].text);
                if (plan_seat(&settings, rows[i].seat, &seat, &diagnostics) < 0)
                        show_findings(&diagnostics);
                assert_clean(&diagnostics);
                assert_string_equal(seat.bridge, rows[i].bridge);
                assert_string_equal(seat.bridge_course, rows[i].bridge_course);
                assert_ip(seat.gateway, rows[i].gateway);
                assert_address(&seat.address, rows[i].address);
        }
}

static void test_broken_bridge_overrides(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } rows[] = {
                {"BR_IP=10.0.123\n", 1, "expected an IPv4 address"},
                {"\n# x\nBR_IP=10.0.123.300\n", 3, "expected an IPv4 address"},
                {"BR_IP=\n", 1, "expected an IPv4 address"},
                {"BR_IP=10.0.123.1 # gateway\n", 1, "expected an IPv4 address"},
                {"BR_IP=10.0.123.1/15\n", 1, "prefix from 16 to 30"},
                {"BR_IP=10.0.123.1/31\n", 1, "prefix from 16 to 30"},
                {"BR_IP=10.0.123.0\n", 1, "broadcast"},
                {"BR_IP=10.0.123.255\n", 1, "broadcast"},
                {"BR_IP 10.0.123.1\n", 1, "expected NAME=VALUE"},
                {"A=b\nVR_IP=10.0.123.10\n", 2, "does not belong here"},
                {"BR=br-123\n", 1, "does not belong here"},
        };
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        load("", &settings);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct bridge_plan bridge = {.name = "untouched"};

                write_file("netns/bridge-123.conf", rows[i].text);
                assert_true(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics) < 0);
                assert_error(&diagnostics, rows[i].line, rows[i].words);
                assert_string_equal(bridge.name, "untouched");
        }
}

static void test_broken_seat_overrides(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } rows[] = {
                {"VR_IP=10.0.123\n", 1, "VR_IP=10.0.123: expected an IPv4 address"},
                {"BR=br-123\nVR_IP=10.0.123.0\n", 2, "broadcast"},
                {"VR_IP=10.0.123.1\n", 1, "its gateway's address"},
                {"VR_IP=10.0.124.10\n", 1, "the gateway 10.0.123.1 is not in the subnet of seat 12310"},
                {"BR=br-377\n", 1, "the gateway 10.1.121.1 is not in the subnet"},
                {"BR=\n", 1, "expected the name of a bridge"},
                {"BR=a/b\n", 1, "expected the name of a bridge"},
                {"BR=a b\n", 1, "expected the name of a bridge"},
                {"BR=..\n", 1, "expected the name of a bridge"},
                {"BR=sixteen-letters-\n", 1, "expected the name of a bridge"},
                {"BR_IP=nonsense\n", 1, "expected an IPv4 address"},
                {"nonsense\n", 1, "expected NAME=VALUE"},
        };
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        load("", &settings);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct seat_plan seat = {.name = "untouched"};

                write_file("netns/ns12310.conf", rows[i].text);
                assert_true(plan_seat(&settings, "12310", &seat, &diagnostics) < 0);
                assert_error(&diagnostics, rows[i].line, rows[i].words);
                assert_string_equal(seat.name, "untouched");
        }
}

/* Only root may have written them. */
static void test_untrusted_overrides(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan seat;

        (void)state;
        load("", &settings);
        write_file("netns/ns12310.conf", "VR_IP=10.0.123.10\n");
        assert_int_equal(chmod(etc_path("netns/ns12310.conf"), 0666), 0);
        assert_int_equal(plan_seat(&settings, "12310", &seat, &diagnostics), -EPERM);
        assert_error(&diagnostics, 0, "chmod go-w");
}

static void test_seat_outside_the_subnet(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan seat;

        (void)state;
        load("", &settings);
        assert_int_equal(plan_seat(&settings, "123254", &seat, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_true(plan_seat(&settings, "123255", &seat, &diagnostics) < 0);
        assert_error(&diagnostics, 0, "ends at seat number 254");
}

/* A bridge whose address is a seat's: the seat cannot be, the others can. */
static void test_gateway_on_a_seat(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan seat;

        (void)state;
        load("", &settings);
        write_file("netns/bridge-123.conf", "BR_IP=10.0.123.10\n");
        assert_int_equal(plan_seat(&settings, "12311", &seat, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_true(plan_seat(&settings, "12310", &seat, &diagnostics) < 0);
        assert_error(&diagnostics, 0, "has its gateway's address");
}

static void assert_address6(const struct address6 *address, const char *expected) {
        char text[ADDRESS6_TEXT_SIZE] = "";

        if (address6_is_set(address))
                address6_format(address, text);
        assert_string_equal(text, expected);
}

#define NETWORK6 "[site]\nnetwork6 = 2001:db8:1::/48\n"

/* Empty: no IPv6. */
static void test_computed6(void **state) {
        static const struct {
                const char *settings, *override, *seat, *bridge, *gateway, *address;
        } rows[] = {
                {NETWORK6, "", "12310", "2001:db8:1:123::1/64", "2001:db8:1:123::1/64",
                        "2001:db8:1:123::10/64"},
                {NETWORK6, "", "0002", "2001:db8:1::1/64", "2001:db8:1::1/64", "2001:db8:1::2/64"},
                {NETWORK6, "", "999254", "2001:db8:1:999::1/64", "2001:db8:1:999::1/64",
                        "2001:db8:1:999::254/64"},
                {NETWORK6 "course-digits = 4\n", "", "123499", "2001:db8:1:1234::1/64",
                        "2001:db8:1:1234::1/64", "2001:db8:1:1234::99/64"},
                {"[site]\nnetwork6 = fd00:1::/32\ncourse-digits = 6\n", "", "02345610", "fd00:1:2:3456::1/64",
                        "fd00:1:2:3456::1/64", "fd00:1:2:3456::10/64"},
                /* Six digits of a course, five of a seat. */
                {"[site]\nnetwork6 = fd00:1::/32\ncourse-digits = 6\nprefix = 16\nnetwork = 0.0.0.0/0\n", "",
                        "01234565534", "fd00:1:1:2345::1/64", "fd00:1:1:2345::1/64",
                        "fd00:1:1:2345::6:5534/64"},
                {"[site]\nnetwork6 = off\n", "", "12310", "", "", ""},
                {"[site]\nnetwork6 = off\n[course 123]\nsubnet6 = 2001:db8::/64\n", "", "12310",
                        "2001:db8::1/64", "2001:db8::1/64", "2001:db8::10/64"},
                {NETWORK6 "[course 123]\nsubnet6 = fd00::/64\n", "", "12310", "fd00::1/64", "fd00::1/64",
                        "fd00::10/64"},
                /* The number counts, whatever the IPv4 address. */
                {NETWORK6, "VR_IP=10.0.123.77\n", "12310", "2001:db8:1:123::1/64", "2001:db8:1:123::1/64",
                        "2001:db8:1:123::10/64"},
                {NETWORK6, "BR_IP=10.0.123.2\n", "12310", "2001:db8:1:123::1/64", "2001:db8:1:123::1/64",
                        "2001:db8:1:123::10/64"},
                {NETWORK6, "BR=br-123\n", "12310", "2001:db8:1:123::1/64", "2001:db8:1:123::1/64",
                        "2001:db8:1:123::10/64"},
                /* A guest is in the subnet of its bridge, where seat 10 of the bridge's course is, too. */
                {NETWORK6, "BR=br-124\nVR_IP=10.0.124.77\n", "12310", "2001:db8:1:123::1/64",
                        "2001:db8:1:124::1/64", "2001:db8:1:124:c00:123:0:10/64"},
                {NETWORK6, "BR=br-124\nVR_IP=10.0.124.77\n", "00010", "2001:db8:1::1/64",
                        "2001:db8:1:124::1/64", "2001:db8:1:124:c00::10/64"},
                {NETWORK6 "[course 124]\nsubnet6 = fd00::/64\n", "BR=br-124\nVR_IP=10.0.124.77\n", "12310",
                        "2001:db8:1:123::1/64", "fd00::1/64", "fd00::c00:123:0:10/64"},
                {"[site]\nnetwork6 = off\n[course 123]\nsubnet6 = fd00::/64\n",
                        "BR=br-124\nVR_IP=10.0.124.77\n", "12310", "fd00::1/64", "", ""},
                {NETWORK6, "BR=lab0\n", "12310", "2001:db8:1:123::1/64", "", ""},
                {NETWORK6, "BR=br-1234\n", "12310", "2001:db8:1:123::1/64", "", ""},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};
                struct bridge_plan bridge;
                struct seat_plan seat;
                char name[64];

                (void)snprintf(name, sizeof(name), "netns/ns%s.conf", rows[i].seat);
                write_file(name, rows[i].override);
                load(rows[i].settings, &settings);
                if (plan_seat(&settings, rows[i].seat, &seat, &diagnostics) < 0)
                        show_findings(&diagnostics);
                assert_int_equal(bridge_plan_load(etc, &settings, seat.id.course, &bridge, &diagnostics), 0);
                assert_clean(&diagnostics);

                assert_address6(&bridge.address6, rows[i].bridge);
                assert_address6(&seat.gateway6, rows[i].gateway);
                assert_address6(&seat.address6, rows[i].address);
        }
}

/* Nobody asked for the network by default, so a course that has no place in it is no mistake. */
static void test_course_outside_the_default_network6(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct bridge_plan bridge;
        struct seat_plan seat;

        (void)state;
        load("[site]\ncourse-digits = 5\n", &settings);
        assert_int_equal(plan_seat(&settings, "1234510", &seat, &diagnostics), 0);
        assert_int_equal(bridge_plan_load(etc, &settings, "12345", &bridge, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_address(&bridge.address, "10.48.57.1/24");
        assert_address6(&bridge.address6, "");
        assert_int_equal(bridge.traffic.nat6, CHOICE_NO);
        assert_address6(&seat.address6, "");
        assert_address6(&seat.gateway6, "");
}

static void assert_mac(const struct mac *mac, const char *expected) {
        char text[MAC_TEXT_SIZE];

        mac_format(mac, text);
        assert_string_equal(text, expected);
}

static void test_macs(void **state) {
        static const struct {
                const char *file, *text, *bridge, *link, *peer;
        } rows[] = {
                {"netns/none.conf", "", "02:63:0a:00:7b:01", "06:63:0a:00:7b:0a", "02:63:0a:00:7b:0a"},
                {"netns/bridge-123.conf", "BR_IP=10.9.0.254\n", "02:63:0a:09:00:fe", "06:63:0a:09:00:0a",
                        "02:63:0a:09:00:0a"},
                {"netns/ns12310.conf", "VR_IP=10.0.123.77\n", "02:63:0a:00:7b:01", "06:63:0a:00:7b:4d",
                        "02:63:0a:00:7b:4d"},
                {"netns/ns12310.conf", "BR_IP=10.0.123.2\n", "02:63:0a:00:7b:01", "06:63:0a:00:7b:0a",
                        "02:63:0a:00:7b:0a"},
        };
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        load("", &settings);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct bridge_plan bridge;
                struct seat_plan seat;

                write_file(rows[i].file, rows[i].text);
                assert_int_equal(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics), 0);
                assert_int_equal(plan_seat(&settings, "12310", &seat, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_int_equal(unlink(etc_path(rows[i].file)), 0);

                assert_mac(&bridge.mac, rows[i].bridge);
                assert_mac(&seat.link_mac, rows[i].link);
                assert_mac(&seat.peer_mac, rows[i].peer);
        }
}

/* Whether IPv6 is translated depends on what the subnet is, unless somebody says so. */
static void test_nat6(void **state) {
        static const struct {
                const char *settings;
                enum choice nat6;
        } rows[] = {
                {"[site]\nnetwork6 = 2001:db8::/48\n", CHOICE_NO},
                {"[site]\nnetwork6 = fd00:1:2::/48\n", CHOICE_YES},
                {"[site]\nnetwork6 = off\n", CHOICE_NO},
                {"[site]\nnetwork6 = 2001:db8::/48\nnat6 = yes\n", CHOICE_YES},
                {"[site]\nnetwork6 = fd00:1:2::/48\nnat6 = no\n", CHOICE_NO},
                {"[site]\nnetwork6 = 2001:db8::/48\n[course 123]\nnat6 = yes\n", CHOICE_YES},
                {"[site]\nnetwork6 = 2001:db8::/48\n[course 124]\nnat6 = yes\n", CHOICE_NO},
                {"[site]\nnetwork6 = 2001:db8::/48\nnat6 = yes\n[course 123]\nnat6 = no\n", CHOICE_NO},
                {"[site]\nnetwork6 = 2001:db8::/48\n[course 123]\nsubnet6 = fd00::/64\n", CHOICE_YES},
                {"[site]\nnetwork6 = fd00:1:2::/48\n[course 123]\nsubnet6 = 2001:db8::/64\n", CHOICE_NO},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};
                struct bridge_plan bridge;

                load(rows[i].settings, &settings);
                assert_int_equal(bridge_plan_load(etc, &settings, "123", &bridge, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_int_equal(bridge.traffic.nat6, rows[i].nat6);
        }
}

/* A seat has what its own course has, on whichever bridge it is. */
static void test_seat_of_a_course_with_settings(void **state) {
        static const struct {
                const char *settings, *override;
                enum isolation isolation;
                uint64_t rate;
                bool dns;
        } rows[] = {
                {"", "", ISOLATION_COURSE, 0, true},
                {"[site]\nisolation = seat\n", "", ISOLATION_SEAT, 0, true},
                {"[site]\nisolation = seat\n[course 123]\nisolation = none\n", "", ISOLATION_NONE, 0, true},
                {"[site]\nrate = 10M\n", "", ISOLATION_COURSE, 10000000, true},
                {"[site]\nrate = 10M\n[course 123]\nrate = none\n", "", ISOLATION_COURSE, 0, true},
                {"[site]\ncourse-rate = 10M\n", "", ISOLATION_COURSE, 0, true},
                {"[site]\ndns = off\n", "", ISOLATION_COURSE, 0, false},
                {"[site]\ndns = 192.0.2.1\n", "", ISOLATION_COURSE, 0, true},
                {"[course 123]\nisolation = seat\nrate = 1G\n[course 124]\nisolation = none\nrate = 1M\n",
                        "BR=br-124\nVR_IP=10.0.124.77\n", ISOLATION_SEAT, 1000000000, true},
                {"", "BR=lab0\n", ISOLATION_COURSE, 0, false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};
                struct seat_plan seat;

                load(rows[i].settings, &settings);
                write_file("netns/ns12310.conf", rows[i].override);
                assert_int_equal(plan_seat(&settings, "12310", &seat, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_int_equal(seat.isolation, rows[i].isolation);
                assert_int_equal(seat.rate, rows[i].rate);
                assert_int_equal(seat.dns, rows[i].dns);
        }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_computed),
                TEST(test_names),
                TEST(test_courses_of_bridges),
                TEST(test_courses_that_cannot_be),
                TEST(test_bridge_overrides),
                TEST(test_seat_overrides),
                TEST(test_broken_bridge_overrides),
                TEST(test_broken_seat_overrides),
                TEST(test_untrusted_overrides),
                TEST(test_seat_outside_the_subnet),
                TEST(test_gateway_on_a_seat),
                TEST(test_computed6),
                TEST(test_course_outside_the_default_network6),
                TEST(test_macs),
                TEST(test_nat6),
                TEST(test_seat_of_a_course_with_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
