/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Adds each student of a plain list or a table once. */

#include "class-reader.h"
#include "number.h"
#include "roster.h"

#define BLANKS " \t\r\n"

void class_reader_done(struct class_reader *reader) {
        class_list_done(&reader->list);
        free(reader->first_elsewhere);
        reader->first_elsewhere = NULL;
}

void class_reader_refuse(struct class_reader *reader, unsigned line, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);

        reader->list.n_without_login++;
        reader->no_memory |= !text;
        if (!text)
                return;
        if (reader->options->skip)
                diagnostics_warning(reader->diagnostics, reader->path, line, "%s; this row is skipped", text);
        else
                diagnostics_error(reader->diagnostics, reader->path, line, "%s", text);
}

static void report_again(
        struct class_reader *reader, const struct class_entry *earlier, const char *word, unsigned line) {
        /* anna@one.edu and anna@two.edu may be two people; only the administrator knows. */
        if (strcasecmp(earlier->word, word) != 0)
                diagnostics_error(reader->diagnostics, reader->path, line,
                        "'%s' and '%s' in line %u would both be student %s: remove one of them", word,
                        earlier->word, earlier->line, earlier->student);
        else
                diagnostics_warning(reader->diagnostics, reader->path, line,
                        "'%s' is in line %u already; the student gets one seat", word, earlier->line);
}

/* Not tolower(), because the result must not depend on the locale. */
static bool lower(char *text) {
        bool lowered = false;

        for (; *text; text++)
                if (*text >= 'A' && *text <= 'Z') {
                        *text = (char)(*text - 'A' + 'a');
                        lowered = true;
                }
        return lowered;
}

static bool is_user_name(const struct class_reader *reader, const char *word) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        return name_rule_match(&reader->settings->rule, word, course, student);
}

char *class_reader_login(const struct class_reader *reader, const char *word) {
        char *login = strdup(word + (word[0] == '#')), *at;

        /* A domain in front of a name may have capitals. */
        if (!login || is_user_name(reader, login))
                return login;
        (void)lower(login);
        at = strchr(login, '@');
        if (at && !is_user_name(reader, login))
                *at = '\0';
        return login;
}

/* A student's private mail address does not have the student's login in it. */
static void note_host(struct class_reader *reader, const char *word, unsigned line) {
        const char *host = strchr(word, '@'), *first = NULL;

        for (size_t i = 0; i < reader->list.n_entries && !first; i++)
                first = strchr(reader->list.entries[i].word, '@');
        if (!host || !first || strcasecmp(host, first) == 0)
                return;
        if (reader->n_elsewhere++ == 0) {
                reader->line_elsewhere = line;
                reader->first_elsewhere = strdup(word);
                reader->no_memory |= !reader->first_elsewhere;
        }
}

static bool has_capitals(const char *text) {
        return strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

void class_reader_add(struct class_reader *reader, const char *word, bool exact, unsigned line) {
        bool verbatim = exact && (!strchr(word, '@') || is_user_name(reader, word));
        _cleanup_free_ char *login = verbatim ? strdup(word) : class_reader_login(reader, word);
        const struct class_entry *earlier;
        char student[USER_NAME_SIZE];
        int r;

        if (!login) {
                reader->no_memory = true;
                return;
        }
        r = roster_student(reader->settings, reader->course, login, student);
        if (r == -EXDEV) {
                /* This is not a mistake in one row: the list is another course's. */
                diagnostics_error(
                        reader->diagnostics, reader->path, line, "'%s' %s", word, roster_student_reason(r));
                return;
        }
        if (r < 0) {
                class_reader_refuse(reader, line, "'%s' %s", word, roster_student_reason(r));
                return;
        }
        /* Only in a plain list, where capitals are kept: the user would be cs123-CS123-zed. */
        if (string_equal(student, login) && lower(login) && is_user_name(reader, login)) {
                class_reader_refuse(reader, line,
                        "'%s' is a user name except for its capital letters: write '%s'", word, login);
                return;
        }

        earlier = class_list_find(&reader->list, student);
        if (earlier) {
                report_again(reader, earlier, word, line);
                return;
        }
        note_host(reader, word, line);
        reader->n_capitals += verbatim && has_capitals(student);
        reader->n_lowered += !verbatim && strncmp(word + (word[0] == '#'), login, strlen(login)) != 0;
        reader->no_memory |= class_list_add(&reader->list, student, word, line) < 0;
}

bool class_reader_header(const struct class_reader *reader, const char *text,
        char ret_course[static COURSE_SIZE], const char **ret_rest) {
        const char *literal;
        struct name_rule rule;
        size_t n;

        name_rule_without_domain(&reader->settings->rule, &rule);
        literal = rule.course_first ? rule.head : rule.middle;
        literal += strspn(literal, "-_.");
        if (string_starts_with(text, literal))
                text += strlen(literal);
        n = strspn(text, "0123456789");
        if (n == 0 || n >= COURSE_SIZE || text[n] != ':')
                return false;

        memcpy(ret_course, text, n);
        ret_course[n] = '\0';
        *ret_rest = text + n + 1;
        return true;
}

/* Several words in lower case, like logins. Titles have capitals. */
static bool seems_to_name_students(const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        bool any = false;
        char *rest = NULL;

        for (char *word = copy ? strtok_r(copy, BLANKS, &rest) : NULL; word;
                word = strtok_r(NULL, BLANKS, &rest)) {
                if (!student_name_valid(word) || (word[0] >= '0' && word[0] <= '9') || lower(word))
                        return false;
                any = true;
        }
        return any;
}

void class_reader_check_header(
        struct class_reader *reader, const char *course, const char *rest, unsigned line) {
        if (!string_equal(course, reader->course))
                diagnostics_error(reader->diagnostics, reader->path, line,
                        "this is the list of course %s, not of course %s", course, reader->course);

        /* An id, a date or a title is usual there. A student's name would be ignored, so warn. */
        if (seems_to_name_students(rest))
                diagnostics_warning(reader->diagnostics, reader->path, line,
                        "text after the colon of this line is ignored: write each name on a line of its own");
}

void class_reader_finish(struct class_reader *reader) {
        if (reader->n_lowered > 0)
                diagnostics_warning(reader->diagnostics, reader->path, 0,
                        "%u login%s capital letters, which were changed to lower case, because Unix user "
                        "names have none",
                        reader->n_lowered, reader->n_lowered == 1 ? " has" : "s have");
        if (reader->n_capitals > 0)
                diagnostics_warning(reader->diagnostics, reader->path, 0,
                        "%u name%s capital letters, which are kept because this is a plain list. If the "
                        "accounts have none, write the list in lower case",
                        reader->n_capitals, reader->n_capitals == 1 ? " has" : "s have");
        if (reader->n_elsewhere > 0)
                diagnostics_warning(reader->diagnostics, reader->path, reader->line_elsewhere,
                        "'%s' has another domain than the first address (lines of this kind: %u): check that "
                        "the text before the @ is the login",
                        reader->first_elsewhere ? reader->first_elsewhere : "", reader->n_elsewhere);
}
