/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A table as text: rows of cells with separators, quoted as in RFC 4180. libcsv parses it; the caller knows
 * what the cells mean.
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
        unsigned fault_line; /* of a row whose quotes are wrong; 0: none. The rows before it were parsed. */
        const char *fault;   /* what is wrong there, as a static sentence */
};

void sheet_done(struct sheet *sheet);

/* Text whose lines end in "\n". */
struct sheet_source {
        const char *text;
        unsigned line; /* the number of its first line */
        char separator;
        bool quotes; /* false: a quote is an ordinary character, as in the TSV files of Google Sheets */
};

/* Parses at most rows_max rows. -ENOMEM leaves *ret untouched. */
int sheet_parse(const struct sheet_source *source, size_t rows_max, struct sheet *ret);

/* A cell's text; "" if the row does not have that cell. */
const char *sheet_cell(const struct sheet_row *row, size_t column);

/* How many of the row's cells are not empty. */
size_t sheet_count_filled(const struct sheet_row *row);

/* Removes blanks, and the invisible characters that copied text may have, from both ends of text. */
char *sheet_strip(char *text);

#define _cleanup_sheet_ _cleanup_(sheet_done)
