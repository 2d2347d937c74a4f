/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words on the module's line in pam.d. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pam_coursenet/options.h"

#define N_WORDS 4U

static void parse(const char *const words[N_WORDS], struct options *ret) {
        int n = 0;

        while (n < (int)N_WORDS && words[n])
                n++;
        options_parse(n, words, ret);
}

static const struct good_line {
        const char *words[N_WORDS];
        bool join, debug;
        enum wait wait;
        unsigned timeout_seconds;
} good_lines[] = {
        {{NULL}, true, false, WAIT_NETWORK, 20},
        {{"debug"}, true, true, WAIT_NETWORK, 20},
        {{"join=yes"}, true, false, WAIT_NETWORK, 20},
        {{"join=no"}, false, false, WAIT_NETWORK, 20},
        {{"join=no", "join=yes"}, true, false, WAIT_NETWORK, 20},
        {{"wait=network"}, true, false, WAIT_NETWORK, 20},
        {{"wait=container"}, true, false, WAIT_CONTAINER, 20},
        {{"wait=none", "join=no"}, false, false, WAIT_NONE, 20},
        {{"join=no", "wait=none"}, false, false, WAIT_NONE, 20},
        {{"timeout=1"}, true, false, WAIT_NETWORK, 1},
        {{"timeout=300"}, true, false, WAIT_NETWORK, 300},
        {{"rule=k{course}.{student}", "debug", "timeout=5", "wait=container"}, true, true, WAIT_CONTAINER, 5},
};

static void test_good_lines_are_taken(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(good_lines); i++) {
                const struct good_line *line = &good_lines[i];
                struct options options;

                parse(line->words, &options);
                if (options.wrong)
                        fail_msg("line %zu: %s: %s", i, options.wrong, options.reason);
                assert_true(options.rule_usable);
                assert_int_equal(options.join, line->join);
                assert_int_equal(options.debug, line->debug);
                assert_int_equal(options.wait, line->wait);
                assert_int_equal(options.timeout_seconds, line->timeout_seconds);
        }
}

static const struct bad_line {
        const char *words[N_WORDS];
        const char *wrong, *reason;
} bad_lines[] = {
        {{"wait=none"}, "wait=none", "needs join=no"},
        {{"wait=none", "join=yes"}, "wait=none", "needs join=no"},
        {{"wait="}, "wait=", "network, container or none"},
        {{"wait=Network"}, "wait=Network", "network, container or none"},
        {{"join="}, "join=", "yes or no"},
        {{"join=maybe"}, "join=maybe", "yes or no"},
        {{"join"}, "join", "no such option"},
        {{"timeout=0"}, "timeout=0", "1 to 300"},
        {{"timeout=301"}, "timeout=301", "1 to 300"},
        {{"timeout=-1"}, "timeout=-1", "1 to 300"},
        {{"timeout=20s"}, "timeout=20s", "1 to 300"},
        {{"timeout= 20"}, "timeout= 20", "1 to 300"},
        {{"timeout="}, "timeout=", "1 to 300"},
        {{"debug=1"}, "debug=1", "no such option"},
        {{"Debug"}, "Debug", "no such option"},
        {{"no_warn"}, "no_warn", "no such option"},
        {{""}, "", "no such option"},
        {{"debug", "first", "second"}, "first", "no such option"},
};

static void test_bad_lines_name_the_word_and_the_reason(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad_lines); i++) {
                const struct bad_line *line = &bad_lines[i];
                struct options options;

                parse(line->words, &options);
                if (!options.wrong)
                        fail_msg("line %zu was taken", i);
                assert_string_equal(options.wrong, line->wrong);
                assert_non_null(strstr(options.reason, line->reason));
                /* The rule still tells whose login it is. */
                assert_true(options.rule_usable);
        }
}

static void test_a_broken_rule_is_told_apart(void **state) {
        static const char *const rules[] = {
                "rule=",
                "rule=cs{course}",
                "rule={course}{student}",
                "rule=cs{course}-{student}{student}",
                "rule=c s{course}-{student}",
                "rule=cs{course}7-{student}",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                struct options options;

                options_parse(1, &rules[i], &options);
                assert_false(options.rule_usable);
                assert_string_equal(options.wrong, rules[i]);
                assert_non_null(options.reason);
        }
}

static void test_the_rule_is_used(void **state) {
        static const char *const words[] = {"rule={student}@{course}", "rule={student}.{course}x"};
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        struct options options;

        (void)state;
        options_parse(0, words, &options);
        assert_true(name_rule_match(&options.rule, "cs123-newellz2", course, student));
        assert_string_equal(course, "123");

        options_parse(1, words + 1, &options);
        assert_null(options.wrong);
        assert_false(name_rule_match(&options.rule, "cs123-newellz2", course, student));
        assert_true(name_rule_match(&options.rule, "ann.7x", course, student));
        assert_string_equal(course, "7");
        assert_string_equal(student, "ann");

        /* A later good rule does not hide an earlier mistake. */
        options_parse(2, words, &options);
        assert_string_equal(options.wrong, words[0]);
        assert_true(options.rule_usable);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_lines_are_taken),
                cmocka_unit_test(test_bad_lines_name_the_word_and_the_reason),
                cmocka_unit_test(test_a_broken_rule_is_told_apart),
                cmocka_unit_test(test_the_rule_is_used),
        };

        return cmocka_run_group_tests_name("pam options", tests, NULL, NULL);
}
