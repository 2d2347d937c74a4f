/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `check` and pam.d: the rule on the module's line must be the site's. */

#include "fixture.h"

#include "ctl/base/pam-config.h"

#define PATH "PAM"

static struct settings settings;

static int setup(void **state) {
        struct diagnostics diagnostics = {0};

        if (make_etc(state) < 0)
                return -1;
        return settings_load(etc, &settings, &diagnostics);
}

static void test_lines_that_are_right(void **state) {
        static const char *const rows[] = {
                "session required pam_coursenet.so\n",
                "session required pam_coursenet.so rule=cs{course}-{student} debug\n",
                "-session [success=ok default=die module_unknown=ignore] pam_coursenet.so wait=container",
                "Session\toptional\t/usr/lib/security/pam_coursenet.so\n",
                "session required pam_coursenet.so [rule=cs{course}-{student}]\n",
                "session required pam_coursenet.so rule=x rule=cs{course}-{student}\n",
                "session required \\\n pam_coursenet.so\n",
                "session required pam_coursenet.so\nsession optional pam_systemd.so\n",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

                assert_int_equal(pam_config_check_text(rows[i], PATH, &settings, &diagnostics), 1);
                assert_clean(&diagnostics);
        }
}

/* A directory's names, as libpam takes them: a backslash is a character like any other in a word. */
static void test_rules_with_a_domain(void **state) {
        static const struct {
                const char *rule, *line;
        } rows[] = {
                {"AD\\cs{course}-{student}",
                        "session required pam_coursenet.so rule=AD\\cs{course}-{student}\n"},
                {"AD\\cs{course}-{student}",
                        "session required pam_coursenet.so [rule=AD\\cs{course}-{student}]\n"},
                {"cs{course}-{student}@ad.edu",
                        "session required pam_coursenet.so rule=cs{course}-{student}@ad.edu\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct settings other = settings;

                (void)string_copy(other.rule_text, sizeof(other.rule_text), rows[i].rule);
                assert_int_equal(pam_config_check_text(rows[i].line, PATH, &other, &diagnostics), 1);
                assert_clean(&diagnostics);
        }
}

static void test_lines_of_others(void **state) {
        static const char *const rows[] = {
                "",
                "#session required pam_coursenet.so\n",
                " # session required pam_coursenet.so\n",
                "@include common-session\n",
                "session required\n",
                "session required pam_unix.so pam_coursenet.so\n",
                "session required not_pam_coursenet.so\n",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

                assert_int_equal(pam_config_check_text(rows[i], PATH, &settings, &diagnostics), 0);
                assert_clean(&diagnostics);
        }
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text;
                enum diagnostic_level level;
                unsigned line;
                const char *words;
        } rows[] = {
                {"\nsession required pam_coursenet.so rule={course}-{student}\n", DIAGNOSTIC_ERROR, 2,
                        "is {course}-{student} here, but name-rule in coursenet.conf is "
                        "cs{course}-{student}"},
                {"session required \\\n  pam_coursenet.so \\\n  rule=x\n", DIAGNOSTIC_ERROR, 3, "is x here"},
                {"auth required pam_coursenet.so\n", DIAGNOSTIC_ERROR, 1, "on 'session' lines only"},
                {"session optional pam_systemd.so\n\nsession required pam_coursenet.so\n", DIAGNOSTIC_WARNING,
                        3, "comes after pam_systemd.so (line 1)"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

                assert_int_equal(pam_config_check_text(rows[i].text, PATH, &settings, &diagnostics), 1);
                assert_finding(&diagnostics, rows[i].level, rows[i].line, rows[i].words);
                assert_int_equal(diagnostics.n_items, 1);
        }
}

/* If the settings cannot be loaded, there is nothing to compare with. */
static void test_without_settings(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        assert_int_equal(
                pam_config_check_text("session required pam_coursenet.so rule=x\n", PATH, NULL, &diagnostics),
                1);
        assert_clean(&diagnostics);
}

static void test_folder(void **state) {
        _cleanup_diagnostics_ struct diagnostics empty = {0}, backups = {0}, used = {0};

        (void)state;
        write_file("pam.d/other", "session required pam_unix.so\n");
        pam_config_check(etc_path("pam.d"), &settings, &empty);
        assert_warning(&empty, 0, "no file calls pam_coursenet.so");

        write_file("pam.d/sshd~", "session required pam_coursenet.so rule=x\n");
        write_file("pam.d/sshd.dpkg-old", "session required pam_coursenet.so rule=x\n");
        pam_config_check(etc_path("pam.d"), &settings, &backups);
        assert_warning(&backups, 0, "no file calls pam_coursenet.so");
        assert_int_equal(backups.n_items, 1);

        write_file("pam.d/sshd", "session required pam_coursenet.so rule=x\n");
        pam_config_check(etc_path("pam.d"), &settings, &used);
        assert_error(&used, 1, "is x here");
        assert_int_equal(used.n_items, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_lines_that_are_right),
                TEST(test_rules_with_a_domain),
                TEST(test_lines_of_others),
                TEST(test_mistakes),
                TEST(test_without_settings),
                TEST(test_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
