/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only place in coursenetctl and coursenet-enter that prints a sentence on stderr. */

#include <stdarg.h>

#include "console.h"

void console_complain(const char *program, const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        string_make_printable(text);
        (void)fprintf(stderr, "%s: %s\n", program, text);
}
