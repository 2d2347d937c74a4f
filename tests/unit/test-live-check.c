/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenet-host check` as `coursenetctl check` runs it: its findings are printed, and its failure is
 * reported.
 */

#include "fixture.h"

#include "ctl/check/checks.h"

/* Makes a script that stands for coursenet-host; its path. */
static const char *make_program(const char *text) {
        write_file("program", text);
        assert_return_code(chmod(etc_path("program"), 0755), errno);
        return etc_path("program");
}

static void test_findings_come_back(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        live_check(make_program("#!/bin/sh\n"
                                "printf 'error\\tbr-123\\t0\\tis down\\tip link set br-123 up\\n'\n"
                                "printf 'warning\\tinet coursenet\\t3\\tdiffers: a\\\\tb\\t\\n'\n"),
                &diagnostics);
        assert_error(&diagnostics, 0, "is down: ip link set br-123 up");
        assert_warning(&diagnostics, 3, "differs: a\tb");
        assert_int_equal(diagnostics.n_items, 2);
}

/* No input, no environment of the caller's, and its own name and one word as arguments. */
static void test_how_it_is_called(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        (void)setenv("COURSENET_TEST", "1", 1);
        live_check(make_program("#!/bin/sh\n"
                                "test \"$#\" = 1 && test \"$1\" = check && test -z \"$COURSENET_TEST\" &&\n"
                                "test -z \"$(cat)\" && test \"$PATH\" = /usr/sbin:/usr/bin:/sbin:/bin\n"),
                &diagnostics);
        assert_clean(&diagnostics);
}

static void test_much_is_read_to_the_end(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        live_check(
                make_program(
                        "#!/bin/sh\n"
                        "i=0; while [ $i -lt 5000 ]; do echo \"error\tbr-$i\t0\tis down, and this is 	\"\n"
                        "i=$((i + 1)); done\n"),
                &diagnostics);
        assert_int_equal(diagnostics.n_errors, 5000);
        assert_string_equal(diagnostics.items[4999].path, "br-4999");
}

static void test_what_goes_wrong_is_an_error(void **state) {
        static const struct {
                const char *program, *words;
                size_t n_items;
        } rows[] = {
                {"#!/bin/sh\nexit 1\n", "could not compare everything", 1},
                {"#!/bin/sh\nkill -9 $$\n", "could not compare everything", 1},
                {"#!/bin/sh\nprintf 'error\\tbr-123\\t0\\tis down\\t\\n'; exit 1\n",
                        "could not compare everything", 2},
                {"#!/bin/sh\necho coursenet-host watch\n", "is of another version than coursenetctl", 1},
                {"#!/nowhere\n", "cannot be run (No such file or directory)", 1},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

                live_check(make_program(rows[i].program), &diagnostics);
                assert_error(&diagnostics, 0, rows[i].words);
                assert_int_equal(diagnostics.n_items, rows[i].n_items);
        }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_findings_come_back),
                TEST(test_how_it_is_called),
                TEST(test_much_is_read_to_the_end),
                TEST(test_what_goes_wrong_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
