/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Called first by each subcommand that is about a seat, so that only digits become part of a name or a path.
 */

#include "seat-argument.h"
#include "number.h"

int seat_argument_parse(const struct settings *settings, const char *seat, struct seat_id *ret,
        struct diagnostics *diagnostics) {
        int r;

        r = seat_id_parse(seat, settings->course_digits, ret);
        if (r < 0)
                diagnostics_error(diagnostics, seat, 0,
                        "expected a seat: a course in %u digits (course-digits in " SETTINGS_FILE
                        ") and the seat's number, as 12310 is seat 10 of course 123",
                        settings->course_digits);
        return r;
}

int seat_argument_load(const char *etc, const char *seat, struct settings *ret_settings,
        struct seat_plan *ret_plan, struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        struct seat_id id;
        int r;

        r = settings_load(etc, &settings, diagnostics);
        if (r < 0)
                return r;
        r = seat_argument_parse(&settings, seat, &id, diagnostics);
        if (r < 0)
                return r;
        r = seat_plan_load(etc, &settings, &id, ret_plan, diagnostics);
        if (r < 0)
                return r;

        *ret_settings = settings;
        settings = (struct settings){0};
        return 0;
}

int seat_argument_name(const char *seat, struct seat_plan *ret, struct diagnostics *diagnostics) {
        if (!digits_only(seat) || strlen(seat) >= SEAT_ID_SIZE) {
                diagnostics_error(diagnostics, seat, 0, "expected a seat: digits only, such as 12310");
                return -EINVAL;
        }
        seat_plan_name(seat, ret);
        return 0;
}
