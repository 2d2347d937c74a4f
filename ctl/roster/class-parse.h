/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A class list, as `coursenetctl roster import` takes it: text in, students and findings out; no I/O.
 *
 * A plain list has one name on each line: a student ("newellz2") or a whole user name ("cs123-newellz2"),
 * both kept as written, or a mail address. It may have blank lines, "#" comments, and a header "cs123:" or
 * "123:" with any text behind the colon. For tables see class-table.h.
 */

#include "class-reader.h"

/*
 * Parses a list for a course that settings_check_course() accepts; the text comes from class_text_decode(),
 * and path is for messages only. Returns 0 also if the list has mistakes: compare diagnostics->n_errors.
 * -ENOMEM, with an error added too, leaves *ret untouched.
 */
int class_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        const struct class_list_options *options, struct class_list *ret, struct diagnostics *diagnostics);
