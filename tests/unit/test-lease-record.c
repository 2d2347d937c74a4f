/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which seats coursenetctl teardown refuses to stop without --force. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ctl/base/lease-record.h"

#define NOW UINT64_C(1700000000000000)

static char directory[] = "/tmp/coursenet-test-XXXXXX";

static int make_directory(void **state) {
        (void)state;
        return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
        char command[64];

        (void)state;
        (void)snprintf(command, sizeof(command), "rm -r %s", directory);
        return system(command);
}

/* As activator/base/record-store.c writes it. */
static bool is_used(const char *rest) {
        _cleanup_lease_records_ struct lease_records records = {0};
        char path[sizeof(directory) + 32];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/12310_0123456789abcdef", directory);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fprintf(file, "[lease]\nuser = cs123-anna\nseat = 12310\nopener = 77\n%s", rest) > 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(lease_records_load(directory, &records), 0);
        assert_int_equal(records.n_items, 1);
        return lease_record_is_used(&records.items[0], NOW);
}

static void a_login_has_its_seat(void **state) {
        (void)state;
        assert_true(is_used("linger-until = 0\nkeep-until = 0\n"));
        assert_true(is_used("linger-until = 0\n"));
}

static void a_seat_that_only_lingers_is_nobody_s(void **state) {
        (void)state;
        assert_false(is_used("linger-until = 1700000060000000\nkeep-until = 0\n"));
        assert_false(is_used("linger-until = 1700000060000000\n"));
}

static void a_seat_that_is_kept_for_what_was_left_running_is_somebody_s(void **state) {
        (void)state;
        assert_true(is_used("linger-until = 1699999990000000\nkeep-until = 1700040000000000\n"));
        assert_false(is_used("linger-until = 1690000000000000\nkeep-until = 1699999999000000\n"));
}

#define PART                                                                                                 \
        "cs123-a-very-long-name.of-a-directory-a-very-long-name.of-a-directory-a-very-long-name.of-a-"       \
        "directory"

/* A line of libinih's has 200 bytes; the activator writes a long name in two. */
static void a_long_name_has_two_lines(void **state) {
        _cleanup_lease_records_ struct lease_records records = {0};
        char path[sizeof(directory) + 32];
        FILE *file;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/12310_0123456789abcdef", directory);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs("[lease]\nuser = " PART "\n " PART "\nseat = 12310\nopener = 77\n", file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(lease_records_load(directory, &records), 0);
        assert_int_equal(records.n_items, 1);
        assert_string_equal(records.items[0].user, PART PART);
        assert_string_equal(records.items[0].seat, "12310");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_login_has_its_seat),
                cmocka_unit_test(a_seat_that_only_lingers_is_nobody_s),
                cmocka_unit_test(a_seat_that_is_kept_for_what_was_left_running_is_somebody_s),
                cmocka_unit_test(a_long_name_has_two_lines),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
