/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sentences on stderr. They may quote arguments and answers: no escape sequence gets to the terminal. */

#include <stdarg.h>

#include "message.h"

void complain(const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        for (char *p = text; *p; p++)
                if ((unsigned char)*p < ' ' || *p == '\x7f')
                        *p = '?';
        (void)fprintf(stderr, "coursenet-enter: %s\n", text);
}
