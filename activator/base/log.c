/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The log: stderr, which systemd connects to the journal. */

#include <stdarg.h>

#include "manager.h"

void log_message(const char *priority, const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void)fprintf(stderr, "%s%s\n", priority, text);
}
