/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seat id, "12310": the course in the site's number of digits, then the seat's number without leading
 * zeros. Unit instances, links and namespaces are named after it.
 */

#include "name-rule.h"

/* Twelve digits and the NUL: "vl-" and the id fill Linux's 15 characters of an interface name. */
#define SEAT_ID_SIZE 13U

struct seat_id {
        char course[COURSE_SIZE];
        unsigned number;
};

/* -EINVAL if text is not exactly course_digits digits and a number of at least 2. */
int seat_id_parse(const char *text, unsigned course_digits, struct seat_id *ret);

void seat_id_format(const struct seat_id *id, char ret_text[static SEAT_ID_SIZE]);
