/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* IPv4 addresses: which texts are accepted, which are refused, and the arithmetic of subnets. */

#include "fixture.h"

#include "address.h"

static void test_parses(void **state) {
        static const struct {
                const char *text;
                uint32_t ip;
                unsigned prefix;
        } rows[] = {
                {"10.0.123.1/24", 0x0a007b01, 24},
                {"10.0.123.1", 0x0a007b01, 20},
                {"0.0.0.0/0", 0, 0},
                {"255.255.255.255/32", 0xffffffff, 32},
                {"192.168.0.1/8", 0xc0a80001, 8},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct address address;

                assert_int_equal(address_parse(rows[i].text, 20, &address), 0);
                assert_int_equal(address.ip, rows[i].ip);
                assert_int_equal(address.prefix, rows[i].prefix);
        }
}

static void test_refuses(void **state) {
        static const char *const rows[] = {
                "",
                "/24",
                "10",
                "10.0.123",
                "10.0.123.1.2",
                "10.0.123.256",
                "10.0.123.01",
                "010.0.123.1",
                " 10.0.123.1",
                "10.0.123.1 ",
                "10.0.123.1/",
                "10.0.123.1/33",
                "10.0.123.1/-1",
                "10.0.123.1/024",
                "10.0.123.1/24/24",
                "10.0.123.1/24x",
                "0x0a.0.0.1",
                "::1",
                "10.0.123.1\n",
                "255.255.255.255.255.255.255",
                "10.0.123.1/99999999999999999999",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct address address = {.ip = 7, .prefix = 7};

                if (address_parse(rows[i], 24, &address) != -EINVAL)
                        fail_msg("'%s' was taken", rows[i]);
                assert_int_equal(address.ip, 7);
                assert_int_equal(address.prefix, 7);
        }
}

static void test_formats_what_it_parses(void **state) {
        static const char *const rows[] = {
                "10.0.123.1/24", "0.0.0.0/0", "255.255.255.255/32", "10.1.121.0/9"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[ADDRESS_TEXT_SIZE];
                struct address address;

                assert_int_equal(address_parse(rows[i], 0, &address), 0);
                address_format(&address, text);
                assert_string_equal(text, rows[i]);
                address_format_ip(address.ip, text);
                assert_int_equal(strncmp(text, rows[i], strlen(text)), 0);
        }
}

static void test_masks(void **state) {
        (void)state;
        assert_int_equal(prefix_mask(0), 0);
        assert_int_equal(prefix_mask(1), 0x80000000);
        assert_int_equal(prefix_mask(24), 0xffffff00);
        assert_int_equal(prefix_mask(32), 0xffffffff);
}

static void test_overlap_is_containment_either_way(void **state) {
        static const struct {
                const char *a, *b;
                bool overlap;
        } rows[] = {
                {"10.0.123.1/24", "10.0.123.200/24", true},
                {"10.0.123.0/24", "10.0.124.0/24", false},
                {"10.0.0.0/8", "10.0.123.0/24", true},
                {"10.0.123.0/25", "10.0.123.128/25", false},
                {"10.0.120.0/22", "10.0.123.255/32", true},
                {"0.0.0.0/0", "192.168.1.1/32", true},
                {"10.0.124.0/22", "10.0.123.255/32", false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct address a, b;

                assert_int_equal(address_parse(rows[i].a, 0, &a), 0);
                assert_int_equal(address_parse(rows[i].b, 0, &b), 0);
                assert_int_equal(address_overlaps(&a, &b), rows[i].overlap);
                assert_int_equal(address_overlaps(&b, &a), rows[i].overlap);
        }
}

static void test_contains(void **state) {
        struct address address = {.ip = 0x0a007b01, .prefix = 24};

        (void)state;
        assert_true(address_contains(&address, 0x0a007b00));
        assert_true(address_contains(&address, 0x0a007bff));
        assert_false(address_contains(&address, 0x0a007c00));
        assert_int_equal(address_network(&address), 0x0a007b00);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parses),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_formats_what_it_parses),
                cmocka_unit_test(test_masks),
                cmocka_unit_test(test_overlap_is_containment_either_way),
                cmocka_unit_test(test_contains),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
