/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The user name rule. Called by the module for every login on the machine, so it allocates nothing and
 * touches nothing but its arguments.
 */

#include "name-rule.h"

#define WORD_COURSE "{course}"
#define WORD_STUDENT "{student}"

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Not isalnum(): the host process may run in any locale. */
static bool is_student_start(char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_student_char(char c) {
        return is_student_start(c) || c == '.' || c == '-';
}

bool student_name_valid(const char *student) {
        if (!is_student_start(student[0]))
                return false;
        for (const char *p = student; *p; p++)
                if (!is_student_char(*p))
                        return false;
        return strlen(student) < USER_NAME_SIZE;
}

static bool literal_valid(const char *literal) {
        for (const char *p = literal; *p; p++)
                if (!is_student_char(*p))
                        return false;
        return true;
}

/* Copies the text from start up to end; -ENAMETOOLONG if it does not fit. */
static int copy_span(char *array, size_t size, const char *start, const char *end) {
        size_t length = (size_t)(end - start);

        if (length >= size)
                return -ENAMETOOLONG;
        memcpy(array, start, length);
        array[length] = '\0';
        return 0;
}

static int split_rule(const char *text, const char *course, const char *student, struct name_rule *rule) {
        bool course_first = course < student;
        const char *first = course_first ? course : student;
        const char *second = course_first ? student : course;
        size_t first_length = course_first ? strlen(WORD_COURSE) : strlen(WORD_STUDENT);
        size_t second_length = course_first ? strlen(WORD_STUDENT) : strlen(WORD_COURSE);

        rule->course_first = course_first;
        if (copy_span(rule->head, sizeof(rule->head), text, first) < 0 ||
                copy_span(rule->middle, sizeof(rule->middle), first + first_length, second) < 0 ||
                string_copy(rule->tail, sizeof(rule->tail), second + second_length) < 0)
                return -ENAMETOOLONG;
        return 0;
}

/* The literal beside {course} must not continue its digits, and something must part the two words. */
static const char *find_ambiguity(const struct name_rule *rule) {
        size_t length = strlen(rule->middle);

        if (length == 0)
                return "something must stand between {course} and {student}, such as a dash";
        if (rule->course_first ? is_digit(rule->middle[0]) : is_digit(rule->middle[length - 1]))
                return "the text between the words may not touch {course} with a digit";
        if (!rule->course_first && is_digit(rule->tail[0]))
                return "the text behind {course} may not begin with a digit";
        return NULL;
}

int name_rule_parse(const char *text, struct name_rule *ret, const char **ret_reason) {
        const char *course = strstr(text, WORD_COURSE), *student = strstr(text, WORD_STUDENT);
        struct name_rule rule = {0};

        *ret_reason = "it must have {course} and {student} exactly once each, as in " NAME_RULE_DEFAULT;
        if (!course || !student || strstr(course + 1, WORD_COURSE) || strstr(student + 1, WORD_STUDENT))
                return -EINVAL;

        if (split_rule(text, course, student, &rule) < 0) {
                *ret_reason = "it is too long";
                return -EINVAL;
        }

        if (!literal_valid(rule.head) || !literal_valid(rule.middle) || !literal_valid(rule.tail)) {
                *ret_reason = "beside {course} and {student} only letters, digits, '_', '.' and '-' may "
                              "stand in it";
                return -EINVAL;
        }

        *ret_reason = find_ambiguity(&rule);
        if (*ret_reason)
                return -EINVAL;

        *ret = rule;
        return 0;
}

/* How many digits stand at the start of text, up to limit. */
static size_t count_digits(const char *text, size_t limit) {
        size_t n = 0;

        while (n < limit && is_digit(text[n]))
                n++;
        return n;
}

/* Where the two words stand in what is left of a name without head and tail. */
struct split {
        size_t course_start, course_end;
        size_t student_start, student_end;
};

static bool split_course_first(const char *middle, const char *body, size_t length, struct split *ret) {
        size_t digits = count_digits(body, length), middle_length = strlen(middle);

        if (length - digits < middle_length || strncmp(body + digits, middle, middle_length) != 0)
                return false;
        *ret = (struct split){0, digits, digits + middle_length, length};
        return true;
}

static bool split_student_first(const char *middle, const char *body, size_t length, struct split *ret) {
        size_t start = length, middle_length = strlen(middle);

        while (start > 0 && is_digit(body[start - 1]))
                start--;
        if (start < middle_length || strncmp(body + start - middle_length, middle, middle_length) != 0)
                return false;
        *ret = (struct split){start, length, 0, start - middle_length};
        return true;
}

bool name_rule_match(const struct name_rule *rule, const char *user, char ret_course[static COURSE_SIZE],
        char ret_student[static USER_NAME_SIZE]) {
        size_t head = strlen(rule->head), tail = strlen(rule->tail), length = strnlen(user, USER_NAME_SIZE);
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        const char *body;
        struct split split;

        if (length == USER_NAME_SIZE || length < head + tail)
                return false;
        if (strncmp(user, rule->head, head) != 0 || !string_equal(user + length - tail, rule->tail))
                return false;

        body = user + head;
        length -= head + tail;
        if (!(rule->course_first ? split_course_first : split_student_first)(
                    rule->middle, body, length, &split))
                return false;

        if (split.course_start == split.course_end ||
                copy_span(course, sizeof(course), body + split.course_start, body + split.course_end) < 0 ||
                copy_span(student, sizeof(student), body + split.student_start, body + split.student_end) <
                        0 ||
                !student_name_valid(student))
                return false;

        (void)string_copy(ret_course, COURSE_SIZE, course);
        (void)string_copy(ret_student, USER_NAME_SIZE, student);
        return true;
}

/* ASCII only, whatever the locale; what does not fit is cut, and matches nothing then. */
static void copy_lower(char *array, size_t size, const char *text) {
        size_t n = 0;

        for (; n + 1 < size && text[n]; n++)
                array[n] = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] - 'A' + 'a') : text[n];
        array[n] = '\0';
}

bool name_rule_resembles(const struct name_rule *rule, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE], lower_user[USER_NAME_SIZE];
        struct name_rule lower = {.course_first = rule->course_first};

        if (strlen(user) >= sizeof(lower_user) || name_rule_match(rule, user, course, student))
                return false;
        copy_lower(lower.head, sizeof(lower.head), rule->head);
        copy_lower(lower.middle, sizeof(lower.middle), rule->middle);
        copy_lower(lower.tail, sizeof(lower.tail), rule->tail);
        copy_lower(lower_user, sizeof(lower_user), user);
        return name_rule_match(&lower, lower_user, course, student);
}

int name_rule_format(const struct name_rule *rule, const char *course, const char *student,
        char ret_user[static USER_NAME_SIZE]) {
        char user[USER_NAME_SIZE];
        int n;

        n = snprintf(user, sizeof(user), "%s%s%s%s%s", rule->head, rule->course_first ? course : student,
                rule->middle, rule->course_first ? student : course, rule->tail);
        if (n < 0 || (size_t)n >= sizeof(user))
                return -ENAMETOOLONG;
        memcpy(ret_user, user, (size_t)n + 1);
        return 0;
}
