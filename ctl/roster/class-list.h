/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A class list, as `coursenetctl roster import` takes it: text in, students and findings out; no I/O.
 *
 * A plain list has one name a line, a student's ("newellz2") or a whole user name ("cs123-newellz2"), kept as
 * it is written, or a mail address; blank lines and "#" comments; and a header "cs123:" or "123:", behind
 * which anything may stand.
 *
 * A table has a row in which a column is called as one of logins is (login-column.h), or as the caller says.
 * The separator is the one by which that row has such a column. The students are what its column says, in
 * lower case and without an "@" and what follows it, as Unix user names are written.
 */

#include "diagnostics.h"
#include "settings.h"

struct class_entry {
        char student[USER_NAME_SIZE];
        char *word; /* as the list has it */
        unsigned line;
};

/* The empty value is all zero. */
struct class_list {
        struct class_entry *entries; /* in the list's order, each student once */
        size_t n_entries;
        size_t n_without_login; /* rows with no login that an account could have */
        char *column;           /* the heading that the logins stand under; NULL: a plain list, or no list */
};

void class_list_done(struct class_list *list);

/* The empty value is all zero. */
struct class_list_options {
        const char *column; /* the heading of the logins, in any case; NULL: find it */
        bool skip;          /* rows without a login are warnings, not errors */
};

/*
 * Parses a list for a course that settings_check_course() accepts; the text is what class_text_decode()
 * gives, and path is only for messages. Returns 0 also if there are mistakes: compare diagnostics->n_errors.
 * -ENOMEM, with an error added too, leaves *ret untouched.
 */
int class_list_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        const struct class_list_options *options, struct class_list *ret, struct diagnostics *diagnostics);

#define _cleanup_class_list_ _cleanup_(class_list_done)
