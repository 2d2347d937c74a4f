/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is logged may come from the store, so it is made printable. */

#include <stdarg.h>

#include "log.h"

void log_message(const char *priority, const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        string_make_printable(text);
        (void)fprintf(stderr, "%s%s\n", priority, text);
}

void log_diagnostics(const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                log_message(
                        diagnostics->items[i].level == DIAGNOSTIC_ERROR ? SD_ERR : SD_WARNING, "%s", text);
        }
}
