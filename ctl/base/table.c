/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The few calls of libsmartcols that a plain table needs. */

#include <locale.h>

#include "table.h"
#include "terminal.h"

void table_done(struct libscols_table **table) {
        scols_unref_table(*table);
        *table = NULL;
}

int table_new(const char *const headings[], size_t n, struct libscols_table **ret) {
        _cleanup_table_ struct libscols_table *table = scols_new_table();
        bool any = false;

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (!scols_table_new_column(table, headings[i], 0, 0))
                        return -ENOMEM;
                any = any || headings[i][0] != '\0';
        }
        if (!any)
                (void)scols_table_enable_noheadings(table, 1);

        *ret = table;
        table = NULL;
        return 0;
}

int table_add(struct libscols_table *table, const char *const cells[], size_t n) {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        if (!line)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (scols_line_set_data(line, i, cells[i] ? cells[i] : "") < 0)
                        return -ENOMEM;
        return 0;
}

void table_hide_headings(struct libscols_table *table) {
        (void)scols_table_enable_noheadings(table, 1);
}

void table_color(struct libscols_table *table, size_t column, const char *color) {
        struct libscols_line *line = scols_table_get_line(table, scols_table_get_nlines(table) - 1);
        struct libscols_cell *cell = line ? scols_line_get_cell(line, column) : NULL;

        if (cell)
                (void)scols_cell_set_color(cell, color);
}

int table_print(struct libscols_table *table) {
        locale_t before = (locale_t)0, locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
        int r;

        (void)scols_table_enable_colors(table, terminal_has_colors());
        /* libsmartcols prints as \xNN what is no character of the locale. Everywhere else, text is bytes. */
        if (locale)
                before = uselocale(locale);
        r = scols_print_table(table);
        if (locale) {
                (void)uselocale(before);
                freelocale(locale);
        }
        return r;
}

int table_print_to_text(struct libscols_table *table, char **ret) {
        (void)scols_table_enable_colors(table, terminal_has_colors());
        return scols_print_table_to_string(table, ret);
}
