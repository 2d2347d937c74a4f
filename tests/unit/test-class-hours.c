/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The syntax of schedule =. */

#include "fixture.h"

#include "class-hours.h"

static void test_ranges(void **state) {
        static const struct {
                const char *text, *start, *zone;
                unsigned end;
                bool next_day;
        } rows[] = {
                {"09:00-10:30", "09:00:00", "", 37800, false},
                {"Mon,Wed 09:00-10:30", "Mon,Wed 09:00:00", "", 37800, false},
                {"  Mon..Fri  08:15:30-09:00 UTC ", "Mon..Fri 08:15:30 UTC", "UTC", 32400, false},
                {"2026-12-01 14:00-16:00 Europe/Berlin", "2026-12-01 14:00:00 Europe/Berlin", "Europe/Berlin",
                        57600, false},
                {"Mon *-10,11-* 09:00-10:00", "Mon *-10,11-* 09:00:00", "", 36000, false},
                {"Fri 22:00-02:00", "Fri 22:00:00", "", 7200, true},
                {"Fri 22:00-24:00", "Fri 22:00:00", "", 0, true},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *rest = rows[i].text;
                struct class_hours hours;

                assert_true(class_hours_valid(rest));
                assert_int_equal(class_hours_next(&rest, &hours), 1);
                assert_string_equal(hours.start, rows[i].start);
                assert_string_equal(hours.zone, rows[i].zone);
                assert_int_equal(hours.end_seconds, rows[i].end);
                assert_int_equal(hours.next_day, rows[i].next_day);
                assert_int_equal(class_hours_next(&rest, &hours), 0);
        }
}

static void test_several(void **state) {
        const char *rest = "Mon 09:00-10:00;Tue 11:00-12:00 UTC; 13:00-14:00;";
        struct class_hours hours;

        (void)state;
        assert_int_equal(class_hours_next(&rest, &hours), 1);
        assert_string_equal(hours.start, "Mon 09:00:00");
        assert_int_equal(class_hours_next(&rest, &hours), 1);
        assert_string_equal(hours.start, "Tue 11:00:00 UTC");
        assert_int_equal(class_hours_next(&rest, &hours), 1);
        assert_string_equal(hours.start, "13:00:00");
        assert_int_equal(class_hours_next(&rest, &hours), 0);
}

static void test_what_is_no_range(void **state) {
        static const char *const texts[] = {"", ";", "Mon", "Mon 9-10", "Mon 9:00-10:00", "Mon 09:00",
                "Mon 09:00-09:00", "Mon 09:00-24:01", "Mon 24:00-25:00", "Mon 09:60-10:00",
                "Mon 09:00:60-10:00", "09:00-10:00 UTC UTC", "09:00-10:00 ../../etc/passwd",
                "09:00-10:00 /etc/passwd", "$(id) 09:00-10:00", "Mon 09:00-10:00; Tue",
                "09:00-10:00;;11:00-12:00", "09:00-10:00x"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (class_hours_valid(texts[i]))
                        fail_msg("accepted: %s", texts[i]);
}

static void test_too_long(void **state) {
        char text[SCHEDULE_TEXT_SIZE + 32];
        const char *rest = text;
        struct class_hours hours;

        (void)state;
        (void)snprintf(text, sizeof(text), "%*s 09:00-10:00", (int)SCHEDULE_TEXT_SIZE, "Mon");
        text[0] = 'M';
        assert_int_equal(class_hours_next(&rest, &hours), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ranges),
                cmocka_unit_test(test_several),
                cmocka_unit_test(test_what_is_no_range),
                cmocka_unit_test(test_too_long),
        };

        return cmocka_run_group_tests_name("class-hours", tests, NULL, NULL);
}
