/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IPv6 addresses: which texts are accepted, which are refused, the arithmetic, and the addresses that belong
 * to MAC addresses.
 */

#include "fixture.h"

#include "mac.h"

static struct address6 parse(const char *text) {
        struct address6 address;

        assert_int_equal(address6_parse(text, 128, &address), 0);
        return address;
}

static void assert_text(const struct address6 *address, const char *expected) {
        char text[ADDRESS6_TEXT_SIZE];

        address6_format(address, text);
        assert_string_equal(text, expected);
}

static void test_parses_and_formats(void **state) {
        static const char *const rows[][2] = {
                {"2001:db8::1/64", "2001:db8::1/64"},
                {"2001:DB8:0:0::1/0", "2001:db8::1/0"},
                {"::1", "::1/128"},
                {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct address6 address = parse(rows[i][0]);

                assert_text(&address, rows[i][1]);
        }
}

static void test_refuses(void **state) {
        static const char *const rows[] = {"", "/64", "10.0.0.1", "2001:db8::1/129", "2001:db8::1/",
                "2001:db8::1/064", "2001:db8::1%eth0", "2001:db8:::1", "fe80::1/64 ", "1:2:3:4:5:6:7:8:9",
                "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"};
        struct address6 address;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(address6_parse(rows[i], 64, &address), -EINVAL);
}

static void test_networks(void **state) {
        static const char *const rows[][2] = {
                {"2001:db8:ffff:ffff::1/33", "2001:db8:8000::/33"},
                {"2001:db8::1/64", "2001:db8::/64"},
                {"2001:db8::ff/127", "2001:db8::fe/127"},
                {"2001:db8::1/0", "::/0"},
                {"2001:db8::1/128", "2001:db8::1/128"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct address6 address = parse(rows[i][0]), network = address6_network(&address);

                assert_text(&network, rows[i][1]);
        }
}

static void test_overlaps(void **state) {
        static const struct {
                const char *a, *b;
                bool overlaps;
        } rows[] = {
                {"2001:db8::/64", "2001:db8::1/128", true},
                {"2001:db8::/64", "2001:db8:0:1::/64", false},
                {"2001:db8::/32", "2001:db8:0:1::/64", true},
                {"::/0", "fd00::1/64", true},
                {"fd00::/9", "fd80::/9", false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct address6 a = parse(rows[i].a), b = parse(rows[i].b);

                assert_int_equal(address6_overlaps(&a, &b), rows[i].overlaps);
                assert_int_equal(address6_overlaps(&b, &a), rows[i].overlaps);
        }
}

static void test_kinds(void **state) {
        struct address6 none = {0}, local = parse("fd12::1"), global = parse("2001:db8::1");

        (void)state;
        assert_false(address6_is_set(&none));
        assert_true(address6_is_set(&local));
        assert_true(address6_is_unique_local(&local));
        assert_false(address6_is_unique_local(&global));
        assert_true(address6_same_ip(&local, &local));
        assert_false(address6_same_ip(&local, &global));
}

static void test_macs(void **state) {
        struct mac host = mac_of_host(0x0a007b0a), port = mac_of_port(0x0a007b0a);
        struct address6 link_local = mac_link_local(&host);
        char text[MAC_TEXT_SIZE];

        (void)state;
        mac_format(&host, text);
        assert_string_equal(text, "02:63:0a:00:7b:0a");
        mac_format(&port, text);
        assert_string_equal(text, "06:63:0a:00:7b:0a");
        assert_text(&link_local, "fe80::63:aff:fe00:7b0a/64");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parses_and_formats),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_overlaps),
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_macs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
