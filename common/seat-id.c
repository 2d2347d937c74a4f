/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Seat ids: the one name that a seat has in units, links and namespaces. */

#include "seat-id.h"
#include "number.h"

int seat_id_parse(const char *text, unsigned course_digits, struct seat_id *ret) {
        struct seat_id id = {0};

        if (course_digits >= sizeof(id.course) || strlen(text) <= course_digits ||
                strlen(text) >= SEAT_ID_SIZE || !digits_only(text))
                return -EINVAL;

        memcpy(id.course, text, course_digits);
        if (number_parse(text + course_digits, 2, 65534, &id.number) < 0)
                return -EINVAL;

        *ret = id;
        return 0;
}

void seat_id_format(const struct seat_id *id, char ret_text[static SEAT_ID_SIZE]) {
        (void)snprintf(ret_text, SEAT_ID_SIZE, "%s%u", id->course, id->number);
}
