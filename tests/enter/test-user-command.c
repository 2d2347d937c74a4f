/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which argument vector is executed, and by which program. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enter/user-command.h"

static char word_ls[] = "ls", word_l[] = "-l";
static char *words[] = {word_ls, word_l, NULL};

static const struct {
        struct command_line options;
        const char *original;
        const char *program;
        const char *expected; /* the argument vector, joined with spaces */
} rows[] = {
        {{0}, NULL, "/usr/bin/apptainer", "apptainer shell instance://inst-12310"},
        {{.login = true}, NULL, "/usr/bin/apptainer", "apptainer shell instance://inst-12310"},
        {{.command = words}, NULL, "/usr/bin/apptainer", "apptainer exec instance://inst-12310 ls -l"},
        {{.script = "ls -l"}, NULL, "/usr/bin/apptainer",
                "apptainer exec instance://inst-12310 /bin/sh -c ls -l"},
        {{0}, "id; ls", "/usr/bin/apptainer", "apptainer exec instance://inst-12310 /bin/sh -c id; ls"},
        {{0}, "", "/usr/bin/apptainer", "apptainer shell instance://inst-12310"},

        {{.seat_only = true}, NULL, "/bin/bash", "bash"},
        {{.seat_only = true, .login = true}, NULL, "/bin/bash", "-bash"},
        {{.seat_only = true, .command = words}, NULL, "ls", "ls -l"},
        {{.seat_only = true, .script = "ls"}, NULL, "/bin/sh", "/bin/sh -c ls"},
        {{.seat_only = true, .script = ""}, NULL, "/bin/sh", "/bin/sh -c "},
        {{.seat_only = true}, "id", "/bin/sh", "/bin/sh -c id"},
        /* A command of its own is not replaced: it may be a wrapper that reads the variable itself. */
        {{.seat_only = true, .command = words}, "id", "ls", "ls -l"},
        {{.seat_only = true, .script = "ls"}, "id", "/bin/sh", "/bin/sh -c ls"},
};

static void join(char *const *arguments, char *ret, size_t size) {
        size_t n = 0;

        ret[0] = '\0';
        for (size_t i = 0; arguments[i]; i++)
                n += (size_t)snprintf(ret + n, size - n, "%s%s", i > 0 ? " " : "", arguments[i]);
}

static void test_plans(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const struct surroundings surroundings = {
                        .seat = "12310",
                        .original = rows[i].original,
                        .shell = "/bin/bash",
                        .runtime = "/usr/bin/apptainer",
                };
                struct user_command command = {0};
                char text[256];

                assert_int_equal(user_command_plan(&rows[i].options, &surroundings, &command), 0);
                join(command.arguments, text, sizeof(text));
                assert_string_equal(text, rows[i].expected);
                assert_string_equal(command.program, rows[i].program);
                free(command.arguments);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plans),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
