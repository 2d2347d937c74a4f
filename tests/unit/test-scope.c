/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may see which course: by name, by group, and by neither. The accounts are those of every Debian. */

#include "fixture.h"

#include <grp.h>
#include <pwd.h>

#include "ctl/base/scope.h"

static struct scope find(const char *text, const char *user, const char *group) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct scope scope;
        gid_t gid;

        write_file(SETTINGS_FILE, text);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        gid = getgrnam(group)->gr_gid;
        assert_int_equal(scope_find(&settings, getpwnam(user)->pw_uid, &gid, 1, &scope), 0);
        return scope;
}

#define COURSES "[course 123]\nstaff = mail, @games\n[course 124]\nstaff = @sys\n[course 125]\nlinger = 1\n"

static void test_a_user_is_staff_by_name(void **state) {
        _cleanup_scope_ struct scope scope = find(COURSES, "mail", "mail");

        (void)state;
        assert_true(scope_is_staff(&scope));
        assert_true(scope_has_course(&scope, "123"));
        assert_false(scope_has_course(&scope, "124"));
        assert_false(scope_has_course(&scope, "125"));
        assert_false(scope_has_course(&scope, "12"));
        assert_true(scope_has_seat(&scope, "123", "cs123-amy"));
        assert_false(scope_has_seat(&scope, "124", "cs124-amy"));
}

static void test_a_user_is_staff_by_group(void **state) {
        _cleanup_scope_ struct scope scope = find(COURSES, "daemon", "sys");

        (void)state;
        assert_false(scope_has_course(&scope, "123"));
        assert_true(scope_has_course(&scope, "124"));
}

/* A user of the name of a group, and the reverse, are no staff: "@games" and "mail". */
static void test_a_name_is_no_group(void **state) {
        _cleanup_scope_ struct scope scope = find(COURSES, "games", "mail");

        (void)state;
        assert_false(scope_is_staff(&scope));
        assert_false(scope_has_course(&scope, "123"));
        assert_false(scope_has_seat(&scope, "123", ""));
        assert_false(scope_has_seat(&scope, "123", "cs123-amy"));
        assert_true(scope_has_seat(&scope, "123", "games"));
}

static void test_the_sites_staff_sees_every_course(void **state) {
        _cleanup_scope_ struct scope scope = find("[site]\nstaff = daemon\n" COURSES, "daemon", "daemon");

        (void)state;
        assert_true(scope_has_course(&scope, "123"));
        assert_true(scope_has_course(&scope, "999"));
}

static void test_root_sees_every_course_and_a_group_that_is_none_lets_nobody_in(void **state) {
        _cleanup_scope_ struct scope root = find(COURSES, "root", "root");
        _cleanup_scope_ struct scope other = find("[site]\nstaff = @no-such-group\n", "daemon", "root");

        (void)state;
        assert_true(scope_has_course(&root, "999"));
        assert_false(scope_is_staff(&other));
}

static void test_a_site_is_cut_to_the_scope(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_scope_ struct scope scope = find(COURSES, "mail", "mail");
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("roster.d/122", "amy 10\n");
        write_file("roster.d/123", "bob 10\n");
        write_file("roster.d/124", "carl 10\n");
        assert_int_equal(site_load(etc, &site, &diagnostics), 0);
        scope_restrict(&scope, &site);
        assert_int_equal(site.n_courses, 1);
        assert_non_null(site_find_course(&site, "123"));
        scope_restrict(NULL, &site);
        assert_int_equal(site.n_courses, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_a_user_is_staff_by_name),
                TEST(test_a_user_is_staff_by_group),
                TEST(test_a_name_is_no_group),
                TEST(test_the_sites_staff_sees_every_course),
                TEST(test_root_sees_every_course_and_a_group_that_is_none_lets_nobody_in),
                TEST(test_a_site_is_cut_to_the_scope),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
