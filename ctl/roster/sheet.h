/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A table in text: rows of cells between separators, quoted as RFC 4180 has it. It is taken apart by libcsv;
 * what the cells mean is the caller's.
 */

#include "util.h"

struct sheet_row {
        char **cells; /* without the blanks at their ends */
        size_t n_cells;
        size_t n_allocated;
        unsigned line; /* where the row begins, counted from 1 */
};

/* The empty value is all zero. */
struct sheet {
        struct sheet_row *rows; /* without blank lines */
        size_t n_rows;
        unsigned fault_line; /* of a row whose quotes are wrong; 0: none. The rows before it are there. */
        const char *fault;   /* what is wrong there, as a static sentence */
};

void sheet_done(struct sheet *sheet);

/* Text whose lines end in "\n". */
struct sheet_source {
        const char *text;
        unsigned line; /* the number of its first line */
        char separator;
        bool quotes; /* false: a quote is a character like any other, as Google Sheets writes into TSV */
};

/* Reads rows_max rows, or all that there are. -ENOMEM leaves *ret untouched. */
int sheet_parse(const struct sheet_source *source, size_t rows_max, struct sheet *ret);

/* A cell's text, "" for one that the row does not have. */
const char *sheet_cell(const struct sheet_row *row, size_t column);

/* How many of the row's cells hold something. */
size_t sheet_count_filled(const struct sheet_row *row);

/* Cuts the blanks off both ends of text, and the invisible characters that copied text brings along. */
char *sheet_strip(char *text);

#define _cleanup_sheet_ _cleanup_(sheet_done)
