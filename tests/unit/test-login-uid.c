/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is behind a process of root, by the kernel and by sudo; and the counters of a cable. */

#include "fixture.h"

#include "ctl/base/login-uid.h"
#include "ctl/base/traffic.h"

static void test_whose_login(void **state) {
        static const struct {
                const char *kernel, *sudo; /* NULL: no such file or variable */
                bool known;
                uid_t uid;
        } rows[] = {
                {"1000", NULL, true, 1000},
                {"0", NULL, true, 0},
                {"1000", "0", true, 1000},
                {"0", "1000", true, 0},
                /* No login: a unit, or a kernel without audit. */
                {"4294967295", NULL, false, 0},
                {"4294967295", "1000", true, 1000},
                {NULL, "1000", true, 1000},
                {NULL, NULL, false, 0},
                {NULL, "4294967295", false, 0},
                {NULL, "-1", false, 0},
                {NULL, "", false, 0},
                {"", "7", true, 7},
                {"x", "7", true, 7},
        };

        (void)state;
        write_file("self/x", "");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uid_t uid = 0;

                (void)unlink(etc_path("self/loginuid"));
                if (rows[i].kernel)
                        write_file("self/loginuid", rows[i].kernel);
                if (rows[i].sudo)
                        (void)setenv("SUDO_UID", rows[i].sudo, 1);
                else
                        (void)unsetenv("SUDO_UID");
                assert_int_equal(login_uid_find(etc, &uid), rows[i].known);
                assert_int_equal(uid, rows[i].uid);
        }
        (void)unsetenv("SUDO_UID");
}

static void test_traffic(void **state) {
        struct traffic traffic = {.receive_bytes = 7};

        (void)state;
        assert_int_equal(traffic_read(etc, "vl-12310", &traffic), -ENOENT);
        assert_int_equal(traffic.receive_bytes, 7);
        assert_return_code(mkdir(etc_path("vl-12310"), 0755), errno);
        write_file("vl-12310/statistics/tx_bytes", "18446744073709551615\n");
        write_file("vl-12310/statistics/tx_packets", "2\n");
        write_file("vl-12310/statistics/rx_bytes", "3\n");
        assert_int_equal(traffic_read(etc, "vl-12310", &traffic), -ENOENT);
        write_file("vl-12310/statistics/rx_packets", "4\n");
        assert_int_equal(traffic_read(etc, "vl-12310", &traffic), 0);
        assert_true(traffic.receive_bytes == UINT64_MAX);
        assert_int_equal(traffic.receive_packets, 2);
        assert_int_equal(traffic.transmit_bytes, 3);
        assert_int_equal(traffic.transmit_packets, 4);
        write_file("vl-12310/statistics/rx_packets", "\n");
        assert_int_equal(traffic_read(etc, "vl-12310", &traffic), -EIO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_whose_login, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_traffic, make_etc, remove_etc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
