/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of findings that the loaders of settings, rosters and overrides fill. */

#include "diagnostics.h"

void diagnostics_done(struct diagnostics *diagnostics) {
        for (size_t i = 0; i < diagnostics->n_items; i++) {
                free(diagnostics->items[i].path);
                free(diagnostics->items[i].text);
                free(diagnostics->items[i].remedy);
        }
        free(diagnostics->items);
        *diagnostics = (struct diagnostics){0};
}

static void _printf_(5, 0) diagnostics_append(struct diagnostics *diagnostics, enum diagnostic_level level,
        const char *path, unsigned line, const char *format, va_list arguments) {
        struct diagnostic *items, *item;

        if (level == DIAGNOSTIC_ERROR)
                diagnostics->n_errors++;

        items = reallocarray(diagnostics->items, diagnostics->n_items + 1, sizeof(*items));
        if (!items) {
                diagnostics->lost = true;
                return;
        }
        diagnostics->items = items;

        item = &items[diagnostics->n_items];
        *item = (struct diagnostic){.level = level, .line = line, .path = strdup(path)};
        if (!item->path || vasprintf(&item->text, format, arguments) < 0) {
                free(item->path);
                diagnostics->lost = true;
                return;
        }
        diagnostics->n_items++;
}

void diagnostics_error(
        struct diagnostics *diagnostics, const char *path, unsigned line, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        diagnostics_append(diagnostics, DIAGNOSTIC_ERROR, path, line, format, arguments);
        va_end(arguments);
}

void diagnostics_warning(
        struct diagnostics *diagnostics, const char *path, unsigned line, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        diagnostics_append(diagnostics, DIAGNOSTIC_WARNING, path, line, format, arguments);
        va_end(arguments);
}

void diagnostics_advise(struct diagnostics *diagnostics, const char *format, ...) {
        struct diagnostic *item;
        va_list arguments;

        if (diagnostics->lost || diagnostics->n_items == 0)
                return;
        item = &diagnostics->items[diagnostics->n_items - 1];
        free(item->remedy);
        va_start(arguments, format);
        if (vasprintf(&item->remedy, format, arguments) < 0) {
                item->remedy = NULL;
                diagnostics->lost = true;
        }
        va_end(arguments);
}

void diagnostic_format(const struct diagnostic *diagnostic, char *text, size_t size) {
        const char *level = diagnostic->level == DIAGNOSTIC_WARNING ? "warning: " : "";
        const char *remedy = diagnostic->remedy ? diagnostic->remedy : "";
        const char *colon = diagnostic->remedy ? ": " : "";

        if (diagnostic->line > 0)
                (void)snprintf(text, size, "%s:%u: %s%s%s%s", diagnostic->path, diagnostic->line, level,
                        diagnostic->text, colon, remedy);
        else
                (void)snprintf(
                        text, size, "%s: %s%s%s%s", diagnostic->path, level, diagnostic->text, colon, remedy);
}

void diagnostics_print(FILE *stream, const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                string_make_printable(text);
                (void)fprintf(stream, "%s\n", text);
        }
        if (diagnostics->lost)
                (void)fprintf(stream, "%s\n", DIAGNOSTICS_LOST);
}
