/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The IPv6 network of a host. Hosts use these addresses, so the result for a machine id may never change. */

#include "fixture.h"

#include "machine-prefix.h"

#define ID "0123456789abcdef0123456789abcdef"

/* printf 'coursenet network6\n%s' ID | sha256sum */
static void test_known_answers(void **state) {
        static const char *const rows[][2] = {
                {ID, "fdaa:ca85:c211::/48"},
                {ID "\n", "fdaa:ca85:c211::/48"},
                {ID "\nmore\n", "fdaa:ca85:c211::/48"},
                {"0123456789ABCDEF0123456789ABCDEF\n", "fdaa:ca85:c211::/48"},
                {"ffffffffffffffffffffffffffffffff\n", "fd67:622c:2f6e::/48"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[ADDRESS6_TEXT_SIZE];
                struct address6 network;

                assert_int_equal(machine_prefix(rows[i][0], &network), 0);
                address6_format(&network, text);
                assert_string_equal(text, rows[i][1]);
                assert_true(address6_is_unique_local(&network));
        }
}

static const char *const no_ids[] = {
        "",
        "\n",
        "uninitialized\n",
        "00000000000000000000000000000000\n",
        "0123456789abcdef0123456789abcde\n",
        "0123456789abcdef0123456789abcdef0\n",
        "01234567-89ab-cdef-0123-456789abcdef\n",
        "0123456789abcdef0123456789abcdeg\n",
        " " ID "\n",
        ID " \n",
        ID "\r\n",
};

static struct file_identity file;

static void test_no_id(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(no_ids); i++) {
                struct address6 network = {.prefix = 7};

                if (machine_prefix(no_ids[i], &network) != -EINVAL)
                        fail_msg("taken: %s", no_ids[i]);
                write_file("machine-id", no_ids[i]);
                if (machine_prefix_read(etc_path("machine-id"), &network, &file) >= 0)
                        fail_msg("taken from a file: %s", no_ids[i]);
                assert_int_equal(network.prefix, 7);
        }
}

static void test_files(void **state) {
        struct address6 network = {.prefix = 7}, expected;

        (void)state;
        assert_int_equal(machine_prefix_read(etc_path("none"), &network, &file), -ENOENT);
        assert_int_equal(network.prefix, 7);

        assert_int_equal(machine_prefix(ID, &expected), 0);
        write_file("machine-id", ID "\n");
        assert_int_equal(machine_prefix_read(etc_path("machine-id"), &network, &file), 0);
        assert_memory_equal(&network, &expected, sizeof(network));
        write_file("machine-id", ID);
        assert_int_equal(machine_prefix_read(etc_path("machine-id"), &network, &file), 0);
        assert_memory_equal(&network, &expected, sizeof(network));

        /* In an image it may be a link to where it is writable. */
        assert_int_equal(symlink("machine-id", etc_path("link")), 0);
        assert_int_equal(machine_prefix_read(etc_path("link"), &network, &file), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_known_answers),
                TEST(test_no_id),
                TEST(test_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
