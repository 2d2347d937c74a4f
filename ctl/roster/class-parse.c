/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses plain lists, and passes tables to class-table.c. Called by `roster import` only. */

#include "class-parse.h"
#include "class-table.h"

#define BLANKS " \t\r\n"

/* A spreadsheet program may save a plain list with each name in quotes. */
static void strip_quotes(char *text) {
        size_t length = strlen(text);

        if (length < 2 || text[0] != '"' || strchr(text + 1, '"') != text + length - 1)
                return;
        memmove(text, text + 1, length - 2);
        text[length - 2] = '\0';
}

/* text is one line without its newline; it is changed. */
static void read_line(struct class_reader *reader, char *text, unsigned line) {
        char course[COURSE_SIZE], *rest, *word;
        const char *header_rest;

        text = sheet_strip(text);
        strip_quotes(text);
        /* Blanks in quotes are no name either. */
        text = sheet_strip(text);
        if (text[0] == '\0' || text[0] == '#')
                return;
        if (class_reader_header(reader, text, course, &header_rest)) {
                class_reader_check_header(reader, course, header_rest, line);
                return;
        }

        word = strtok_r(text, BLANKS, &rest);
        rest += strspn(rest, BLANKS);
        if (rest[0] != '\0' && rest[0] != '#')
                /* Skipping such lines would give seats to the one-word lines of any text. */
                diagnostics_error(reader->diagnostics, reader->path, line,
                        "expected one name on each line, but '%s' is followed by '%s' (import numbers the "
                        "seats itself; a table must begin with a row of column names)",
                        word, rest);
        else
                class_reader_add(reader, word, true, line);
}

/* Reads the lines up to the end. */
static void read_plain(struct class_reader *reader, const char *text, const char *end, unsigned line) {
        for (; text < end; line++) {
                size_t length = strcspn(text, "\n");
                _cleanup_free_ char *copy = strndup(text, length);

                if (copy)
                        read_line(reader, copy, line);
                reader->no_memory |= !copy;
                text += length + (text[length] == '\n');
        }
}

/*
 * "sep=;" tells Excel the separator; Excel does not show that line. Returns the text behind it, and the
 * separator or 0.
 */
static const char *take_separator(const char *text, char *ret_separator) {
        *ret_separator = '\0';
        if (strncasecmp(text, "sep=", 4) != 0 || text[4] == '\0' || (text[5] != '\n' && text[5] != '\0'))
                return text;
        *ret_separator = text[4];
        return text + 5 + (text[5] == '\n');
}

/* A table may begin with blank lines, comments and headers, too. Returns the first other line. */
static const char *skip_head(const struct class_reader *reader, const char *text, unsigned *line) {
        while (*text) {
                size_t length = strcspn(text, "\n");
                const char *start = text + strspn(text, " \t"), *rest;
                char course[COURSE_SIZE];

                if (*start != '\n' && *start != '\0' && *start != '#' &&
                        !class_reader_header(reader, start, course, &rest))
                        break;
                text += length + (text[length] == '\n');
                (*line)++;
        }
        return text;
}

static void read_list(struct class_reader *reader, const char *text) {
        struct sheet_source source;
        unsigned line = 1, head_line;
        const char *head, *body;
        char separator;

        head = take_separator(text, &separator);
        line += separator != '\0';
        head_line = line;
        body = skip_head(reader, head, &line);
        read_plain(reader, head, body, head_line);

        if (class_table_find(reader, body, line, separator, &source))
                class_table_read(reader, &source);
        else if (reader->options->column)
                diagnostics_error(reader->diagnostics, reader->path, line,
                        "there is no column '%s', because this is a plain list with one name on each line",
                        reader->options->column);
        else
                read_plain(reader, body, body + strlen(body), line);
        class_reader_finish(reader);
}

int class_parse(const char *text, const char *path, const struct settings *settings, const char *course,
        const struct class_list_options *options, struct class_list *ret, struct diagnostics *diagnostics) {
        _cleanup_(class_reader_done) struct class_reader reader = {.settings = settings,
                .course = course,
                .path = path,
                .options = options,
                .diagnostics = diagnostics};

        read_list(&reader, text);
        if (reader.no_memory) {
                diagnostics_error(diagnostics, path, 0, "out of memory");
                return -ENOMEM;
        }
        *ret = reader.list;
        reader.list = (struct class_list){0};
        return 0;
}
