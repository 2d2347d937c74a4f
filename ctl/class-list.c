/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Class lists: plain ones here, CSV by libcsv. Called by `roster import` only. */

#include <csv.h>

#include "class-list.h"
#include "number.h"
#include "roster.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define BLANKS " \t\r\n"

/* The columns that may hold logins, the best first. */
static const char *const login_columns[] = {
        "SIS Login ID",
        "SIS User ID",
        "Login ID",
        "login",
        "username",
        "user",
};

struct parser {
        const struct settings *settings;
        const char *course;
        const char *path;
        struct diagnostics *diagnostics;
        struct class_list list;
        unsigned line;
        bool no_memory;
};

/* One row of a CSV file, and what its header said. */
struct table_parser {
        struct parser *parser;
        char **cells;
        size_t n_cells;
        size_t login;      /* which column */
        char *login_name;  /* what it is called; NULL: the header has not come yet */
        unsigned row_line; /* where the row began; 0: between two rows */
        unsigned n_lowered;
        bool failed; /* the header names no logins: the other rows mean nothing */
};

void class_list_done(struct class_list *list) {
        for (size_t i = 0; i < list->n_entries; i++)
                free(list->entries[i].word);
        free(list->entries);
        *list = (struct class_list){0};
}

static int append_entry(struct class_list *list, const char *student, const char *word, unsigned line) {
        struct class_entry *entries;
        char *copy;

        entries = reallocarray(list->entries, list->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        list->entries = entries;

        copy = strdup(word);
        if (!copy)
                return -ENOMEM;

        entries += list->n_entries++;
        *entries = (struct class_entry){.word = copy, .line = line};
        (void)string_copy(entries->student, sizeof(entries->student), student);
        return 0;
}

static const struct class_entry *find_entry(const struct class_list *list, const char *student) {
        for (size_t i = 0; i < list->n_entries; i++)
                if (string_equal(list->entries[i].student, student))
                        return &list->entries[i];
        return NULL;
}

/* Takes up a student; word is what the list calls them, name what is left of it after mending. */
static void add_student(struct parser *parser, const char *name, const char *word, unsigned line) {
        const struct class_entry *earlier;
        char student[USER_NAME_SIZE];
        int r;

        r = roster_student(parser->settings, parser->course, name, student);
        if (r < 0) {
                diagnostics_error(
                        parser->diagnostics, parser->path, line, "'%s' %s", word, roster_student_reason(r));
                return;
        }

        earlier = find_entry(&parser->list, student);
        if (!earlier) {
                parser->no_memory |= append_entry(&parser->list, student, word, line) < 0;
                return;
        }
        /* anna@one.edu and anna@two.edu may be two people: that is for a person to say. */
        if (strcasecmp(earlier->word, word) != 0)
                diagnostics_error(parser->diagnostics, parser->path, line,
                        "'%s' and '%s' in line %u would both be student %s: leave one of them out", word,
                        earlier->word, earlier->line, student);
        else
                diagnostics_warning(parser->diagnostics, parser->path, line,
                        "'%s' stands in line %u already; one seat it is", word, earlier->line);
}

/* --- plain lists ----------------------------------------------------------------------------- */

/*
 * "cs123:44240000000083090:22-03-13" has the course 123: what the rule puts before {course}, then digits, a
 * colon.
 */
static bool header_course(const struct settings *settings, const char *text, char *ret_course, size_t size,
        const char **ret_rest) {
        const struct name_rule *rule = &settings->rule;
        const char *literal = rule->course_first ? rule->head : rule->middle;
        size_t n;

        literal += strspn(literal, "-_.");
        if (string_starts_with(text, literal))
                text += strlen(literal);
        n = strspn(text, "0123456789");
        if (n == 0 || n >= size || text[n] != ':')
                return false;

        memcpy(ret_course, text, n);
        ret_course[n] = '\0';
        *ret_rest = text + n + 1;
        return true;
}

static void check_header(struct parser *parser, const char *course, const char *rest) {
        if (!string_equal(course, parser->course))
                diagnostics_error(parser->diagnostics, parser->path, parser->line,
                        "this is the list of course %s, not of course %s", course, parser->course);

        /* An id or a date is usual there; a name there would be lost without a word. */
        rest += strspn(rest, BLANKS);
        if (rest[0] != '\0' && (rest[0] < '0' || rest[0] > '9'))
                diagnostics_warning(parser->diagnostics, parser->path, parser->line,
                        "what stands behind the header's colon is passed over: names go on lines of their "
                        "own");
}

/* text is one line without its newline; it is cut up. */
static void parse_plain_line(struct parser *parser, char *text) {
        char course[USER_NAME_SIZE], *rest, *word;
        const char *header_rest;

        text += strspn(text, BLANKS);
        if (text[0] == '\0' || text[0] == '#')
                return;
        if (header_course(parser->settings, text, course, sizeof(course), &header_rest)) {
                check_header(parser, course, header_rest);
                return;
        }

        word = strtok_r(text, BLANKS, &rest);
        rest += strspn(rest, BLANKS);
        if (rest[0] != '\0' && rest[0] != '#') {
                diagnostics_error(parser->diagnostics, parser->path, parser->line,
                        "expected one name a line, and '%s' has '%s' behind it (import numbers the seats "
                        "itself; a table must have commas)",
                        word, rest);
                return;
        }
        add_student(parser, word, word, parser->line);
}

static void parse_plain(struct parser *parser, char *text) {
        for (char *line; (line = strsep(&text, "\n"));) {
                parser->line++;
                parse_plain_line(parser, line);
        }
}

/* --- CSV ------------------------------------------------------------------------------------- */

static char *strip(char *text) {
        size_t length;

        text += strspn(text, BLANKS);
        length = strlen(text);
        while (length > 0 && strchr(BLANKS, text[length - 1]))
                text[--length] = '\0';
        return text;
}

static bool is_login_column(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(login_columns); i++)
                if (strcasecmp(name, login_columns[i]) == 0)
                        return true;
        return false;
}

static void clear_row(struct table_parser *table) {
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        table->n_cells = 0;
        table->row_line = 0;
}

/* libcsv's callback for a cell; with CSV_APPEND_NULL data is a string. */
static void take_cell(void *data, size_t length, void *user) {
        struct table_parser *table = user;
        char **cells, *copy;

        (void)length;
        cells = reallocarray(table->cells, table->n_cells + 1, sizeof(*cells));
        copy = data ? strdup(data) : strdup("");
        if (cells)
                table->cells = cells;
        if (!cells || !copy) {
                free(copy);
                table->parser->no_memory = true;
                return;
        }
        cells[table->n_cells++] = copy;
}

/*
 * The names of all columns, for the admin to see which one to rename. The caller frees it; NULL: out of
 * memory.
 */
static char *join_cells(const struct table_parser *table) {
        char *text = NULL;

        for (size_t i = 0; i < table->n_cells; i++) {
                char *longer;

                if (asprintf(&longer, "%s%s'%s'", text ? text : "", text ? ", " : "",
                            strip(table->cells[i])) < 0)
                        longer = NULL;
                free(text);
                text = longer;
                if (!text)
                        break;
        }
        return text;
}

static void take_header(struct table_parser *table) {
        struct parser *parser = table->parser;
        _cleanup_free_ char *names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(login_columns); i++)
                for (size_t j = 0; j < table->n_cells; j++) {
                        if (strcasecmp(strip(table->cells[j]), login_columns[i]) != 0)
                                continue;
                        table->login = j;
                        table->login_name = strdup(login_columns[i]);
                        parser->no_memory |= !table->login_name;
                        return;
                }

        table->failed = true;
        names = join_cells(table);
        diagnostics_error(parser->diagnostics, parser->path, table->row_line,
                "no column holds logins: expected one called 'SIS Login ID', 'SIS User ID', 'Login ID', "
                "'login', 'username' or 'user', found %s",
                names ? names : "none");
}

/*
 * Rows that a gradebook has beside its students: how many points there are, what is hidden, and its test
 * student.
 */
static bool is_no_student(const char *first, const char *login) {
        return strcasecmp(first, "Points Possible") == 0 || strcasecmp(first, "Student, Test") == 0 ||
               strcasecmp(first, "Test Student") == 0 || (first[0] == '\0' && login[0] == '\0');
}

/*
 * Lower case, and without the host of a mail address. Not tolower(): the result may not depend on a locale.
 */
static bool mend_login(const char *login, char *ret_name, size_t size) {
        bool lowered = false;
        size_t n = 0;

        for (; login[n] && login[n] != '@' && n + 1 < size; n++) {
                bool upper = login[n] >= 'A' && login[n] <= 'Z';

                ret_name[n] = upper ? (char)(login[n] - 'A' + 'a') : login[n];
                lowered = lowered || upper;
        }
        ret_name[n] = '\0';
        return lowered;
}

static void take_student(struct table_parser *table) {
        struct parser *parser = table->parser;
        char name[2 * USER_NAME_SIZE], none[] = "";
        char *first = strip(table->cells[0]);
        char *login = table->login < table->n_cells ? strip(table->cells[table->login]) : none;

        if (is_no_student(first, login))
                return;
        if (login[0] == '\0') {
                diagnostics_error(parser->diagnostics, parser->path, table->row_line,
                        "'%s' has no %s: fill it in, or take the row out", first, table->login_name);
                return;
        }
        if (mend_login(login, name, sizeof(name)))
                table->n_lowered++;
        add_student(parser, name, login, table->row_line);
}

/* libcsv's callback for the end of a row. */
static void take_row(int terminator, void *user) {
        struct table_parser *table = user;

        (void)terminator;
        if (table->n_cells > 0 && !table->failed && !table->parser->no_memory) {
                if (table->login_name)
                        take_student(table);
                else
                        take_header(table);
        }
        clear_row(table);
}

static bool is_blank(const char *text, size_t length) {
        return strspn(text, BLANKS) >= length;
}

/* Line by line, as libcsv does not count; a quoted cell may go over several. */
static void feed_lines(struct table_parser *table, struct csv_parser *csv, const char *text) {
        struct parser *parser = table->parser;

        for (size_t length; *text; text += length) {
                bool between_rows = table->row_line == 0;

                length = strcspn(text, "\n");
                length += text[length] == '\n';
                parser->line++;

                /* Comments above the header only; below it, a "#" may be part of a cell. */
                if (between_rows && (is_blank(text, length) || (!table->login_name && text[0] == '#')))
                        continue;
                if (between_rows)
                        table->row_line = parser->line;
                if (csv_parse(csv, text, length, take_cell, take_row, table) != length) {
                        diagnostics_error(parser->diagnostics, parser->path, table->row_line,
                                "the quotes in this row are not as CSV has them: \"...\", and \"\" for a "
                                "quote inside");
                        return;
                }
        }
        if (csv_fini(csv, take_cell, take_row, table) != 0)
                diagnostics_error(parser->diagnostics, parser->path, table->row_line,
                        "a quote opens in this row and never closes");
}

static void parse_csv(struct parser *parser, const char *text) {
        struct table_parser table = {.parser = parser};
        struct csv_parser csv;

        if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
                parser->no_memory = true;
                return;
        }
        feed_lines(&table, &csv, text);
        csv_free(&csv);

        if (table.n_lowered > 0)
                diagnostics_warning(parser->diagnostics, parser->path, 0,
                        "%u logins have capitals; the students are named in lower case, as Unix users are",
                        table.n_lowered);
        clear_row(&table);
        free(table.cells);
        free(table.login_name);
}

/* --- which of the two ------------------------------------------------------------------------ */

/* A comma, outside comments; or a first line that is the name of a login column. */
static bool is_csv(const char *text) {
        bool first = true;

        while (*text) {
                size_t length = strcspn(text, "\n");
                _cleanup_free_ char *copy = strndup(text, length);
                const char *line = copy ? strip(copy) : "";

                text += length + (text[length] == '\n');
                if (line[0] == '\0' || line[0] == '#')
                        continue;
                if (strchr(line, ',') || (first && is_login_column(line)))
                        return true;
                first = false;
        }
        return false;
}

int class_list_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        struct class_list *ret, struct diagnostics *diagnostics) {
        struct parser parser = {
                .settings = settings, .course = course, .path = path, .diagnostics = diagnostics};
        _cleanup_free_ char *copy = NULL;

        if (string_starts_with(text, BYTE_ORDER_MARK))
                text += strlen(BYTE_ORDER_MARK);
        copy = strdup(text);
        if (!copy)
                parser.no_memory = true;
        else if (is_csv(copy))
                parse_csv(&parser, copy);
        else
                parse_plain(&parser, copy);

        if (parser.no_memory) {
                class_list_done(&parser.list);
                diagnostics_error(diagnostics, path, 0, "out of memory");
                return -ENOMEM;
        }
        *ret = parser.list;
        return 0;
}
