/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stricter than strtoul(), which accepts signs, blanks and leading zeros. */

#include "number.h"

bool digits_only(const char *text) {
        size_t n = 0;

        while (text[n] >= '0' && text[n] <= '9')
                n++;
        return n > 0 && text[n] == '\0';
}

int number_parse(const char *text, unsigned minimum, unsigned maximum, unsigned *ret) {
        unsigned long value;

        if (!digits_only(text) || (text[0] == '0' && text[1] != '\0'))
                return -EINVAL;

        errno = 0;
        value = strtoul(text, NULL, 10);
        if (errno != 0 || value < minimum || value > maximum)
                return -ERANGE;

        *ret = (unsigned)value;
        return 0;
}
