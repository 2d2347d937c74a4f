/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The first mistake in a timetable. Most of the others would follow from it. */

#include "util.h"

struct mistake {
        unsigned line; /* counted from 1; 0: the timetable as a whole */
        char text[256];
};

/* Fills it in. Always -EINVAL, to be returned. */
int mistake_set(struct mistake *mistake, unsigned line, const char *format, ...) _printf_(3, 4);
