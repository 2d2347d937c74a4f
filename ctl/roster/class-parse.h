/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A class list, as `coursenetctl roster import` takes it: text in, students and findings out; no I/O.
 *
 * A plain list has one name a line, a student's ("newellz2") or a whole user name ("cs123-newellz2"), kept as
 * it is written, or a mail address; blank lines and "#" comments; and a header "cs123:" or "123:", behind
 * which anything may stand. For tables see class-table.h.
 */

#include "class-reader.h"

/*
 * Parses a list for a course that settings_check_course() accepts; the text is what class_text_decode()
 * gives, and path is only for messages. Returns 0 also if there are mistakes: compare diagnostics->n_errors.
 * -ENOMEM, with an error added too, leaves *ret untouched.
 */
int class_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        const struct class_list_options *options, struct class_list *ret, struct diagnostics *diagnostics);
