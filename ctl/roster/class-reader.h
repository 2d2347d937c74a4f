/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What plain lists and tables have in common: turns a word into a student, or into a finding that says why it
 * is none. */

#include "class-list.h"
#include "diagnostics.h"
#include "settings.h"

/* The empty value is all zero. */
struct class_list_options {
        const char *column; /* the heading of the logins, in any case; NULL: find it */
        bool skip;          /* rows without a login are warnings, not errors */
};

struct class_reader {
        const struct settings *settings;
        const char *course;
        const char *path;
        const struct class_list_options *options;
        struct diagnostics *diagnostics;
        struct class_list list;
        unsigned n_lowered;    /* logins that had capitals */
        unsigned n_capitals;   /* logins of a plain list, which keep their capitals */
        unsigned n_elsewhere;  /* mail addresses at another host than the first one */
        char *first_elsewhere; /* one of them */
        unsigned line_elsewhere;
        bool no_memory;
};

void class_reader_done(struct class_reader *reader);

/* Reports a row without a login: an error, or a warning if such rows are skipped. */
void class_reader_refuse(struct class_reader *reader, unsigned line, const char *format, ...) _printf_(3, 4);

/*
 * Adds the student that a word names: a login, a user name or a mail address. exact: a word without an "@" is
 * used as written, with its capitals.
 */
void class_reader_add(struct class_reader *reader, const char *word, bool exact, unsigned line);

/*
 * The login that a word means: in lower case, without the "#" that Brightspace writes before it, and without
 * an "@" and what follows, unless the names of the site's users have one. The caller frees it; NULL: out of
 * memory.
 */
char *class_reader_login(const struct class_reader *reader, const char *word);

/*
 * The course that a header of a plain list names: "cs123:44240000000083090:22-03-13" has the course 123.
 * False: the text is not such a header. *ret_rest is the text behind the colon.
 */
bool class_reader_header(const struct class_reader *reader, const char *text,
        char ret_course[static COURSE_SIZE], const char **ret_rest);

/* Reports a header that names another course, or that seems to have students' names behind the colon. */
void class_reader_check_header(
        struct class_reader *reader, const char *course, const char *rest, unsigned line);

/* Adds the warnings about the whole list. */
void class_reader_finish(struct class_reader *reader);
