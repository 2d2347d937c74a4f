/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The manual pages as people read them: man(1) has nothing to complain of, there is a page for each program,
 * and each program says how it is called when it is asked in one of the usual ways.
 */

#include "fixture.h"

#include <glob.h>

/* As on a terminal of the usual width; Debian's lintian calls man in this way, too. */
#define MAN "LC_ALL=C.UTF-8 MANWIDTH=80 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z %s 2>&1 >/dev/null"

/* Prints what man says of the page; returns whether it said anything, or failed. */
static bool has_warnings(const char *page) {
        char command[512], line[512];
        bool any = false;
        FILE *output;

        (void)snprintf(command, sizeof(command), MAN, page);
        output = popen(command, "re");
        assert_non_null(output);
        while (fgets(line, sizeof(line), output)) {
                any = true;
                print_error("%s: %s", page, line);
        }
        return pclose(output) != 0 || any;
}

static void test_no_warnings(void **state) {
        glob_t pages;
        size_t n_bad = 0;

        (void)state;
        assert_int_equal(glob("man/*.[158]", 0, NULL, &pages), 0);
        assert_true(pages.gl_pathc >= 9);
        for (size_t i = 0; i < pages.gl_pathc; i++)
                n_bad += has_warnings(pages.gl_pathv[i]);
        globfree(&pages);
        assert_int_equal(n_bad, 0);
}

/* A page with a broken line must not pass. */
static void test_warnings_are_seen(void **state) {
        (void)state;
        write_file("broken.8",
                ".Dd November 24, 2026\n.Dt BROKEN 8\n.Os\n.Sh NAME\n.Nm broken\n.Nd \\*[no-such-string]\n");
        assert_true(has_warnings(etc_path("broken.8")));
        assert_true(has_warnings(etc_path("missing.8")));
}

static const struct {
        const char *program, *page;
} programs[] = {
        {"coursenetctl", "man/coursenetctl.8"},
        {"coursenet-enter", "man/coursenet-enter.1"},
        {"coursenet-net", "man/coursenet-net.8"},
        {"coursenet-activator", "man/coursenet-activator.8"},
        {"coursenet-container", "man/coursenet-container.8"},
};

/* Runs a command; returns its exit status, with its standard output in text. */
static int run(const char *command, char *text, size_t size) {
        FILE *output = popen(command, "re");
        size_t n;

        assert_non_null(output);
        n = fread(text, 1, size - 1, output);
        text[n] = '\0';
        return pclose(output);
}

static void test_help(void **state) {
        static const char *const words[] = {"-h", "--help", "help"};
        char command[512], text[4096];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                assert_int_equal(access(programs[i].page, R_OK), 0);
                for (size_t j = 0; j < ELEMENTSOF(words); j++) {
                        (void)snprintf(command, sizeof(command), BUILD_DIRECTORY "/%s %s",
                                programs[i].program, words[j]);
                        assert_int_equal(run(command, text, sizeof(text)), 0);
                        assert_non_null(strstr(text, programs[i].program));
                }
        }
        assert_int_equal(run(BUILD_DIRECTORY "/coursenetctl help roster import", text, sizeof(text)), 0);
        assert_non_null(strstr(text, "--dry-run"));
        assert_int_equal(
                run(BUILD_DIRECTORY "/coursenetctl help no-such 2>/dev/null", text, sizeof(text)), 2 << 8);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_warnings),
                cmocka_unit_test(test_help),
                cmocka_unit_test_setup_teardown(test_warnings_are_seen, make_etc, remove_etc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
