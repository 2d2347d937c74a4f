/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Class lists that are tables. A table has a row of column names, one of which is a usual name for logins
 * (login-column.h) or the one that the caller wants. The separator is the one with which that row has such a
 * column. The students are the cells of that column, in lower case and without an "@" and what follows it,
 * because Unix user names are written so.
 */

#include "class-reader.h"
#include "sheet.h"

/*
 * Finds out whether text is a table, and its separator. True with *ret filled; also for a table without a
 * column of logins, which class_table_read() then reports. line is the number of the text's first line;
 * separator is 0 if it is not known.
 */
bool class_table_find(struct class_reader *reader, const char *text, unsigned line, char separator,
        struct sheet_source *ret);

/* Adds the students of a table to the reader's list. Errors are added to the reader's diagnostics. */
void class_table_read(struct class_reader *reader, const struct sheet_source *source);
