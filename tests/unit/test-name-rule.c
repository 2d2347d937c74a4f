/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The user name rule: which rules are refused, and that each name is read in exactly one way or not at all.
 */

#include "fixture.h"

#include "name-rule.h"

#define A31 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A62 A31 A31
#define A248 A62 A62 A62 A62

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
                {"CAMPUS/cs{course}-{student}", "only letters"},
                {"cs{course}-{student}$", "only letters"},
                {A248 "aaaaaaaa{course}-{student}", "too long"},
                {"{course}-" A248 "aaaaaaaa{student}", "too long"},
                {"{course}-{student}" A248 "aaaaaaaa", "too long"},
                /* Each literal fits, and no name would. */
                {A62 A62 "{course}" A62 "-{student}" A62 "aaaaa", "too long"},
                {"cs{course}-{student}\\", "backslash"},
                {"{course}@{student}", "letter before"},
                {"{course}\\{student}", "letter before"},
                {"{student}@{course}.example.edu", "letter before"},
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
                /* What directories put around their names. */
                {"cs{course}-{student}@ad.example.edu", "cs123-x@ad.example.edu", "123", "x"},
                {"AD\\cs{course}-{student}", "AD\\cs123-x.y", "123", "x.y"},
                {"AD+cs{course}-{student}", "AD+cs123-x", "123", "x"},
                {"cs{course}\\{student}", "cs123\\x", "123", "x"},
                {"{student}@cs{course}.example.edu", "x@cs123.example.edu", "123", "x"},
                {NAME_RULE_DEFAULT, "cs123-" A248, "123", A248},
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
                {NAME_RULE_DEFAULT, "cs123-" A248 "aa"},
                {NAME_RULE_DEFAULT, "cs123-x@ad.example.edu"},
                {NAME_RULE_DEFAULT, "AD\\cs123-x"},
                {NAME_RULE_DEFAULT, "AD+cs123-x"},
                {"cs{course}-{student}@ad.example.edu", "cs123-x"},
                {"cs{course}-{student}@ad.example.edu", "cs123-x@ad.example.com"},
                {"cs{course}-{student}@ad.example.edu", "cs123-x@y@ad.example.edu"},
                {"AD\\cs{course}-{student}", "cs123-x"},
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

/* 255 characters are the longest name there may be. */
static void test_limits(void **state) {
        char user[USER_NAME_SIZE] = "untouched", course[COURSE_SIZE], student[USER_NAME_SIZE];
        struct name_rule rule;
        const char *reason;
        char name[USER_NAME_SIZE];

        (void)state;
        assert_int_equal(name_rule_parse(NAME_RULE_DEFAULT, &rule, &reason), 0);

        memset(name, 'a', sizeof(name));
        name[249] = '\0';
        assert_int_equal(name_rule_format(&rule, "123", name, user), 0);
        assert_int_equal(strlen(user), 255);
        assert_true(name_rule_match(&rule, user, course, student));
        assert_string_equal(student, name);

        name[249] = 'a';
        name[250] = '\0';
        (void)strcpy(user, "untouched");
        assert_int_equal(name_rule_format(&rule, "123", name, user), -ENAMETOOLONG);
        assert_string_equal(user, "untouched");
}

static void test_student_names(void **state) {
        static const char *const good[] = {"a", "9", "_", "A.b-c_d", "newellz2", A248 "aaaaaaa"};
        static const char *const bad[] = {"", "-a", ".a", "a b", "a:b", "a/b", "a\t", "\xff", "a\xff", "..",
                A248 "aaaaaaaa", "a@b", "a+b", "a\\b", "a$"};

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

#define DEFAULT NAME_RULE_DEFAULT
#define FULL "cs{course}-{student}@ad.example.edu"
#define NETBIOS "AD\\cs{course}-{student}"

struct likeness {
        const char *rule, *user;
        const char *reason; /* NULL: it is another's name, or a course user's own */
};

static void check_likeness(const struct likeness *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const char *reason;
                struct name_rule rule;

                assert_int_equal(name_rule_parse(rows[i].rule, &rule, &reason), 0);
                if (name_rule_resembles(&rule, rows[i].user) != !!rows[i].reason)
                        fail_msg("by %s, '%s' passes for %s", rows[i].rule, rows[i].user,
                                rows[i].reason ? "somebody else's" : "a course user's");
                if (rows[i].reason && !strstr(name_rule_reason(&rule, rows[i].user), rows[i].reason))
                        fail_msg("by %s, '%s' is refused because %s", rows[i].rule, rows[i].user,
                                name_rule_reason(&rule, rows[i].user));
        }
}

#define CHECK_LIKENESS(rows) check_likeness((rows), ELEMENTSOF(rows))

static void test_begins_as_a_course_users(void **state) {
        static const struct likeness rows[] = {
                {DEFAULT, "cs123-newellz2", NULL},
                {DEFAULT, "cs123-Newellz2", NULL},
                {DEFAULT, "cs0123-x", NULL}, /* how many digits is for the settings to say */
                {DEFAULT, "CS123-newellz2", "capitals"},
                {DEFAULT, "Cs123-x", "capitals"},
                {DEFAULT, "cs123-m\xc3\xbcller", "{student}"},
                {DEFAULT, "cs123-o'brien", "{student}"},
                {DEFAULT, "cs123-m$", "{student}"},
                {DEFAULT, "cs123-a+b", "{student}"},
                {DEFAULT, "cs123-a b", "{student}"},
                {DEFAULT, "cs123--x", "{student}"},
                {DEFAULT, "cs123-.x", "{student}"},
                {DEFAULT, "cs123-", "{student}"},
                {DEFAULT, "cs123_x", "another way"},
                {DEFAULT, "cs123x", "another way"},
                {DEFAULT, "cs123.x", "another way"},
                {DEFAULT, "cs1234567-x", "more than 6 digits"},
                {DEFAULT, "cs123-" A248 "aa", "longer than 255"},
                {DEFAULT, "cs123-" A248 A248 A248 A248 A248, "longer than 255"},
                {"{student}.C{course}", "x.c123", "capitals"},
                {"{student}.C{course}", "x.C123", NULL},
        };

        (void)state;
        CHECK_LIKENESS(rows);
}

static void test_names_with_a_domain(void **state) {
        static const struct likeness rows[] = {
                {DEFAULT, "cs123-x@ad.example.edu", "{student}"},
                {DEFAULT, "CS123-X@AD.EXAMPLE.EDU", "another way"},
                {DEFAULT, "AD\\cs123-x", "another way"},
                {DEFAULT, "AD+cs123-x", "another way"},
                {DEFAULT, "AD/cs123-x", "another way"},
                {DEFAULT, "ad.example.edu\\CS123-x", "another way"},
                {DEFAULT, "AD\\\\cs123-x", "another way"},
                {DEFAULT, "\\cs123-x", "another way"},
                {DEFAULT, "AD@cs123-x", "another way"},
                {DEFAULT, "AD-cs123-x", "another way"},
                {DEFAULT, "AD_cs123-x", "another way"},
                {DEFAULT, "AD.cs123-x", "another way"},
                {DEFAULT, "a.very.long.domain." A248 "\\cs123-x", "longer"},
                {FULL, "cs123-x@ad.example.edu", NULL},
                {FULL, "cs123-x@AD.example.edu", "capitals"},
                {FULL, "cs123-x", "another way"},
                {FULL, "cs123-x@other.example.edu", "another way"},
                {FULL, "AD\\cs123-x", "another way"},
                {FULL, "cs123-x@ad.example.edu@ad.example.edu", "{student}"},
                {NETBIOS, "AD\\cs123-x", NULL},
                {NETBIOS, "ad\\cs123-x", "capitals"},
                {NETBIOS, "cs123-x", "another way"},
                {NETBIOS, "OTHER\\cs123-x", "another way"},
                {NETBIOS, "cs123-x@ad.example.edu", "another way"},
                {"AD+cs{course}-{student}", "AD\\cs123-x", "another way"},
                /* The course as a domain. */
                {"cs{course}\\{student}", "cs123\\x", NULL},
                {"cs{course}\\{student}", "x@cs123", "another way"},
                {"cs{course}\\{student}", "x@CS123.example.edu", "another way"},
                {"{student}@cs{course}.example.edu", "CS123\\x", "another way"},
        };

        (void)state;
        CHECK_LIKENESS(rows);
}

/* What directories pass over, or take for one another, when they look a name up. */
static void test_names_in_other_characters(void **state) {
        static const struct likeness rows[] = {
                {DEFAULT, "\xef\xbd\x83s123-x", "another way"},       /* a wide c */
                {DEFAULT, "cs\xef\xbc\x91\x32\x33-x", "another way"}, /* a wide 1 */
                {DEFAULT, "cs12\xc2\xb3-x", "another way"},           /* a superscript 3 */
                {DEFAULT, "c\xc2\xads123-x", "another way"},          /* a soft hyphen */
                {DEFAULT,
                        "\xef\xbb\xbf"
                        "cs123-x",
                        "another way"},                         /* a byte order mark */
                {DEFAULT, "\xc3\xa7s123-x", "another way"},     /* an accent */
                {DEFAULT, "c\xcc\x81s123-x", "another way"},    /* one that combines */
                {DEFAULT, "cs123\xef\xbc\x8dx", "another way"}, /* a wide dash */
                {DEFAULT,
                        "AD\xef\xbc\xbc"
                        "cs123-x",
                        "another way"}, /* a wide backslash */
                {"css{course}-{student}",
                        "c\xc3\x9f"
                        "123-x",
                        "another way"}, /* a sharp s */
                {"fi{course}-{student}",
                        "\xef\xac\x81"
                        "123-x",
                        "another way"}, /* a ligature */
                {DEFAULT, " cs123-x", "another way"}, {DEFAULT, "cs123-x ", "{student}"},
                {DEFAULT, "c\1s123-x", "another way"}, {DEFAULT, "\xe7s123-x", "another way"}, /* Latin-1 */
        };

        (void)state;
        CHECK_LIKENESS(rows);
}

static void test_names_of_others(void **state) {
        static const struct likeness rows[] = {
                {DEFAULT, "alice", NULL},
                {DEFAULT, "", NULL},
                {DEFAULT, "alice@ad.example.edu", NULL},
                {DEFAULT, "AD\\alice", NULL},
                {DEFAULT, "CSS123-x", NULL},
                {DEFAULT, "xcs123-x", NULL},
                {DEFAULT, "cs-newellz2", NULL},
                {DEFAULT, "cs", NULL},
                {DEFAULT, "csaba", NULL},
                {DEFAULT, "cs\xc3\xb6rg\xc5\x91", NULL},
                {DEFAULT, "m\xc3\xbcller2", NULL},
                /* Charles S.; there is no student in it. */
                {DEFAULT, "cs123", NULL},
                {DEFAULT, "cs123@ad.example.edu", NULL},
                {DEFAULT, "AD\\CS123", NULL},
                {DEFAULT, "tutor-cs123", NULL},
                {DEFAULT, "tutor_cs123_2", NULL},
                {DEFAULT, "alice@cs1.example.edu", NULL},
                {DEFAULT, "CS50\\alice", NULL},
                {FULL, "alice@ad.example.edu", NULL},
                {NETBIOS, "AD\\alice", NULL},
                {NETBIOS, "AD\\svc-2", NULL},
                {DEFAULT, A248 A248, NULL},
        };

        (void)state;
        CHECK_LIKENESS(rows);
}

static void test_rules_without_a_text_before_the_course(void **state) {
        static const struct likeness rows[] = {
                {"{course}-{student}", "AD\\123-x", "another way"},
                {"{course}-{student}", "123-x@ad", "{student}"},
                {"{course}-{student}", "123-", "{student}"},
                {"{course}-{student}", "1234567-x", "more than 6"},
                {"{course}-{student}", "123456", NULL},
                {"{course}-{student}", "123_x", NULL},
                {"{course}-{student}", "2nd-floor", NULL},
                {"{course}-{student}", "backup-2024-11", NULL},
                {"{course}-{student}", "alice@ad.example.edu", NULL},
                {"AD\\{course}-{student}", "123-x", "another way"},
                {"class@{course}-{student}", "CLASS@123-X", "capitals"},
                {"class@{course}-{student}", "class@123-x@ad", "{student}"},
                {"{course}x{student}", "12Xa", "capitals"},
        };

        (void)state;
        CHECK_LIKENESS(rows);
}

static void test_rules_with_the_student_first(void **state) {
        static const struct likeness rows[] = {
                {"{student}-cs{course}", "AD\\x-cs123", "{student}"},
                {"{student}-cs{course}", "x-cs123@ad.example.edu", "another way"},
                {"{student}-cs{course}", "m\xc3\xbcller-CS123", "another way"},
                {"{student}-cs{course}", "-cs123", "{student}"},
                {"{student}-cs{course}", "x-cs123b", "another way"},
                {"{student}-cs{course}", "cs123-x", NULL},
                {"{student}-cs{course}", "alice", NULL},
                {"{student}-cs{course}@ad.example.edu", "x-cs123", "another way"},
                {"{student}.{course}", "AD\\x.2", "{student}"},
                {"{student}.{course}", "x.2@ad.example.edu", "another way"},
                {"{student}.{course}", "x.2b", NULL},
                {"{student}.{course}", "alice@ad.example.edu", NULL},
                {"{student}.{course}y", "x.2Y", "capitals"},
                {"{student}.{course}y@ad", "x.2y", "another way"},
                {"{student}.{course}y", "x.2", NULL},
        };

        (void)state;
        CHECK_LIKENESS(rows);
}

/* A course user's name stays one, or is refused, whatever single byte is put in, replaced or appended. */
static void test_every_byte_in_a_course_users_name(void **state) {
        static const char name[] = "AD\\cs123-x";
        struct name_rule rule;
        const char *reason;

        (void)state;
        assert_int_equal(name_rule_parse(DEFAULT, &rule, &reason), 0);
        for (unsigned byte = 1; byte < 256; byte++) {
                char user[32], course[COURSE_SIZE], student[USER_NAME_SIZE];

                for (int position = 0; position < 2; position++) {
                        /* As a separator between domain and name, unless letters and digits come to it; and
                         * behind. */
                        if (position == 0)
                                (void)snprintf(user, sizeof(user), "AD%c%s", (int)byte, name + 3);
                        else
                                (void)snprintf(user, sizeof(user), "%s%c", name + 3, (int)byte);
                        if (position == 0 && ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                                                     (byte >= 'a' && byte <= 'z')))
                                continue;
                        if (!name_rule_match(&rule, user, course, student) &&
                                !name_rule_resembles(&rule, user))
                                fail_msg("'%s' passes for somebody else's", user);
                }
        }
}

static void test_a_rule_without_its_domain(void **state) {
        static const struct {
                const char *rule, *bare;
        } rows[] = {
                {DEFAULT, DEFAULT},
                {FULL, DEFAULT},
                {NETBIOS, DEFAULT},
                {"AD+{student}-cs{course}x@b", "{student}-cs{course}x"},
        };
        char text[NAME_RULE_TEXT_SIZE];
        struct name_rule rule;
        const char *reason;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(name_rule_parse(rows[i].rule, &rule, &reason), 0);
                name_rule_text(&rule, text);
                assert_string_equal(text, rows[i].rule);
                name_rule_without_domain(&rule, &rule);
                name_rule_text(&rule, text);
                assert_string_equal(text, rows[i].bare);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refuses_rules),
                cmocka_unit_test(test_matches),
                cmocka_unit_test(test_does_not_match),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_student_names),
                cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_begins_as_a_course_users),
                cmocka_unit_test(test_names_with_a_domain),
                cmocka_unit_test(test_names_in_other_characters),
                cmocka_unit_test(test_names_of_others),
                cmocka_unit_test(test_rules_without_a_text_before_the_course),
                cmocka_unit_test(test_rules_with_the_student_first),
                cmocka_unit_test(test_every_byte_in_a_course_users_name),
                cmocka_unit_test(test_a_rule_without_its_domain),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
