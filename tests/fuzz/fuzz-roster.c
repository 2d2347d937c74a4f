/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rosters. The input is the roster of course 123, and is read under several name rules. */

#include "fuzz.h"
#include "roster.h"

#define COURSE "123"
#define PATH "roster.d/" COURSE

static void parse(const struct settings *settings, const char *text, struct roster *ret, size_t *ret_errors) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        CHECK(roster_parse(text, PATH, settings, COURSE, ret, &diagnostics) == 0);
        *ret_errors = diagnostics.n_errors;
}

static void check_line(const struct roster *roster, size_t i) {
        const struct roster_line *line = &roster->lines[i];

        CHECK(line->text && !strchr(line->text, '\n'));
        if (line->student[0] == '\0')
                return;
        CHECK(student_name_valid(line->student));
        CHECK(line->seat >= 2 && line->seat <= roster->seat_max);
        CHECK(roster_find(roster, line->student) == (line->removed ? NULL : line));
        for (size_t j = 0; j < i; j++)
                CHECK(roster->lines[j].seat != line->seat);
}

static void check_same(const struct roster *a, const struct roster *b) {
        CHECK(a->n_lines == b->n_lines);
        for (size_t i = 0; i < a->n_lines; i++) {
                CHECK(string_equal(a->lines[i].student, b->lines[i].student));
                CHECK(a->lines[i].seat == b->lines[i].seat);
                CHECK(a->lines[i].removed == b->lines[i].removed);
                CHECK(string_equal(a->lines[i].text, b->lines[i].text));
        }
}

/* A roster that is written is read as it was, with no more mistakes than it had. */
static void check_written(const struct settings *settings, const struct roster *roster, size_t n_errors) {
        _cleanup_free_ char *text = roster_format(roster);
        _cleanup_roster_ struct roster again = {0};
        size_t n_errors_again;

        CHECK(text);
        parse(settings, text, &again, &n_errors_again);
        CHECK(n_errors_again == n_errors);
        check_same(roster, &again);
}

/* Adds the student that a word means, as `coursenetctl roster add` does. */
static void check_addition(
        const struct settings *settings, struct roster *roster, const char *word, size_t n_errors) {
        char student[USER_NAME_SIZE];
        unsigned seat, seat_again;
        int r;

        if (roster_student(settings, COURSE, word, student) < 0)
                return;
        r = roster_add(roster, student, &seat);
        if (r == -ENOSPC)
                return;
        CHECK(r == 0 || r == 1);
        CHECK(roster_find(roster, student) && roster_find(roster, student)->seat == seat);
        CHECK(roster_add(roster, student, &seat_again) == 0 && seat_again == seat);
        check_written(settings, roster, n_errors);
}

/* Removes a student and adds them again: the number stays theirs. */
static void check_return(const struct settings *settings, struct roster *roster, size_t i, size_t n_errors) {
        char student[USER_NAME_SIZE];
        unsigned seat;

        (void)string_copy(student, sizeof(student), roster->lines[i].student);
        if (student[0] == '\0' || roster->lines[i].removed)
                return;
        CHECK(roster_remove(roster, student) == 0);
        CHECK(!roster_find(roster, student));
        CHECK(roster_remove(roster, student) == -ENOENT);
        check_written(settings, roster, n_errors);
        CHECK(roster_add(roster, student, &seat) == 1 && seat == roster->lines[i].seat);
        check_written(settings, roster, n_errors);
}

/* The first words of the lines, and of comments, are students to add. */
static void check_words(
        const struct settings *settings, struct roster *roster, const char *text, size_t n_errors) {
        char word[USER_NAME_SIZE + 16];

        for (unsigned n = 0; *text && n < 8; n++) {
                size_t length;

                text += strspn(text, "# \t");
                length = strcspn(text, " \t\r\n");
                (void)snprintf(word, sizeof(word), "%.*s", (int)length, text);
                if (length < sizeof(word))
                        check_addition(settings, roster, word, n_errors);
                text += strcspn(text, "\n");
                text += *text == '\n';
        }
}

static void check_site(const char *text, const char *rule, unsigned prefix) {
        struct settings settings = {.course_digits = 3,
                .first_seat = 10,
                .network = {.ip = 0x0a000000, .prefix = 8},
                .prefix = prefix};
        _cleanup_roster_ struct roster roster = {0};
        size_t n_errors, n_lines;
        const char *reason;

        CHECK(name_rule_parse(rule, &settings.rule, &reason) == 0);
        parse(&settings, text, &roster, &n_errors);
        n_lines = roster.n_lines;
        for (size_t i = 0; i < n_lines; i++)
                check_line(&roster, i);
        check_written(&settings, &roster, n_errors);
        check_words(&settings, &roster, text, n_errors);
        for (size_t i = 0; i < n_lines && i < 8; i++)
                check_return(&settings, &roster, i, n_errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);

        if (!text)
                return 0;
        check_site(text, NAME_RULE_DEFAULT, 24);
        check_site(text, "{student}-cs{course}@ad.example.edu", 28);
        check_site(text, "cs{course}\\{student}", 17);
        return 0;
}
