/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before any row is read, two things are decided: the separator with which there is a row with a column of
 * logins, and which column that is. If the choice could be wrong, that is an error, and the message names the
 * option to use.
 */

#include "class-table.h"
#include "login-column.h"
#include "number.h"

/* Registrars put titles above the names of the columns. */
#define TITLE_ROWS_MAX 10U

#define COLUMNS_SHOWN 12U

/* --- which separator ------------------------------------------------------------------------- */

static const char separators[] = {',', ';', '\t', '|'};

static enum login_column best_kind(const struct sheet_row *row, const char *wanted) {
        enum login_column best = LOGIN_COLUMN_NONE;

        for (size_t i = 0; i < row->n_cells; i++) {
                enum login_column kind = login_column_kind(row->cells[i], wanted);

                best = kind > best ? kind : best;
        }
        return best;
}

/*
 * The row with the column names; NULL: none. Titles above it have fewer cells. A row that has a row with as
 * many cells above it does not have the column names: its "email" is a value in some other column.
 */
static const struct sheet_row *find_header(const struct sheet *sheet, const char *wanted) {
        size_t n_above = 0;

        for (size_t i = 0; i < sheet->n_rows && i < TITLE_ROWS_MAX; i++) {
                size_t n = sheet_count_filled(&sheet->rows[i]);

                if (n > n_above && best_kind(&sheet->rows[i], wanted) != LOGIN_COLUMN_NONE)
                        return &sheet->rows[i];
                n_above = n > n_above ? n : n_above;
        }
        return NULL;
}

/* How many cells the first line has, without a comment at its end. */
static int count_first_cells(struct sheet_source source, size_t *ret) {
        _cleanup_free_ char *line = strndup(source.text, strcspn(source.text, "\n"));
        _cleanup_sheet_ struct sheet sheet = {0};
        int r;

        if (!line)
                return -ENOMEM;
        for (char *p = line; *p; p++)
                if (*p == '#' && p > line && (p[-1] == ' ' || p[-1] == '\t'))
                        *p = '\0';
        source.text = line;
        r = sheet_parse(&source, 1, &sheet);
        if (r >= 0)
                *ret = sheet.n_rows > 0 ? sheet.rows[0].n_cells : 0;
        return r;
}

struct trial {
        bool has_header;
        size_t n_cells; /* of the header, or of the first line */
};

static int try_separator(const struct sheet_source *source, const char *wanted, struct trial *ret) {
        _cleanup_sheet_ struct sheet sheet = {0};
        const struct sheet_row *header;
        int r;

        r = sheet_parse(source, TITLE_ROWS_MAX, &sheet);
        if (r < 0)
                return r;
        header = find_header(&sheet, wanted);
        *ret = (struct trial){.has_header = header, .n_cells = header ? header->n_cells : 0};
        return header ? 0 : count_first_cells(*source, &ret->n_cells);
}

static bool is_better(const struct trial *trial, const struct trial *best) {
        if (trial->has_header != best->has_header)
                return trial->has_header;
        return trial->n_cells > best->n_cells;
}

bool class_table_find(struct class_reader *reader, const char *text, unsigned line, char separator,
        struct sheet_source *ret) {
        struct sheet_source source = {.text = text, .line = line, .quotes = true};
        struct trial best = {0}, trial;

        for (size_t i = 0; i < (separator ? 1 : ELEMENTSOF(separators)); i++) {
                source.separator = separator ? separator : separators[i];
                if (try_separator(&source, reader->options->column, &trial) < 0) {
                        reader->no_memory = true;
                        return false;
                }
                if (is_better(&trial, &best)) {
                        best = trial;
                        *ret = source;
                }
        }
        return best.has_header || best.n_cells > 1;
}

/* --- which column ---------------------------------------------------------------------------- */

struct table {
        struct class_reader *reader;
        const struct sheet *sheet;
        const struct sheet_row *header;
        size_t login; /* the column */
};

/* The column names, from which the administrator can choose. The caller frees it; NULL: out of memory. */
static char *join_headings(const struct sheet_row *row) {
        char *text = strdup("");

        for (size_t i = 0, n = 0; i < row->n_cells && text; i++) {
                char *longer;

                if (row->cells[i][0] == '\0')
                        continue;
                if (n == COLUMNS_SHOWN) {
                        if (asprintf(&longer, "%s and %zu more", text, row->n_cells - i) < 0)
                                longer = NULL;
                        i = row->n_cells;
                } else if (asprintf(&longer, "%s%s'%s'", text, n > 0 ? ", " : "", row->cells[i]) < 0) {
                        longer = NULL;
                }
                n++;
                free(text);
                text = longer;
        }
        return text;
}

/* The one of the first rows with most cells filled: titles above the column names have fewer. */
static const struct sheet_row *guess_header(const struct sheet *sheet) {
        const struct sheet_row *best = &sheet->rows[0];

        for (size_t i = 1; i < sheet->n_rows && i < TITLE_ROWS_MAX; i++)
                if (sheet_count_filled(&sheet->rows[i]) > sheet_count_filled(best))
                        best = &sheet->rows[i];
        return best;
}

static void report_no_column(struct class_reader *reader, const struct sheet *sheet) {
        const struct sheet_row *row = guess_header(sheet);
        _cleanup_free_ char *names = join_headings(row);

        if (!names)
                reader->no_memory = true;
        else if (reader->options->column)
                diagnostics_error(reader->diagnostics, reader->path, row->line,
                        "there is no column '%s'; the columns are %s", reader->options->column, names);
        else if (sheet->n_rows == 1)
                diagnostics_error(reader->diagnostics, reader->path, row->line,
                        "no column holds logins, because this is one row: %s. If these are names of "
                        "students, write each on a line of its own",
                        names);
        else
                diagnostics_error(reader->diagnostics, reader->path, row->line,
                        "no column holds logins: expected one called " LOGIN_COLUMN_EXAMPLES
                        ", or --column with one of these: %s. If this row is a student's, add a row of "
                        "column names above it",
                        names);
}

/* The first row in which two columns have different logins. NULL: there is none. */
static const struct sheet_row *find_difference(const struct table *table, size_t other) {
        struct class_reader *reader = table->reader;

        for (const struct sheet_row *row = table->header + 1; row < table->sheet->rows + table->sheet->n_rows;
                row++) {
                _cleanup_free_ char *a = class_reader_login(reader, sheet_cell(row, table->login));
                _cleanup_free_ char *b = class_reader_login(reader, sheet_cell(row, other));

                if (!a || !b) {
                        reader->no_memory = true;
                        return NULL;
                }
                if (a[0] && b[0] && !string_equal(a, b))
                        return row;
        }
        return NULL;
}

/* Registrars identify students by numbers, which are rarely the names of accounts. */
static const char *find_number(const struct table *table) {
        for (const struct sheet_row *row = table->header + 1; row < table->sheet->rows + table->sheet->n_rows;
                row++)
                if (digits_only(sheet_cell(row, table->login)))
                        return sheet_cell(row, table->login);
        return NULL;
}

static bool is_certain(const struct table *table, enum login_column kind) {
        struct class_reader *reader = table->reader;
        const struct sheet_row *header = table->header, *row;
        const char *number;

        for (size_t i = table->login + 1; i < header->n_cells; i++) {
                if (login_column_kind(header->cells[i], reader->options->column) != kind)
                        continue;
                row = find_difference(table, i);
                if (!row)
                        continue;
                diagnostics_error(reader->diagnostics, reader->path, header->line,
                        "the columns '%s' and '%s' have different logins, for example '%s' and '%s' in line "
                        "%u: choose the right one with --column, or remove the other one",
                        header->cells[table->login], header->cells[i], sheet_cell(row, table->login),
                        sheet_cell(row, i), row->line);
                return false;
        }

        number = kind == LOGIN_COLUMN_ID ? find_number(table) : NULL;
        if (number)
                diagnostics_error(reader->diagnostics, reader->path, header->line,
                        "no column clearly holds logins: '%s' has numbers, such as %s. If these numbers are "
                        "the names of accounts, use --column '%s'",
                        header->cells[table->login], number, header->cells[table->login]);
        return !number;
}

static bool choose_column(struct table *table) {
        const char *wanted = table->reader->options->column;
        enum login_column kind = best_kind(table->header, wanted);

        table->login = 0;
        while (login_column_kind(table->header->cells[table->login], wanted) != kind)
                table->login++;
        return is_certain(table, kind);
}

/* --- the rows -------------------------------------------------------------------------------- */

static bool rows_equal(const struct sheet_row *a, const struct sheet_row *b) {
        size_t n = a->n_cells > b->n_cells ? a->n_cells : b->n_cells;

        for (size_t i = 0; i < n; i++)
                if (!string_equal(sheet_cell(a, i), sheet_cell(b, i)))
                        return false;
        return true;
}

/* Canvas marks hidden assignments in a row above the students, which has no other cells. */
static bool is_hidden_row(const struct table *table, const struct sheet_row *row) {
        if (login_column_kind(table->header->cells[table->login], NULL) != LOGIN_COLUMN_SIS)
                return false;
        for (size_t i = 0; i <= table->login; i++)
                if (sheet_cell(row, i)[0])
                        return false;
        return true;
}

/* Rows of a gradebook that are not students: possible points, hidden assignments, the test student.
 */
static bool is_no_student(const struct table *table, const struct sheet_row *row) {
        const char *first = sheet_cell(row, 0);

        if (strcasecmp(first, "Points Possible") == 0 || strcasecmp(first, "Student, Test") == 0 ||
                strcasecmp(first, "Test Student") == 0 ||
                (strcasecmp(first, "Student") == 0 && strcasecmp(sheet_cell(row, 1), "Test") == 0))
                return true;
        /* A second row of column names: two exports in one file. */
        return is_hidden_row(table, row) || rows_equal(row, table->header);
}

/* For messages: a cell that tells whose row this is. */
static const char *first_filled(const struct sheet_row *row) {
        for (size_t i = 0; i < row->n_cells; i++)
                if (row->cells[i][0])
                        return row->cells[i];
        return "";
}

static bool has_cells_without_heading(const struct table *table, const struct sheet_row *row) {
        for (size_t i = table->header->n_cells; i < row->n_cells; i++)
                if (row->cells[i][0])
                        return true;
        return false;
}

static void read_row(const struct table *table, const struct sheet_row *row) {
        struct class_reader *reader = table->reader;
        const char *login = sheet_cell(row, table->login);

        if (is_no_student(table, row))
                return;
        if (has_cells_without_heading(table, row))
                class_reader_refuse(reader, row->line,
                        "the row of '%s' has %zu cells, but there are %zu columns: put a name that has the "
                        "separator in it in quotes",
                        first_filled(row), row->n_cells, table->header->n_cells);
        else if (login[0] == '\0')
                class_reader_refuse(reader, row->line, "'%s' has no %s", first_filled(row),
                        table->header->cells[table->login]);
        else
                class_reader_add(reader, login, false, row->line);
}

/* Checks the rows above the column names: a course's header that a spreadsheet program made a row of, or a
 * name, which would be ignored without a warning. */
static void check_titles(const struct table *table) {
        struct class_reader *reader = table->reader;
        char course[COURSE_SIZE];
        const char *rest;

        for (const struct sheet_row *row = table->sheet->rows; row < table->header; row++)
                if (class_reader_header(reader, sheet_cell(row, 0), course, &rest))
                        class_reader_check_header(reader, course, rest, row->line);
                else if (sheet_count_filled(row) == 1 && student_name_valid(first_filled(row)))
                        diagnostics_warning(reader->diagnostics, reader->path, row->line,
                                "'%s' is above the row of column names, so it is ignored", first_filled(row));
}

static void read_sheet(struct class_reader *reader, const struct sheet *sheet) {
        struct table table = {.reader = reader, .sheet = sheet};

        table.header = find_header(sheet, reader->options->column);
        if (!table.header) {
                report_no_column(reader, sheet);
                return;
        }
        check_titles(&table);
        if (!choose_column(&table))
                return;

        reader->list.column = strdup(table.header->cells[table.login]);
        reader->no_memory |= !reader->list.column;
        for (const struct sheet_row *row = table.header + 1; row < sheet->rows + sheet->n_rows; row++)
                read_row(&table, row);
}

void class_table_read(struct class_reader *reader, const struct sheet_source *source) {
        struct sheet_source plain = *source;
        _cleanup_sheet_ struct sheet sheet = {0};
        int r;

        r = sheet_parse(source, SIZE_MAX, &sheet);
        /* Tables with tabs need no quotes, and Google Sheets writes none: a quote is part of a name there. */
        if (r >= 0 && sheet.fault && source->separator == '\t') {
                sheet_done(&sheet);
                plain.quotes = false;
                r = sheet_parse(&plain, SIZE_MAX, &sheet);
        }
        if (r < 0) {
                reader->no_memory = true;
                return;
        }
        if (sheet.fault)
                diagnostics_error(reader->diagnostics, reader->path, sheet.fault_line, "%s", sheet.fault);
        if (sheet.n_rows > 0)
                read_sheet(reader, &sheet);
}
