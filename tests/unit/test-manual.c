/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The manual pages: man(1) prints no warning, there is a page for each program, each program prints its usage
 * when it gets one of the usual words for help, and the lines for pam.d in a page skip the module.
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
        {"coursenet-capture", "man/coursenet-capture.1"},
        {"coursenet-net", "man/coursenet-net.8"},
        {"coursenet-hosts", "man/coursenet-hosts.8"},
        {"coursenet-worker", "man/coursenet-worker.8"},
        {"coursenet-host", "man/coursenet-host.8"},
        {"coursenet-activator", "man/coursenet-activator.8"},
        {"coursenet-container", "man/coursenet-container.8"},
        {"coursenet-calendar", "man/coursenet-calendar.8"},
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

/* Each is a mistake: the program says which one, or how it is used, and does nothing else. */
static void test_wrong_words(void **state) {
        static const struct {
                const char *line, *words;
        } rows[] = {
                {"coursenet-capture --no-such", "There is no such option"},
                {"coursenet-capture -s 0", "-s takes a number of bytes, 1 to 65535"},
                {"coursenet-capture -s", "-s takes a number of bytes, 1 to 65535"},
                {"coursenet-capture --", "There is no filter after --"},
                {"coursenet-capture 12310 12311", "One seat can be captured"},
                {"coursenet-activator --no-such", "sage"},
                {"coursenet-activator word", "sage"},
                {"coursenet-hosts word", "sage"},
                /* As the watch of an earlier version calls it. */
                {"coursenet-net check a b", "coursenet-host check"},
                {"coursenet-container start", "sage"},
                {"coursenet-container no-such 12310", "sage"},
        };
        char command[512], text[4096];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                (void)snprintf(command, sizeof(command), BUILD_DIRECTORY "/%s 2>&1", rows[i].line);
                if (run(command, text, sizeof(text)) != 2 << 8 || !strstr(text, rows[i].words))
                        fail_msg("%s:\n%s", rows[i].line, text);
        }
        (void)run("env -u RUNTIME_DIRECTORY " BUILD_DIRECTORY "/coursenet-container start 12310 2>&1", text,
                sizeof(text));
        assert_non_null(strstr(text, "RUNTIME_DIRECTORY is not set"));
        /* A terminal, which script(1) makes. */
        (void)run("script -qec " BUILD_DIRECTORY "/coursenet-capture /dev/null </dev/null 2>&1", text,
                sizeof(text));
        assert_non_null(strstr(text, "Packets are not for a terminal."));
}

/* The number of lines that "[success=N ...]" skips. -1: the line has no such control. */
static int skipped_by(const char *line) {
        const char *control = strstr(line, "[success=");
        int n = -1;

        return control && sscanf(control, "[success=%d", &n) == 1 ? n : -1;
}

/* The lines of the PAM profile that name a module, each from its control on. Returns how many there are. */
static int read_profile(char lines[][256], int lines_max) {
        FILE *file = fopen("conf/pam-configs/coursenet", "re");
        int n = 0;

        assert_non_null(file);
        while (n < lines_max && fgets(lines[n], sizeof(lines[n]), file))
                n += strstr(lines[n], ".so") != NULL;
        (void)fclose(file);
        return n;
}

/* What a line of the page skips: the same as that line of the profile, or all of the profile. */
static int expected_skip(char lines[][256], int n_lines, const char *module) {
        for (int i = 0; i < n_lines; i++)
                if (strstr(lines[i], module))
                        return n_lines - 1 - i;
        return n_lines;
}

static void test_pam_lines_skip_the_module(void **state) {
        char lines[8][256], line[256];
        int n_lines = read_profile(lines, 8), n_examples = 0;
        FILE *page = fopen("man/pam_coursenet.8", "re");

        (void)state;
        for (int i = 0; i + 1 < n_lines; i++)
                assert_int_equal(skipped_by(lines[i]), n_lines - 1 - i);
        assert_non_null(strstr(lines[n_lines - 1], "pam_coursenet.so"));

        assert_non_null(page);
        while (fgets(line, sizeof(line), page)) {
                int n_skipped = string_starts_with(line, "session ") ? skipped_by(line) : -1;

                if (n_skipped < 0)
                        continue;
                assert_non_null(fgets(line, sizeof(line), page));
                line[strcspn(line, "\n")] = '\0';
                assert_int_equal(n_skipped, expected_skip(lines, n_lines, line + strspn(line, " ")));
                n_examples++;
        }
        (void)fclose(page);
        assert_true(n_examples >= n_lines);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_warnings),
                cmocka_unit_test(test_help),
                cmocka_unit_test(test_wrong_words),
                cmocka_unit_test(test_pam_lines_skip_the_module),
                cmocka_unit_test_setup_teardown(test_warnings_are_seen, make_etc, remove_etc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
