/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Says what is wrong with a timetable. */

#include <stdarg.h>

#include "mistake.h"

int mistake_set(struct mistake *mistake, unsigned line, const char *format, ...) {
        va_list arguments;

        mistake->line = line;
        va_start(arguments, format);
        (void)vsnprintf(mistake->text, sizeof(mistake->text), format, arguments);
        va_end(arguments);
        return -EINVAL;
}
