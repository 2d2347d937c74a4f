/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A seat id can be split into course and number in one way only. */

#include "fixture.h"

#include "seat-id.h"

static void test_parses_and_formats(void **state) {
        static const struct {
                const char *text;
                unsigned course_digits;
                const char *course;
                unsigned number;
        } rows[] = {
                {"12310", 3, "123", 10},
                {"0072", 3, "007", 2},
                {"123254", 3, "123", 254},
                {"123410", 4, "1234", 10},
                {"00000165534", 6, "000001", 65534},
                {"123", 1, "1", 23},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[SEAT_ID_SIZE];
                struct seat_id id;

                assert_int_equal(seat_id_parse(rows[i].text, rows[i].course_digits, &id), 0);
                assert_string_equal(id.course, rows[i].course);
                assert_int_equal(id.number, rows[i].number);
                seat_id_format(&id, text);
                assert_string_equal(text, rows[i].text);
        }
}

static void test_refuses(void **state) {
        static const struct {
                const char *text;
                unsigned course_digits;
        } rows[] = {
                {"", 3},
                {"1", 3},
                {"123", 3},
                {"1231", 3},
                {"1230", 3},
                {"12301", 3},
                {"123010", 3},
                {"12a10", 3},
                {"123 10", 3},
                {"12310 ", 3},
                {"-12310", 3},
                {"12365535", 3},
                {"1231000000000", 3},
                {"12399999999999999999", 3},
                {"test123", 3},
                {"12310", 7},
                {"12310\n", 3},
                {"../12310", 3},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct seat_id id = {.number = 7};

                if (seat_id_parse(rows[i].text, rows[i].course_digits, &id) >= 0)
                        fail_msg("'%s' was taken", rows[i].text);
                assert_int_equal(id.number, 7);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parses_and_formats),
                cmocka_unit_test(test_refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
