/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes and parses findings as lines of text. */

#include <limits.h>

#include "finding-line.h"
#include "number.h"

/* The letters that follow the backslash. */
static const struct { char character, letter; } escapes[] = {{'\t', 't'}, {'\n', 'n'}, {'\\', '\\'}};

static char find_letter(char character) {
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (escapes[i].character == character)
                        return escapes[i].letter;
        return '\0';
}

/* '\0': no such letter. */
static char find_character(char letter) {
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (escapes[i].letter == letter)
                        return escapes[i].character;
        return '\0';
}

static void write_field(FILE *stream, const char *text) {
        for (; *text; text++) {
                char letter = find_letter(*text);

                if (letter)
                        (void)fputc('\\', stream);
                (void)fputc(letter ? letter : *text, stream);
        }
}

int finding_lines_write(FILE *stream, const struct diagnostics *diagnostics) {
        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const struct diagnostic *item = &diagnostics->items[i];

                (void)fputs(item->level == DIAGNOSTIC_ERROR ? "error\t" : "warning\t", stream);
                write_field(stream, item->path);
                (void)fprintf(stream, "\t%u\t", item->line);
                write_field(stream, item->text);
                (void)fputc('\t', stream);
                write_field(stream, item->remedy ? item->remedy : "");
                (void)fputc('\n', stream);
        }
        return fflush(stream) != 0 || ferror(stream) ? -EIO : 0;
}

/* In place; false if another character follows a backslash. */
static bool unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; from++) {
                *to = *from;
                if (*from == '\\') {
                        from++;
                        *to = find_character(*from);
                        if (*to == '\0')
                                return false;
                }
                to++;
        }
        *to = '\0';
        return true;
}

int finding_line_read(char *line, struct diagnostics *diagnostics) {
        char *fields[5] = {line};
        bool is_error;
        unsigned number;

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 1; i < ELEMENTSOF(fields); i++) {
                fields[i] = strchr(fields[i - 1], '\t');
                if (!fields[i])
                        return -EINVAL;
                *fields[i]++ = '\0';
        }
        is_error = string_equal(fields[0], "error");
        if ((!is_error && !string_equal(fields[0], "warning")) || strchr(fields[4], '\t') ||
                number_parse(fields[2], 0, UINT_MAX, &number) < 0 || !unescape(fields[1]) ||
                !unescape(fields[3]) || !unescape(fields[4]))
                return -EINVAL;

        if (is_error)
                diagnostics_error(diagnostics, fields[1], number, "%s", fields[3]);
        else
                diagnostics_warning(diagnostics, fields[1], number, "%s", fields[3]);
        if (fields[4][0])
                diagnostics_advise(diagnostics, "%s", fields[4]);
        return 0;
}
