/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What single values may look like. */

#include "fixture.h"

#include "setting-value.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_57 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_rates(void **state) {
        static const struct {
                const char *text;
                uint64_t bits;
        } rows[] = {
                {"none", 0},
                {"64K", 64000},
                {"500K", 500000},
                {"10M", 10000000},
                {"1G", 1000000000},
                {"16G", 16000000000},
                {"16000M", 16000000000},
                {"16000000K", 16000000000},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct rate rate = {0};

                assert_int_equal(rate_parse(rows[i].text, &rate), 0);
                assert_int_equal(rate.bits, rows[i].bits);
        }
}

static void test_no_rates(void **state) {
        static const char *const rows[] = {
                "",
                "0",
                "0M",
                "10",
                "64000",
                "63K",
                "17G",
                "16001M",
                "16000001K",
                "18446744073709551616K",
                "10m",
                "10k",
                "10 M",
                "M",
                "-1M",
                "+1M",
                "010M",
                "1.5G",
                "10MM",
                "10Mbit",
                "1T",
                "None",
                "off",
                "10M ",
                "99999999999999999999G",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct rate rate = {.bits = 7};

                if (rate_parse(rows[i], &rate) >= 0)
                        fail_msg("taken: %s", rows[i]);
                assert_int_equal(rate.bits, 7);
        }
}

static void test_durations(void **state) {
        static const struct {
                const char *text;
                int expected;
                unsigned seconds;
        } rows[] = {
                {"1", 0, 1},
                {"90", 0, 90},
                {"90s", 0, 90},
                {"90min", 0, 5400},
                {"90m", 0, 5400},
                {"12h", 0, 43200},
                {"1d", 0, 86400},
                {"86400", 0, 86400},
                {"0", -ERANGE, 7},
                {"0h", -ERANGE, 7},
                {"2d", -ERANGE, 7},
                {"86401", -ERANGE, 7},
                {"4294967295d", -ERANGE, 7},
                {"", -EINVAL, 7},
                {"h", -EINVAL, 7},
                {"-1h", -EINVAL, 7},
                {"1.5h", -EINVAL, 7},
                {"1 h", -EINVAL, 7},
                {"1h30min", -EINVAL, 7},
                {"1H", -EINVAL, 7},
                {"4294967296", -EINVAL, 7},
                {"99999999999999999999", -EINVAL, 7},
                {"infinity", -EINVAL, 7},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                unsigned seconds = 7;
                int r = duration_parse(rows[i].text, 1, 86400, &seconds);

                /* A number that does not fit may be told as either. */
                if (r != rows[i].expected && !(r < 0 && rows[i].expected < 0))
                        fail_msg("'%s' gives %d", rows[i].text, r);
                assert_int_equal(seconds, rows[i].seconds);
        }
}

static void test_ports(void **state) {
        static const struct {
                const char *text;
                struct port port;
        } rows[] = {
                {"443", {.number = 443, .tcp = true, .udp = true}},
                {"443/tcp", {.number = 443, .tcp = true}},
                {"443/udp", {.number = 443, .udp = true}},
                {"*:443", {.number = 443, .tcp = true, .udp = true, .any_address = true}},
                {"*:443/tcp", {.number = 443, .tcp = true, .any_address = true}},
                {"1", {.number = 1, .tcp = true, .udp = true}},
                {"*:65535/udp", {.number = 65535, .udp = true, .any_address = true}},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct port port;

                assert_int_equal(port_parse(rows[i].text, &port), 0);
                assert_int_equal(port.number, rows[i].port.number);
                assert_int_equal(port.tcp, rows[i].port.tcp);
                assert_int_equal(port.udp, rows[i].port.udp);
                assert_int_equal(port.any_address, rows[i].port.any_address);
        }
}

static void test_no_ports(void **state) {
        static const char *const rows[] = {
                "",
                "0",
                "65536",
                "-1",
                "0443",
                "https",
                "443/",
                "443/sctp",
                "443/TCP",
                "443/tcp/udp",
                "/tcp",
                "*",
                "*:",
                "*443",
                "*:*:443",
                "*:/tcp",
                "443-450",
                "443,444",
                "1.2.3.4:443",
                "123456789",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct port port = {.number = 7};

                if (port_parse(rows[i], &port) >= 0)
                        fail_msg("taken: %s", rows[i]);
                assert_int_equal(port.number, 7);
        }
}

/* A label ends where it is said to. */
static void test_labels(void **state) {
        static const char longest[] = "a23456789012345678901234567890123456789012345678901234567890123";
        static const char *const wrong[] = {"", "a_b", "a.b", "a-", "-a", "a b",
                "a234567890123456789012345678901234567890123456789012345678901234"};

        (void)state;
        assert_true(label_valid("newellz2", strlen("newellz2")));
        assert_true(label_valid("0-A", 3));
        assert_true(label_valid("a.b", 1));
        assert_true(label_valid(longest, strlen(longest)));
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (label_valid(wrong[i], strlen(wrong[i])))
                        fail_msg("taken: '%s'", wrong[i]);
}

static const struct {
        bool (*valid)(const char *text);
        const char *text;
        bool expected;
} names[] = {
        {server_valid, "192.0.2.1", true},
        {server_valid, "127.0.0.53", true},
        {server_valid, "2001:db8::53", true},
        {server_valid, "::1", true},
        {server_valid, "", false},
        {server_valid, "0.0.0.0", false},
        {server_valid, "224.0.0.251", false},
        {server_valid, "255.255.255.255", false},
        {server_valid, "::", false},
        {server_valid, "ff02::fb", false},
        {server_valid, "192.0.2.1/32", false},
        {server_valid, "2001:db8::53/128", false},
        {server_valid, "fe80::1%eth0", false},
        {server_valid, "192.0.2.1#53", false},
        {server_valid, "dns.example.edu", false},

        {domain_valid, "cs{course}.internal", true},
        {domain_valid, "{course}.cs.example.edu", true},
        {domain_valid, "lab-{course}", true},
        {domain_valid, "CS{course}x.Example", true},
        {domain_valid, LABEL_57 "{course}", true},
        {domain_valid, LABEL_57 "a{course}", false},
        {domain_valid, "{course}." LABEL_63, true},
        {domain_valid, "{course}." LABEL_63 "a", false},
        {domain_valid, "{course}.a." LABEL_63 "." LABEL_57 "aaaa", false},
        {domain_valid, "", false},
        {domain_valid, "internal", false},
        {domain_valid, "{student}.internal", false},
        {domain_valid, "{course}.{course}.internal", false},
        {domain_valid, "{course}{course}.internal", false},
        {domain_valid, "{course", false},
        {domain_valid, ".{course}.internal", false},
        {domain_valid, "{course}.internal.", false},
        {domain_valid, "{course}..internal", false},
        {domain_valid, "-{course}.internal", false},
        {domain_valid, "{course}-.internal", false},
        {domain_valid, "{course}.-internal", false},
        {domain_valid, "cs_{course}.internal", false},
        {domain_valid, "cs{course} internal", false},
        {domain_valid, "cs{course}.\xc3\xbcni", false},
        {domain_valid, "{course}", false},
        {domain_valid, "internal.{course}", false},
        {domain_valid, "{course}.7", false},

        {uplink_valid, "eth0", true},
        {uplink_valid, "enp0s31f6", true},
        {uplink_valid, "bond0.100", true},
        {uplink_valid, "br-lan", true},
        {uplink_valid, "fifteen-letters", true},
        {uplink_valid, "sixteen-letters-", false},
        {uplink_valid, "", false},
        {uplink_valid, "lo", false},
        {uplink_valid, ".", false},
        {uplink_valid, "..", false},
        {uplink_valid, "a/b", false},
        {uplink_valid, "eth0:1", false},
        {uplink_valid, "a b", false},
        {uplink_valid, "eth*", false},
        {uplink_valid, "a\"b", false},
        {uplink_valid, "a\\b", false},
        {uplink_valid, "a\x01", false},
        {uplink_valid, "\xc3\xbc", false},

        {link_name_valid, "eth0", true},
        {link_name_valid, "a\"b", true},
        {link_name_valid, "\xc3\xbc", true},
        {link_name_valid, "a\nb", false},
        {link_name_valid, "a\vb", false},

        {user_name_valid, "root", true},
        {user_name_valid, "cs123-newellz2", true},
        {user_name_valid, "newellz2@example.edu", true},
        {user_name_valid, "AD\\newellz2", true},
        {user_name_valid, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, true},
        {user_name_valid, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 "a", false},
        {user_name_valid, "", false},
        {user_name_valid, "-root", false},
        {user_name_valid, "a:b", false},
        {user_name_valid, "a/b", false},
        {user_name_valid, "a,b", false},
        {user_name_valid, "a b", false},

        {staff_name_valid, "prof", true},
        {staff_name_valid, "@cs123-staff", true},
        {staff_name_valid, "@", false},
        {staff_name_valid, "", false},

        {host_valid, "gw.example.edu", true},
        {host_valid, "192.0.2.1", true},
        {host_valid, "", false},
        {host_valid, "-v", false},
        {host_valid, "a b", false},
        {host_valid, "$(x)", false},

        {path_valid, "/srv/a.sif", true},
        {path_valid, "a.sif", false},
        {path_valid, "", false},

        {bind_valid, "/srv:/data:ro", true},
        {bind_valid, "srv", false},
        {bind_valid, "/srv,/etc", false},

        {variable_valid, "A=1", true},
        {variable_valid, "_a2=", true},
        {variable_valid, "A", false},
        {variable_valid, "=1", false},
        {variable_valid, "2A=1", false},
        {variable_valid, "A=1,B=2", false},
        {variable_valid, "A-B=1", false},

        {template_valid, "cont", true},
        {template_valid, "23-characters-long-name", true},
        {template_valid, "24-characters-long-name-", false},
        {template_valid, "cont@", false},
        {template_valid, "cont.service", false},
        {template_valid, "netbr", false},
        {template_valid, "netns", false},
        {template_valid, "nsbr", false},

        {memory_max_valid, "2G", true},
        {memory_max_valid, "50%", true},
        {memory_max_valid, "100%", true},
        {memory_max_valid, "16777216", true},
        {memory_max_valid, "16M", true},
        {memory_max_valid, "infinity", true},
        {memory_max_valid, "8388607T", true},
        {memory_max_valid, "101%", false},
        {memory_max_valid, "0%", false},
        {memory_max_valid, "16777215", false},
        {memory_max_valid, "15M", false},
        {memory_max_valid, "8388608T", false},
        {memory_max_valid, "0", false},
        {memory_max_valid, "", false},
        {memory_max_valid, "G", false},
        {memory_max_valid, "2GB", false},
        {memory_max_valid, "2 G", false},
        {memory_max_valid, "2g", false},
        {memory_max_valid, "-2G", false},
        {memory_max_valid, "1234567890123456789", false},
        {memory_max_valid, "Infinity", false},

        {cpu_quota_valid, "150%", true},
        {cpu_quota_valid, "1%", true},
        {cpu_quota_valid, "infinity", true},
        {cpu_quota_valid, "0%", false},
        {cpu_quota_valid, "1000001%", false},
        {cpu_quota_valid, "150", false},
        {cpu_quota_valid, "%", false},
        {cpu_quota_valid, "", false},
        {cpu_quota_valid, "150%%", false},

        {tasks_max_valid, "500", true},
        {tasks_max_valid, "16", true},
        {tasks_max_valid, "20%", true},
        {tasks_max_valid, "infinity", true},
        {tasks_max_valid, "15", false},
        {tasks_max_valid, "0", false},
        {tasks_max_valid, "101%", false},
        {tasks_max_valid, "5K", false},
        {tasks_max_valid, "", false},
        {tasks_max_valid, "-1", false},
        {tasks_max_valid, "4294967296", false},

        {weight_valid, "1", true},
        {weight_valid, "10000", true},
        {weight_valid, "0", false},
        {weight_valid, "10001", false},
        {weight_valid, "idle", false},
        {weight_valid, "5%", false},
        {weight_valid, "", false},
};

static void test_written_durations(void **state) {
        static const struct {
                unsigned seconds;
                const char *text;
        } rows[] = {{0, "0s"}, {1, "1s"}, {59, "59s"}, {60, "1min"}, {90, "90s"}, {5400, "90min"},
                {43200, "12h"}, {86400, "1d"}, {90000, "25h"}, {2592000, "30d"}, {UINT32_MAX, "4294967295s"}};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[DURATION_TEXT_SIZE];
                unsigned seconds;

                duration_format(rows[i].seconds, text);
                assert_string_equal(text, rows[i].text);
                assert_int_equal(duration_parse(text, 0, UINT32_MAX, &seconds), 0);
                assert_int_equal(seconds, rows[i].seconds);
        }
}

static void test_impairments(void **state) {
        static const struct {
                int (*parse)(const char *text, unsigned *ret);
                const char *text;
                int result;
                unsigned value;
        } rows[] = {
                {delay_parse, "none", 0, 0},
                {delay_parse, "1us", 0, 1},
                {delay_parse, "50ms", 0, 50000},
                {delay_parse, "10s", 0, 10000000},
                {delay_parse, "0ms", -EINVAL, 7},
                {delay_parse, "11s", -EINVAL, 7},
                {delay_parse, "10001ms", -EINVAL, 7},
                {delay_parse, "50", -EINVAL, 7},
                {delay_parse, "ms", -EINVAL, 7},
                {delay_parse, "5min", -EINVAL, 7},
                {delay_parse, "1.5ms", -EINVAL, 7},
                {delay_parse, "-1ms", -EINVAL, 7},
                {delay_parse, "", -EINVAL, 7},
                {loss_parse, "none", 0, 0},
                {loss_parse, "1%", 0, 10000},
                {loss_parse, "0.1%", 0, 1000},
                {loss_parse, "0.0001%", 0, 1},
                {loss_parse, "12.25%", 0, 122500},
                {loss_parse, "100%", 0, 1000000},
                {loss_parse, "100.0001%", -EINVAL, 7},
                {loss_parse, "0%", -EINVAL, 7},
                {loss_parse, "0.00001%", -EINVAL, 7},
                {loss_parse, "1.%", -EINVAL, 7},
                {loss_parse, ".5%", -EINVAL, 7},
                {loss_parse, "5", -EINVAL, 7},
                {loss_parse, "1,5%", -EINVAL, 7},
                {loss_parse, "1000%", -EINVAL, 7},
                {loss_parse, "", -EINVAL, 7},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                unsigned value = 7;

                assert_int_equal(rows[i].parse(rows[i].text, &value), rows[i].result);
                assert_int_equal(value, rows[i].value);
        }
}

static void test_alternatives(void **state) {
        static const char *const words[] = {"cut", "kill", "keep"};
        char text[32] = "", one[8] = "", small[8] = "";

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                alternative_append(text, sizeof(text), i, ELEMENTSOF(words), words[i]);
                alternative_append(small, sizeof(small), i, ELEMENTSOF(words), words[i]);
        }
        assert_string_equal(text, "cut, kill or keep");
        assert_string_equal(small, "cut, ki");
        alternative_append(one, sizeof(one), 0, 1, "cut");
        assert_string_equal(one, "cut");
}

static void test_names(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].valid(names[i].text) != names[i].expected)
                        fail_msg("row %zu, %s: should be %d", i, names[i].text, names[i].expected);
}

static void test_store_urls(void **state) {
        static const char *const right[] = {"https://store.example:2379", "http://127.0.0.1:2379",
                "http://[::1]:2379", "http://localhost:2379"};
        static const char *const wrong[] = {"", "ftp://127.0.0.1:2379", "https://store.example",
                "https://:2379", "http://192.0.2.1:2379", "https://store.example:0",
                "https://store example:2379", "https://store.example:2379/path"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(right); i++)
                if (!store_url_valid(right[i]))
                        fail_msg("refused: %s", right[i]);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (store_url_valid(wrong[i]))
                        fail_msg("accepted: %s", wrong[i]);
}

static void test_handover(void **state) {
        (void)state;
        assert_true(handover_valid("ssh %u@%h (100%%)"));
        assert_false(handover_valid(""));
        assert_false(handover_valid("ssh\t%u"));
        assert_false(handover_valid("ssh %x"));
        assert_false(handover_valid("100%"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_store_urls),
                cmocka_unit_test(test_handover),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_no_rates),
                cmocka_unit_test(test_durations),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_no_ports),
                cmocka_unit_test(test_labels),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_written_durations),
                cmocka_unit_test(test_impairments),
                cmocka_unit_test(test_alternatives),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
