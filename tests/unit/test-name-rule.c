/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The user name rule: which rules are refused, and that each name is read in exactly one way or not at all.
 */

#include "fixture.h"

#include "name-rule.h"

#define A31 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A62 A31 A31

static void test_refuses_rules(void **state) {
        static const struct {
                const char *rule, *reason;
        } rows[] = {
                {"", "exactly once"},
                {"cs", "exactly once"},
                {"cs{course}", "exactly once"},
                {"{student}", "exactly once"},
                {"{course}-{course}-{student}", "exactly once"},
                {"{course}-{student}{student}", "exactly once"},
                {"cs{Course}-{student}", "exactly once"},
                {"{course}{student}", "must stand between"},
                {"{student}{course}", "must stand between"},
                {"{course}1{student}", "digit"},
                {"{course}1-{student}", "digit"},
                {"{student}-1{course}", "digit"},
                {"{student}-{course}0", "digit"},
                {"{student}-{course}0x", "digit"},
                {"cs{course}:{student}", "only letters"},
                {"cs{course} {student}", "only letters"},
                {"c/s{course}-{student}", "only letters"},
                {"cs{course}-{student}\n", "only letters"},
                {"cs{course}-{student}\xc3\xa9", "only letters"},
                {"cs{{course}}-{student}", "only letters"},
                {"cs%s{course}-{student}", "only letters"},
                {A62 "aa{course}-{student}", "too long"},
                {"{course}-" A62 "a{student}", "too long"},
                {"{course}-{student}" A62 "aa", "too long"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct name_rule rule = {.head = "untouched"};
                const char *reason = NULL;

                if (name_rule_parse(rows[i].rule, &rule, &reason) != -EINVAL)
                        fail_msg("rule '%s' was taken", rows[i].rule);
                assert_non_null(reason);
                if (!strstr(reason, rows[i].reason))
                        fail_msg("rule '%s' is refused because %s", rows[i].rule, reason);
                assert_string_equal(rule.head, "untouched");
        }
}

static void test_matches(void **state) {
        static const struct {
                const char *rule, *user, *course, *student;
        } rows[] = {
                {NAME_RULE_DEFAULT, "cs123-newellz2", "123", "newellz2"},
                {NAME_RULE_DEFAULT, "cs007-a", "007", "a"},
                {NAME_RULE_DEFAULT, "cs1-2", "1", "2"},
                {NAME_RULE_DEFAULT, "cs123456-x", "123456", "x"},
                {NAME_RULE_DEFAULT, "cs123-a-b.c_D-", "123", "a-b.c_D-"},
                {NAME_RULE_DEFAULT, "cs123-cs456-x", "123", "cs456-x"},
                {NAME_RULE_DEFAULT, "cs123-_x", "123", "_x"},
                {"{student}-{course}", "a-1-123", "123", "a-1"},
                {"{student}-{course}", "newellz2-123", "123", "newellz2"},
                {"{student}.cs{course}", "n.cs1.cs22", "22", "n.cs1"},
                {"{student}.cs{course}x", "n.cs22x", "22", "n"},
                {"u{student}_{course}.edu", "ux_9.edu", "9", "x"},
                {"cs1{course}-{student}", "cs1123-x", "123", "x"},
                {"{course}x{student}y", "12xayy", "12", "ay"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char course[COURSE_SIZE], student[USER_NAME_SIZE], user[USER_NAME_SIZE];
                struct name_rule rule;
                const char *reason;

                assert_int_equal(name_rule_parse(rows[i].rule, &rule, &reason), 0);
                if (!name_rule_match(&rule, rows[i].user, course, student))
                        fail_msg("%s does not match %s", rows[i].rule, rows[i].user);
                assert_string_equal(course, rows[i].course);
                assert_string_equal(student, rows[i].student);

                /* And back: what was taken apart is the only name of this course and student. */
                assert_int_equal(name_rule_format(&rule, course, student, user), 0);
                assert_string_equal(user, rows[i].user);
        }
}

static void test_does_not_match(void **state) {
        static const struct {
                const char *rule, *user;
        } rows[] = {
                {NAME_RULE_DEFAULT, ""},
                {NAME_RULE_DEFAULT, "root"},
                {NAME_RULE_DEFAULT, "cs"},
                {NAME_RULE_DEFAULT, "cs123"},
                {NAME_RULE_DEFAULT, "cs123-"},
                {NAME_RULE_DEFAULT, "cs-newellz2"},
                {NAME_RULE_DEFAULT, "cs12a-newellz2"},
                {NAME_RULE_DEFAULT, "CS123-newellz2"},
                {NAME_RULE_DEFAULT, "xcs123-newellz2"},
                {NAME_RULE_DEFAULT, " cs123-newellz2"},
                {NAME_RULE_DEFAULT, "cs1234567-newellz2"},
                {NAME_RULE_DEFAULT, "cs123--x"},
                {NAME_RULE_DEFAULT, "cs123-.x"},
                {NAME_RULE_DEFAULT, "cs123-a b"},
                {NAME_RULE_DEFAULT, "cs123-a/../b"},
                {NAME_RULE_DEFAULT, "cs123-a\n"},
                {NAME_RULE_DEFAULT, "cs123-a\x7f"},
                {NAME_RULE_DEFAULT, "cs123-\xc3\xa9"},
                {NAME_RULE_DEFAULT, "cs\xd9\xa1-a"},
                {NAME_RULE_DEFAULT, "cs123-%n$"},
                {NAME_RULE_DEFAULT, "cs123-" A31 A31},
                {"{student}-{course}", "-123"},
                {"{student}-{course}", "a-"},
                {"{student}-{course}", "123"},
                {"{student}-{course}", "a-1234567"},
                {"{student}-{course}", "a123"},
                {"a{course}-{student}a", "a"},
                {"aa{course}-{student}aa", "aaa"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char course[COURSE_SIZE] = "?", student[USER_NAME_SIZE] = "?";
                struct name_rule rule;
                const char *reason;

                assert_int_equal(name_rule_parse(rows[i].rule, &rule, &reason), 0);
                if (name_rule_match(&rule, rows[i].user, course, student))
                        fail_msg("%s matches '%s' as course %s, student %s", rows[i].rule, rows[i].user,
                                course, student);
                assert_string_equal(course, "?");
                assert_string_equal(student, "?");
        }
}

/* 63 characters are the longest name there may be. */
static void test_limits(void **state) {
        char user[USER_NAME_SIZE] = "untouched", course[COURSE_SIZE], student[USER_NAME_SIZE];
        struct name_rule rule;
        const char *reason;
        char name[USER_NAME_SIZE];

        (void)state;
        assert_int_equal(name_rule_parse(NAME_RULE_DEFAULT, &rule, &reason), 0);

        memset(name, 'a', sizeof(name));
        name[57] = '\0';
        assert_int_equal(name_rule_format(&rule, "123", name, user), 0);
        assert_int_equal(strlen(user), 63);
        assert_true(name_rule_match(&rule, user, course, student));
        assert_string_equal(student, name);

        name[57] = 'a';
        name[58] = '\0';
        (void)strcpy(user, "untouched");
        assert_int_equal(name_rule_format(&rule, "123", name, user), -ENAMETOOLONG);
        assert_string_equal(user, "untouched");
}

static void test_student_names(void **state) {
        static const char *const good[] = {"a", "9", "_", "A.b-c_d", "newellz2", A62 "a"};
        static const char *const bad[] = {
                "", "-a", ".a", "a b", "a:b", "a/b", "a\t", "\xff", "a\xff", "..", A62 "aa"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (!student_name_valid(good[i]))
                        fail_msg("'%s' is refused", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (student_name_valid(bad[i]))
                        fail_msg("'%s' is taken", bad[i]);
}

/* Every byte but NUL, in every place of a name. */
static void test_every_byte(void **state) {
        struct name_rule rule;
        const char *reason;

        (void)state;
        assert_int_equal(name_rule_parse(NAME_RULE_DEFAULT, &rule, &reason), 0);
        for (unsigned byte = 1; byte < 256; byte++)
                for (size_t at = 0; at < strlen("cs12-ab"); at++) {
                        char user[] = "cs12-ab", course[COURSE_SIZE], student[USER_NAME_SIZE];

                        user[at] = (char)byte;
                        if (!name_rule_match(&rule, user, course, student))
                                continue;
                        assert_true(byte < 128 && byte > ' ');
                        assert_int_equal(strspn(course, "0123456789"), strlen(course));
                        assert_true(student_name_valid(student));
                }
}

static void test_names_that_differ_in_capitals(void **state) {
        static const struct {
                const char *rule, *user;
                bool resembles;
        } cases[] = {
                {NAME_RULE_DEFAULT, "CS123-newellz2", true},
                {NAME_RULE_DEFAULT, "Cs123-x", true},
                {NAME_RULE_DEFAULT, "cs123-newellz2", false},
                {NAME_RULE_DEFAULT, "cs123-Newellz2", false},
                {NAME_RULE_DEFAULT, "alice", false},
                {NAME_RULE_DEFAULT, "CSS123-x", false},
                {NAME_RULE_DEFAULT, "", false},
                {"{student}.C{course}", "x.c123", true},
                {"{student}.C{course}", "x.C123", false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct name_rule rule;
                const char *reason;

                assert_int_equal(name_rule_parse(cases[i].rule, &rule, &reason), 0);
                assert_int_equal(name_rule_resembles(&rule, cases[i].user), cases[i].resembles);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refuses_rules),
                cmocka_unit_test(test_names_that_differ_in_capitals),
                cmocka_unit_test(test_matches),
                cmocka_unit_test(test_does_not_match),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_student_names),
                cmocka_unit_test(test_every_byte),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
