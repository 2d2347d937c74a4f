/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The name rule. The input is a rule, and on the lines below it names of users. */

#include "fuzz.h"
#include "name-rule.h"

/* A rule has one text, and without its domain it is a rule as well. */
static void check_rule(const struct name_rule *rule, const char *text) {
        char written[NAME_RULE_TEXT_SIZE];
        struct name_rule bare, again;
        const char *reason;

        name_rule_text(rule, written);
        CHECK(string_equal(written, text));
        name_rule_without_domain(rule, &bare);
        name_rule_text(&bare, written);
        CHECK(name_rule_parse(written, &again, &reason) == 0);
        CHECK(!strpbrk(written, "@\\+") || strpbrk(rule->middle, "@\\+"));
}

static void check_course(const char *course) {
        CHECK(strlen(course) >= 1 && strlen(course) <= COURSE_DIGITS_MAX);
        CHECK(strspn(course, "0123456789") == strlen(course));
}

/* A name that the rule accepts has one reading, and that reading gives the name. */
static void check_match(
        const struct name_rule *rule, const char *user, const char *course, const char *student) {
        char other_course[COURSE_SIZE], other_student[USER_NAME_SIZE], built[USER_NAME_SIZE];

        check_course(course);
        CHECK(student_name_valid(student));
        CHECK(name_rule_format(rule, course, student, built) == 0);
        CHECK(string_equal(built, user));
        CHECK(!name_rule_resembles(rule, user));
        CHECK(name_rule_match(rule, built, other_course, other_student));
        CHECK(string_equal(other_course, course) && string_equal(other_student, student));
}

/* Every course and student that are valid and fit give a name that is read back as they are. */
static void check_build(const struct name_rule *rule, const char *course, const char *student) {
        char built[USER_NAME_SIZE], other_course[COURSE_SIZE], other_student[USER_NAME_SIZE];

        if (!student_name_valid(student) || name_rule_format(rule, course, student, built) < 0)
                return;
        CHECK(name_rule_match(rule, built, other_course, other_student));
        CHECK(string_equal(other_course, course) && string_equal(other_student, student));
}

static void swap_case(char *text) {
        for (; *text; text++)
                if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
                        *text = (char)(*text ^ 0x20);
}

/* Other spellings of a course user's name are not those of somebody who is no course user. */
static void check_spellings(const struct name_rule *rule, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE], other[USER_NAME_SIZE + 16];

        (void)snprintf(other, sizeof(other), "%s", user);
        swap_case(other);
        CHECK(name_rule_match(rule, other, course, student) || name_rule_resembles(rule, other));
        (void)snprintf(other, sizeof(other), "%s@example.edu", user);
        CHECK(name_rule_match(rule, other, course, student) || name_rule_resembles(rule, other));
        (void)snprintf(other, sizeof(other), "EXAMPLE\\%s", user);
        CHECK(name_rule_match(rule, other, course, student) || name_rule_resembles(rule, other));
}

static void check_name(const struct name_rule *rule, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        check_build(rule, "007", user);
        if (name_rule_match(rule, user, course, student)) {
                check_match(rule, user, course, student);
                check_spellings(rule, user);
        } else {
                (void)name_rule_resembles(rule, user);
                CHECK(name_rule_reason(rule, user));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        struct name_rule rule;
        const char *reason;
        char *rest = text, *line;

        if (!text)
                return 0;
        line = fuzz_take_line(&rest);
        if (name_rule_parse(line, &rule, &reason) < 0) {
                CHECK(reason);
                return 0;
        }
        check_rule(&rule, line);
        while (*rest)
                check_name(&rule, fuzz_take_line(&rest));
        return 0;
}
