/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sentences on stderr and findings in files. */

#include "message.h"
#include "command.h"

/* Escape sequences in a roster or a class list would otherwise run on the admin's terminal. */
static void clean(char *text) {
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == '\x7f')
                        *text = '?';
                else if (text[0] == '\xc2' && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0)
                        /* U+0080 to U+009F: U+009B begins a sequence as ESC [ does. */
                        text[0] = text[1] = '?';
}

void complain(const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        clean(text);
        (void)fprintf(stderr, "coursenetctl: %s\n", text);
}

int complain_of_activator(const char *path, int error) {
        if (error == -EACCES || error == -EPERM) {
                complain("You may not ask the activator for that (%s: %s). Try as root.", path,
                        strerror(-error));
                return EXIT_NO;
        }
        complain("The activator cannot be reached (%s: %s). Is it enabled? See: systemctl status "
                 "coursenet-activator.socket coursenet-query.socket coursenet-activator.service",
                path, strerror(-error));
        return EXIT_UNREACHABLE;
}

const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

void print_diagnostics(FILE *stream, const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                clean(text);
                (void)fprintf(stream, "%s\n", text);
        }
}
