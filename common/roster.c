/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reads, changes and writes rosters. A line that is not changed is written back as it was, comments included.
 * The activator looks a student up here at each login; coursenetctl shows, checks and changes rosters.
 */

#include <search.h>

#include "number.h"
#include "roster.h"
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
                return "cannot be a student's name: expected letters (a to z without accents), digits, '_', "
                       "'.' "
                       "and '-', and a letter, a digit or '_' as the first of them";
        }
}

/* What has been read of a roster, and which lines have students and seats. */
struct parser {
        const struct settings *settings;
        const char *path;
        struct roster roster; /* its lines do not move while they are read */
        unsigned *seat_lines; /* the number of a line, from 1, by the number of a seat; 0: none */
        void *student_lines;  /* a tsearch() tree of lines */
        struct diagnostics *diagnostics;
};

static void keep_node(void *line) {
        (void)line;
}

static int compare_lines(const void *a, const void *b) {
        const struct roster_line *one = a, *other = b;

        return strcmp(one->student, other->student);
}

static void parser_done(struct parser *parser) {
        tdestroy(parser->student_lines, keep_node);
        free(parser->seat_lines);
        roster_done(&parser->roster);
}

static size_t count_lines(const char *text) {
        size_t n = 1;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* The roster has its course and its highest seat. */
static int parser_init(struct parser *parser, const char *text) {
        parser->roster.lines = calloc(count_lines(text), sizeof(*parser->roster.lines));
        parser->seat_lines = calloc(parser->roster.seat_max + 1, sizeof(*parser->seat_lines));
        return parser->roster.lines && parser->seat_lines ? 0 : -ENOMEM;
}

/* The line that already has the student or the seat. 0: there is none. */
static unsigned find_collision(struct parser *parser, const struct roster_line *line, bool *ret_same_seat) {
        struct roster_line *const *found = tfind(line, &parser->student_lines, compare_lines);
        unsigned by_student = found ? (unsigned)(*found - parser->roster.lines) + 1 : 0,
                 by_seat = parser->seat_lines[line->seat];

        *ret_same_seat = by_seat > 0 && (by_student == 0 || by_seat <= by_student);
        return *ret_same_seat ? by_seat : by_student;
}

/* Notes the last line, which has a student. */
static int note_line(struct parser *parser) {
        struct roster *roster = &parser->roster;
        struct roster_line *line = &roster->lines[roster->n_lines - 1];

        parser->seat_lines[line->seat] = (unsigned)roster->n_lines;
        return tsearch(line, &parser->student_lines, compare_lines) ? 0 : -ENOMEM;
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
static int parse_entry(struct parser *parser, const struct words *words, struct roster_line *ret,
        char *reason, size_t size) {
        const struct roster *roster = &parser->roster;
        unsigned earlier;
        bool same_seat;
        int r;

        r = roster_student(parser->settings, roster->course, words->name, ret->student);
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

        earlier = find_collision(parser, ret, &same_seat);
        if (earlier == 0)
                return 0;
        (void)snprintf(reason, size, "%s '%s' is in line %u already: change one of the two lines",
                same_seat ? "seat" : "student", same_seat ? words->seat : words->name, earlier);
        return -EEXIST;
}

/* Parses one line. Mistakes go to diagnostics; -ENOMEM is the only error that is returned. */
static int parse_line(struct parser *parser, const char *text, size_t length) {
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
                r = parse_entry(parser, &words, &entry, reason, sizeof(reason));

        entry.text = strndup(text, length);
        if (!entry.text)
                return -ENOMEM;
        line = &parser->roster.lines[parser->roster.n_lines++];
        if (r < 0) {
                diagnostics_error(
                        parser->diagnostics, parser->path, (unsigned)parser->roster.n_lines, "%s", reason);
                line->text = entry.text;
                return 0;
        }

        *line = entry;
        return entry.student[0] != '\0' ? note_line(parser) : 0;
}

int roster_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        struct roster *ret, struct diagnostics *diagnostics) {
        _cleanup_(parser_done) struct parser parser = {
                .settings = settings,
                .path = path,
                .roster = {.rule = settings->rule, .first_seat = settings->first_seat},
                .diagnostics = diagnostics,
        };
        struct address subnet;
        char reason[256];
        int r;

        if (settings_check_course(settings, course, reason, sizeof(reason)) < 0 ||
                settings_course_subnet(settings, course, &subnet, reason, sizeof(reason)) < 0) {
                diagnostics_error(diagnostics, path, 0, "%s", reason);
                return -EINVAL;
        }
        (void)string_copy(parser.roster.course, sizeof(parser.roster.course), course);
        parser.roster.seat_max = (1U << (32U - subnet.prefix)) - 2U;

        r = parser_init(&parser, text);
        while (r >= 0 && *text) {
                size_t length = strcspn(text, "\n");

                r = parse_line(&parser, text, length);
                text += length + (text[length] == '\n');
        }
        if (r < 0) {
                diagnostics_error(diagnostics, path, 0, "out of memory");
                return r;
        }

        *ret = parser.roster;
        parser.roster = (struct roster){0};
        return 0;
}

int roster_load(const char *etc, const struct settings *settings, const char *course, struct roster *ret,
        struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        struct file_identity file;
        const char *reason;
        int r;

        if (asprintf(&path, "%s/" ROSTER_DIRECTORY "/%s", etc, course) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return -ENOMEM;
        }

        r = trusted_file_read_identified(path, &text, &reason, &file);
        if (r == -ENOENT)
                return r;
        if (r < 0) {
                diagnostics_error(diagnostics, path, 0, "%s", reason);
                return r;
        }
        r = roster_parse(text, path, settings, course, ret, diagnostics);
        if (r >= 0)
                ret->file = file;
        return r;
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

unsigned roster_free_seat(const struct roster *roster) {
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

static int add_line(struct roster *roster, const char *student, unsigned seat) {
        struct roster_line *line = append_line(roster, "", 0);

        if (!line)
                return -ENOMEM;
        (void)string_copy(line->student, sizeof(line->student), student);
        line->seat = seat;
        return rewrite_line(roster, line, false);
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

        seat = roster_free_seat(roster);
        if (seat == 0)
                return -ENOSPC;
        r = add_line(roster, student, seat);
        if (r < 0)
                return r;
        *ret_seat = seat;
        return 1;
}

int roster_add_numbered(struct roster *roster, const char *student, unsigned seat) {
        if (!student_name_valid(student))
                return -EINVAL;
        if (seat < 2 || seat > roster->seat_max)
                return -ERANGE;
        for (size_t i = 0; i < roster->n_lines; i++)
                if (roster->lines[i].seat == seat || string_equal(roster->lines[i].student, student))
                        return -EEXIST;
        return add_line(roster, student, seat);
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
