/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the words of the command line are parsed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enter/command-line.h"

#define WORDS_MAX 8

static const struct {
        const char *words[WORDS_MAX];
        bool help, seat_only, login;
        const char *script;
        const char *student;
        int command; /* index of its first word; 0: none */
} good[] = {
        {{"coursenet-enter"}, .help = false},
        {{"-coursenet-enter"}, .login = true},
        {{"coursenet-enter", "--seat"}, .seat_only = true},
        {{"coursenet-enter", "--seat", "--seat"}, .seat_only = true},
        {{"coursenet-enter", "--seat-of", "cs123-newellz2"}, .seat_only = true, .student = "cs123-newellz2"},
        {{"coursenet-enter", "--seat-of", "12310", "--", "ls", "-l"}, .seat_only = true, .student = "12310",
                .command = 4},
        {{"coursenet-enter", "--help"}, .help = true},
        {{"coursenet-enter", "-h"}, .help = true},
        {{"coursenet-enter", "help"}, .help = true},
        {{"coursenet-enter", "--seat", "-h"}, .help = true, .seat_only = true},
        {{"coursenet-enter", "-c", "help"}, .script = "help"},
        {{"coursenet-enter", "-c", "-h"}, .script = "-h"},
        {{"coursenet-enter", "--", "-h"}, .command = 2},
        {{"coursenet-enter", "--", "ls"}, .command = 2},
        {{"coursenet-enter", "--seat", "--", "ls", "--seat", "-c"}, .seat_only = true, .command = 3},
        {{"coursenet-enter", "--", "--"}, .command = 2},
        {{"coursenet-enter", "--", ""}, .command = 2},
        {{"coursenet-enter", "-c", "ls -l"}, .script = "ls -l"},
        {{"coursenet-enter", "-c", ""}, .script = ""},
        {{"coursenet-enter", "-c", "--seat"}, .script = "--seat"},
        {{"-coursenet-enter", "--seat", "-c", "ls"}, .login = true, .seat_only = true, .script = "ls"},
};

static const char *const bad[][WORDS_MAX] = {
        {"coursenet-enter", "ls"},
        {"coursenet-enter", "--seat", "ls"},
        {"coursenet-enter", "--seat", "help"},
        {"coursenet-enter", "--seat", "12311"},
        {"coursenet-enter", ""},
        {"coursenet-enter", "-"},
        {"coursenet-enter", "-s"},
        {"coursenet-enter", "--sea"},
        {"coursenet-enter", "--seat=12311"},
        {"coursenet-enter", "--"},
        {"coursenet-enter", "--seat", "--"},
        {"coursenet-enter", "-c"},
        {"coursenet-enter", "-c", "ls", "--seat"},
        {"coursenet-enter", "-cls"},
        {"coursenet-enter", "--seat-of"},
        {"coursenet-enter", "--seat-of", ""},
        {"coursenet-enter", "--seat-of", "--", "ls"},
        {"coursenet-enter", "--seat-of", "12310", "ls"},
};

/* argv is not const by tradition only. */
static int count(const char *const *words, char *ret_argv[static WORDS_MAX + 1]) {
        int n = 0;

        for (; n < WORDS_MAX && words[n]; n++)
                ret_argv[n] = (char *)(uintptr_t)words[n];
        ret_argv[n] = NULL;
        return n;
}

static void test_good(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                char *argv[WORDS_MAX + 1];
                struct command_line options;
                const char *reason;
                int argc = count(good[i].words, argv);

                assert_int_equal(command_line_parse(argc, argv, &options, &reason), 0);
                assert_int_equal(options.help, good[i].help);
                assert_int_equal(options.seat_only, good[i].seat_only);
                assert_int_equal(options.login, good[i].login);
                if (good[i].student)
                        assert_string_equal(options.student, good[i].student);
                else
                        assert_null(options.student);
                if (good[i].script)
                        assert_string_equal(options.script, good[i].script);
                else
                        assert_null(options.script);
                if (good[i].command > 0)
                        assert_ptr_equal(options.command, argv + good[i].command);
                else
                        assert_null(options.command);
        }
}

static void test_bad(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *argv[WORDS_MAX + 1];
                struct command_line options, untouched;
                const char *reason = NULL;
                int argc = count(bad[i], argv);

                memset(&options, 0x55, sizeof(options));
                untouched = options;
                if (command_line_parse(argc, argv, &options, &reason) != -EINVAL)
                        fail_msg("row %zu is taken", i);
                assert_non_null(reason);
                assert_memory_equal(&options, &untouched, sizeof(options));
        }
}

/* execve() with an empty argument vector; older kernels let it through. */
static void test_no_words_at_all(void **state) {
        char *argv[] = {NULL};
        struct command_line options;
        const char *reason;

        (void)state;
        assert_int_equal(command_line_parse(0, argv, &options, &reason), 0);
        assert_false(options.login);
        assert_null(options.command);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_no_words_at_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
