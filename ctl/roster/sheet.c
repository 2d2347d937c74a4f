/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses CSV and similar formats with libcsv. */

#include <csv.h>

#include "sheet.h"

#define BLANKS " \t\r\n"

struct reader {
        struct sheet sheet;
        struct sheet_row row; /* the one that is being read */
        bool no_memory;
};

static void row_done(struct sheet_row *row) {
        for (size_t i = 0; i < row->n_cells; i++)
                free(row->cells[i]);
        free(row->cells);
        *row = (struct sheet_row){0};
}

void sheet_done(struct sheet *sheet) {
        for (size_t i = 0; i < sheet->n_rows; i++)
                row_done(&sheet->rows[i]);
        free(sheet->rows);
        *sheet = (struct sheet){0};
}

/* No-break space, zero width space, left-to-right mark, byte order mark: all UTF-8. */
static const char *const invisible[] = {"\xc2\xa0", "\xe2\x80\x8b", "\xe2\x80\x8e", "\xef\xbb\xbf"};

/* How many bytes at the start of text are blank. */
static size_t blank_at_start(const char *text) {
        if (text[0] != '\0' && strchr(BLANKS, text[0]))
                return 1;
        for (size_t i = 0; i < ELEMENTSOF(invisible); i++)
                if (string_starts_with(text, invisible[i]))
                        return strlen(invisible[i]);
        return 0;
}

static size_t blank_at_end(const char *text, size_t length) {
        if (length > 0 && strchr(BLANKS, text[length - 1]))
                return 1;
        for (size_t i = 0; i < ELEMENTSOF(invisible); i++) {
                size_t n = strlen(invisible[i]);

                if (length >= n && memcmp(text + length - n, invisible[i], n) == 0)
                        return n;
        }
        return 0;
}

char *sheet_strip(char *text) {
        size_t length;

        for (size_t n; (n = blank_at_start(text)) > 0;)
                text += n;
        length = strlen(text);
        for (size_t n; (n = blank_at_end(text, length)) > 0;)
                length -= n;
        text[length] = '\0';
        return text;
}

static int append_cell(struct sheet_row *row, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *cell;

        if (copy && row->n_cells == row->n_allocated) {
                size_t n = row->n_allocated > 0 ? 2 * row->n_allocated : 8;
                char **cells = reallocarray(row->cells, n, sizeof(*cells));

                if (!cells)
                        return -ENOMEM;
                row->cells = cells;
                row->n_allocated = n;
        }
        if (!copy)
                return -ENOMEM;
        cell = strdup(sheet_strip(copy));
        if (!cell)
                return -ENOMEM;
        row->cells[row->n_cells++] = cell;
        return 0;
}

/* libcsv's callback for a cell; with CSV_APPEND_NULL data is a string. */
static void take_cell(void *data, size_t length, void *user) {
        struct reader *reader = user;

        (void)length;
        reader->no_memory |= append_cell(&reader->row, data ? data : "") < 0;
}

/* libcsv's callback for the end of a row. */
static void take_row(int terminator, void *user) {
        struct reader *reader = user;
        struct sheet *sheet = &reader->sheet;
        struct sheet_row *rows;

        (void)terminator;
        if (sheet_count_filled(&reader->row) > 0) {
                rows = reallocarray(sheet->rows, sheet->n_rows + 1, sizeof(*rows));
                if (rows) {
                        sheet->rows = rows;
                        rows[sheet->n_rows++] = reader->row;
                        reader->row = (struct sheet_row){0};
                }
                reader->no_memory |= !rows;
        }
        row_done(&reader->row);
}

/* Line by line, because libcsv does not count lines. A quoted cell may have several lines. */
static void feed_lines(
        struct reader *reader, struct csv_parser *csv, const struct sheet_source *source, size_t rows_max) {
        struct sheet *sheet = &reader->sheet;
        unsigned line = source->line;

        for (const char *text = source->text; *text && sheet->n_rows < rows_max && !reader->no_memory;
                line++) {
                size_t length = strcspn(text, "\n");

                length += text[length] == '\n';
                /* libcsv does not report blank lines, so the row would seem to begin there. */
                if (reader->row.line == 0 && strspn(text, BLANKS) >= length) {
                        text += length;
                        continue;
                }
                if (reader->row.line == 0)
                        reader->row.line = line;
                if (csv_parse(csv, text, length, take_cell, take_row, reader) != length) {
                        sheet->fault_line = reader->row.line;
                        sheet->fault = "the quotes in this row are not valid CSV: expected \"...\", with "
                                       "\"\" for a quote inside";
                        return;
                }
                text += length;
        }
        if (sheet->n_rows < rows_max && csv_fini(csv, take_cell, take_row, reader) != 0) {
                sheet->fault_line = reader->row.line;
                sheet->fault = "a quote in this row is never closed";
        }
}

int sheet_parse(const struct sheet_source *source, size_t rows_max, struct sheet *ret) {
        struct reader reader = {0};
        struct csv_parser csv;

        if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
                return -ENOMEM;
        csv_set_delim(&csv, (unsigned char)source->separator);
        /* The text has no NUL. */
        if (!source->quotes)
                csv_set_quote(&csv, '\0');
        feed_lines(&reader, &csv, source, rows_max);
        csv_free(&csv);

        row_done(&reader.row);
        if (reader.no_memory) {
                sheet_done(&reader.sheet);
                return -ENOMEM;
        }
        *ret = reader.sheet;
        return 0;
}

const char *sheet_cell(const struct sheet_row *row, size_t column) {
        return column < row->n_cells ? row->cells[column] : "";
}

size_t sheet_count_filled(const struct sheet_row *row) {
        size_t n = 0;

        for (size_t i = 0; i < row->n_cells; i++)
                n += row->cells[i][0] != '\0';
        return n;
}
