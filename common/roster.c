/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reads, changes and writes rosters. A line that is not changed is written back as it was, comments included.
 * The activator looks a student up here at each login; coursenetctl shows, checks and changes rosters.
 */

#include "roster.h"
#include "number.h"
#include "trusted-file.h"

#define REMOVED_MARK "#removed"

void roster_done(struct roster *roster) {
        for (size_t i = 0; i < roster->n_lines; i++)
                free(roster->lines[i].text);
        free(roster->lines);
        *roster = (struct roster){0};
}

/* Appends a line that has a text and no student. NULL: out of memory. */
static struct roster_line *append_line(struct roster *roster, const char *text, size_t length) {
        struct roster_line *lines;
        char *copy;

        lines = reallocarray(roster->lines, roster->n_lines + 1, sizeof(*lines));
        if (!lines)
                return NULL;
        roster->lines = lines;

        copy = strndup(text, length);
        if (!copy)
                return NULL;

        lines += roster->n_lines++;
        *lines = (struct roster_line){.text = copy};
        return lines;
}

/* Accepts a user name without the domain as well, because that is how people write it. */
static bool match_word(const struct name_rule *rule, const char *word, char ret_course[static COURSE_SIZE],
        char ret_student[static USER_NAME_SIZE]) {
        struct name_rule bare;

        if (name_rule_match(rule, word, ret_course, ret_student))
                return true;
        name_rule_without_domain(rule, &bare);
        return name_rule_match(&bare, word, ret_course, ret_student);
}

int roster_student(const struct settings *settings, const char *course, const char *word,
        char ret_student[static USER_NAME_SIZE]) {
        char other[COURSE_SIZE], student[USER_NAME_SIZE], user[USER_NAME_SIZE];

        if (match_word(&settings->rule, word, other, student)) {
                if (!string_equal(other, course))
                        return -EXDEV;
                return string_copy(ret_student, USER_NAME_SIZE, student);
        }
        if (!student_name_valid(word))
                return -EINVAL;
        if (name_rule_format(&settings->rule, course, word, user) < 0)
                return -ENAMETOOLONG;
        return string_copy(ret_student, USER_NAME_SIZE, word);
}

const char *roster_student_reason(int error) {
        switch (error) {
        case -EXDEV:
                return "is a user name of another course";
        case -ENAMETOOLONG:
                return "gives a user name of more than 255 characters, which no login accepts";
        default:
                return "cannot be a student's name: expected letters, digits, '_', '.' and '-', and a "
                       "letter, a digit or '_' as the first of them";
        }
}

/* The number (from 1) of the line that already has the student or the seat. 0: there is none. */
static unsigned find_collision(
        const struct roster *roster, const char *student, unsigned seat, bool *ret_same_seat) {
        for (size_t i = 0; i < roster->n_lines; i++) {
                const struct roster_line *line = &roster->lines[i];

                if (line->student[0] == '\0')
                        continue;
                if (line->seat == seat || string_equal(line->student, student)) {
                        *ret_same_seat = line->seat == seat;
                        return (unsigned)i + 1;
                }
        }
        return 0;
}

struct words {
        char *name, *seat, *rest;
};

static struct words split_words(char *text) {
        struct words words = {0};

        words.name = strtok_r(text, " \t\r", &words.rest);
        words.seat = words.name ? strtok_r(NULL, " \t\r", &words.rest) : NULL;
        words.rest = words.seat ? strtok_r(NULL, " \t\r", &words.rest) : NULL;
        return words;
}

/* Fills *ret from "NAME SEAT". A negative result: reason says what is wrong. */
static int parse_entry(const struct settings *settings, const struct roster *roster,
        const struct words *words, struct roster_line *ret, char *reason, size_t size) {
        unsigned earlier;
        bool same_seat;
        int r;

        r = roster_student(settings, roster->course, words->name, ret->student);
        if (r < 0) {
                (void)snprintf(reason, size, "'%s' %s", words->name, roster_student_reason(r));
                return -EINVAL;
        }
        if (!words->seat || (words->rest && words->rest[0] != '#')) {
                (void)snprintf(reason, size,
                        "expected 'NAME SEAT' (to seat a plain list of names: coursenetctl roster import)");
                return -EINVAL;
        }
        if (number_parse(words->seat, 2, roster->seat_max, &ret->seat) < 0) {
                (void)snprintf(reason, size,
                        "seat '%s': expected a number from 2 to %u, the last seat of the subnet of course %s "
                        "(for more seats, set prefix, or subnet in [course %s])",
                        words->seat, roster->seat_max, roster->course, roster->course);
                return -EINVAL;
        }

        earlier = find_collision(roster, ret->student, ret->seat, &same_seat);
        if (earlier == 0)
                return 0;
        (void)snprintf(reason, size, "%s '%s' is in line %u already: change one of the two lines",
                same_seat ? "seat" : "student", same_seat ? words->seat : words->name, earlier);
        return -EEXIST;
}

/* Parses one line. Mistakes go to diagnostics; -ENOMEM is the only error that is returned. */
static int parse_line(struct roster *roster, const struct settings *settings, const char *text, size_t length,
        const char *path, struct diagnostics *diagnostics) {
        _cleanup_free_ char *copy = strndup(text, length);
        struct roster_line entry = {0}, *line;
        char reason[512];
        struct words words;
        int r = 0;

        if (!copy)
                return -ENOMEM;

        entry.removed =
                string_starts_with(copy, REMOVED_MARK " ") || string_starts_with(copy, REMOVED_MARK "\t");
        words = split_words(copy + (entry.removed ? strlen(REMOVED_MARK) : 0));
        if (words.name && words.name[0] != '#')
                r = parse_entry(settings, roster, &words, &entry, reason, sizeof(reason));

        line = append_line(roster, text, length);
        if (!line)
                return -ENOMEM;
        if (r < 0) {
                diagnostics_error(diagnostics, path, (unsigned)roster->n_lines, "%s", reason);
                return 0;
        }

        entry.text = line->text;
        *line = entry;
        return 0;
}

int roster_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        struct roster *ret, struct diagnostics *diagnostics) {
        struct roster roster = {.rule = settings->rule, .first_seat = settings->first_seat};
        struct address subnet;
        char reason[256];
        int r;

        if (settings_check_course(settings, course, reason, sizeof(reason)) < 0 ||
                settings_course_subnet(settings, course, &subnet, reason, sizeof(reason)) < 0) {
                diagnostics_error(diagnostics, path, 0, "%s", reason);
                return -EINVAL;
        }
        (void)string_copy(roster.course, sizeof(roster.course), course);
        roster.seat_max = (1U << (32U - subnet.prefix)) - 2U;

        while (*text) {
                size_t length = strcspn(text, "\n");

                r = parse_line(&roster, settings, text, length, path, diagnostics);
                if (r < 0) {
                        roster_done(&roster);
                        diagnostics_error(diagnostics, path, 0, "out of memory");
                        return r;
                }
                text += length + (text[length] == '\n');
        }

        *ret = roster;
        return 0;
}

int roster_load(const char *etc, const struct settings *settings, const char *course, struct roster *ret,
        struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *reason;
        int r;

        if (asprintf(&path, "%s/" ROSTER_DIRECTORY "/%s", etc, course) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return -ENOMEM;
        }

        r = trusted_file_read(path, &text, &reason);
        if (r == -ENOENT)
                return r;
        if (r < 0) {
                diagnostics_error(diagnostics, path, 0, "%s", reason);
                return r;
        }
        return roster_parse(text, path, settings, course, ret, diagnostics);
}

/* Finds students who were removed as well. */
static struct roster_line *find_line(const struct roster *roster, const char *student) {
        for (size_t i = 0; i < roster->n_lines; i++)
                if (string_equal(roster->lines[i].student, student))
                        return &roster->lines[i];
        return NULL;
}

const struct roster_line *roster_find(const struct roster *roster, const char *student) {
        const struct roster_line *line = student[0] ? find_line(roster, student) : NULL;

        return line && !line->removed ? line : NULL;
}

/* 0: no number is free. The numbers of removed students are not free. */
static unsigned find_free_seat(const struct roster *roster) {
        _cleanup_free_ bool *taken = calloc(roster->seat_max + 1, sizeof(*taken));

        if (!taken)
                return 0;
        for (size_t i = 0; i < roster->n_lines; i++)
                taken[roster->lines[i].seat] = true;
        for (unsigned seat = roster->first_seat; seat <= roster->seat_max; seat++)
                if (!taken[seat])
                        return seat;
        return 0;
}

/*
 * The word that roster_student() reads as this student. Student "cs124-zoe" of course 123 is written
 * "cs123-cs124-zoe", because the name alone would be a user name of course 124.
 */
static int format_word(
        const struct roster *roster, const char *student, char ret_word[static USER_NAME_SIZE]) {
        char other_course[COURSE_SIZE], other_student[USER_NAME_SIZE];

        if (match_word(&roster->rule, student, other_course, other_student))
                return name_rule_format(&roster->rule, roster->course, student, ret_word);
        return string_copy(ret_word, USER_NAME_SIZE, student);
}

/* Sets removed, and writes the line's text from its members. */
static int rewrite_line(const struct roster *roster, struct roster_line *line, bool removed) {
        char word[USER_NAME_SIZE], *text;
        int r;

        r = format_word(roster, line->student, word);
        if (r < 0)
                return r;
        if (asprintf(&text, "%s%s %u", removed ? REMOVED_MARK " " : "", word, line->seat) < 0)
                return -ENOMEM;
        free(line->text);
        line->text = text;
        line->removed = removed;
        return 0;
}

int roster_add(struct roster *roster, const char *student, unsigned *ret_seat) {
        struct roster_line *line;
        unsigned seat;
        int r;

        if (!student_name_valid(student))
                return -EINVAL;

        line = find_line(roster, student);
        if (line) {
                bool was_removed = line->removed;

                if (was_removed) {
                        r = rewrite_line(roster, line, false);
                        if (r < 0)
                                return r;
                }
                *ret_seat = line->seat;
                return was_removed;
        }

        seat = find_free_seat(roster);
        if (seat == 0)
                return -ENOSPC;

        line = append_line(roster, "", 0);
        if (!line)
                return -ENOMEM;
        (void)string_copy(line->student, sizeof(line->student), student);
        line->seat = seat;
        r = rewrite_line(roster, line, false);
        if (r < 0)
                return r;

        *ret_seat = seat;
        return 1;
}

int roster_remove(struct roster *roster, const char *student) {
        struct roster_line *line = student[0] ? find_line(roster, student) : NULL;

        if (!line || line->removed)
                return -ENOENT;
        return rewrite_line(roster, line, true);
}

char *roster_format(const struct roster *roster) {
        size_t size = 1;
        char *text, *p;

        for (size_t i = 0; i < roster->n_lines; i++)
                size += strlen(roster->lines[i].text) + 1;

        text = p = malloc(size);
        if (!text)
                return NULL;
        for (size_t i = 0; i < roster->n_lines; i++) {
                p = stpcpy(p, roster->lines[i].text);
                *p++ = '\n';
        }
        *p = '\0';
        return text;
}
