/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What plain lists and tables have in common: a word becomes a student, or a finding that says why not. */

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
        unsigned n_capitals;   /* those of a plain list, which keep them */
        unsigned n_elsewhere;  /* mail addresses at another host than the first one */
        char *first_elsewhere; /* one of them */
        unsigned line_elsewhere;
        bool no_memory;
};

void class_reader_done(struct class_reader *reader);

/* A row that has no login: an error, or a warning if such rows are to be skipped. */
void class_reader_refuse(struct class_reader *reader, unsigned line, const char *format, ...) _printf_(3, 4);

/*
 * Takes up the student that a word names: a login, a user name or a mail address. exact: a word without an
 * "@" is taken as it is written, capitals included.
 */
void class_reader_add(struct class_reader *reader, const char *word, bool exact, unsigned line);

/*
 * The login that a word stands for: small letters, without a "#" before it, as Brightspace writes one, and
 * without an "@" and what follows, unless the site's users are named so. The caller frees it; NULL: out of
 * memory.
 */
char *class_reader_login(const struct class_reader *reader, const char *word);

/*
 * The course that a header of a plain list names: "cs123:44240000000083090:22-03-13" has the course 123.
 * False: the text is no such header. *ret_rest is what stands behind the colon.
 */
bool class_reader_header(const struct class_reader *reader, const char *text,
        char ret_course[static COURSE_SIZE], const char **ret_rest);

/* Says it if a header names another course, or if names seem to stand in it. */
void class_reader_check_header(
        struct class_reader *reader, const char *course, const char *rest, unsigned line);

/* What is to be said once about the whole list. */
void class_reader_finish(struct class_reader *reader);
