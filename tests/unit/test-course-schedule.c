/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the seats of a course are held: the real systemd-analyze finds the starts. */

#include "fixture.h"

#include "ctl/base/course-schedule.h"
#include "ctl/base/moment.h"
#include "ctl/check/checks.h"
#include "site.h"

static time_t at(const char *text) {
        struct span span;

        assert_int_equal(moment_parse(text, 0, &span), 0);
        return (time_t)(span.from_usec / USEC_PER_SEC);
}

static struct class_moment find(const char *schedule, const char *now, time_t lead) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_class_times_ struct class_times times = {0};
        char text[512];

        (void)snprintf(text, sizeof(text), "[course 123]\nschedule = %s\n", schedule);
        write_file("coursenet.conf", text);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(course_schedule_load(etc, &settings, "123", at(now), &times, &diagnostics), 0);
        assert_clean(&diagnostics);
        return class_times_at(&times, at(now), lead);
}

/* What is wanted, and until when: "" is never. */
static void assert_moment(const char *schedule, const char *now, time_t lead, bool wanted, const char *next) {
        struct class_moment moment = find(schedule, now, lead);

        if (moment.wanted != wanted || moment.next_change != (next[0] ? at(next) : 0))
                fail_msg("'%s' at %s: wanted %d until @%lld, expected %d until %s", schedule, now,
                        moment.wanted, (long long)moment.next_change, wanted, next);
}

/* 30 November 2026 is a Monday. */
static void test_before_in_and_after_a_class(void **state) {
        static const char schedule[] = "Mon,Wed 09:00-10:30 UTC";

        (void)state;
        assert_moment(schedule, "2026-11-30 08:44:59 UTC", 900, false, "2026-11-30 08:45:00 UTC");
        assert_moment(schedule, "2026-11-30 08:45:00 UTC", 900, true, "2026-11-30 10:30:00 UTC");
        assert_moment(schedule, "2026-11-30 09:30:00 UTC", 900, true, "2026-11-30 10:30:00 UTC");
        assert_moment(schedule, "2026-11-30 10:29:59 UTC", 900, true, "2026-11-30 10:30:00 UTC");
        assert_moment(schedule, "2026-11-30 10:30:00 UTC", 900, false, "2026-12-02 08:45:00 UTC");
        assert_moment(schedule, "2026-11-30 08:59:59 UTC", 0, false, "2026-11-30 09:00:00 UTC");
        assert_int_equal(find(schedule, "2026-11-30 08:50:00 UTC", 900).start, at("2026-11-30 09:00:00 UTC"));
}

static void test_classes_that_follow_each_other_are_one(void **state) {
        static const char schedule[] = "Mon 09:00-10:00 UTC; Mon 10:10-11:00 UTC; Mon 12:00-13:00 UTC";

        (void)state;
        assert_moment(schedule, "2026-11-30 09:30:00 UTC", 900, true, "2026-11-30 11:00:00 UTC");
        assert_moment(schedule, "2026-11-30 09:30:00 UTC", 60, true, "2026-11-30 10:00:00 UTC");
        assert_moment(schedule, "2026-11-30 11:00:00 UTC", 900, false, "2026-11-30 11:45:00 UTC");
        assert_moment(schedule, "2026-11-30 08:00:00 UTC", 86400, true, "2026-11-30 13:00:00 UTC");
}

static void test_over_midnight(void **state) {
        static const char schedule[] = "Mon 22:00-02:00 UTC";

        (void)state;
        assert_moment(schedule, "2026-12-01 01:59:59 UTC", 900, true, "2026-12-01 02:00:00 UTC");
        assert_moment(schedule, "2026-12-01 02:00:00 UTC", 900, false, "2026-12-07 21:45:00 UTC");
        assert_moment("Mon 22:00-24:00 UTC", "2026-11-30 23:59:59 UTC", 900, true, "2026-12-01 00:00:00 UTC");
}

static void test_once_and_never_again(void **state) {
        (void)state;
        assert_moment("2026-12-01 14:00-16:00 UTC", "2026-11-01 00:00:00 UTC", 900, false,
                "2026-12-01 13:45:00 UTC");
        assert_moment("2026-12-01 14:00-16:00 UTC", "2026-12-01 16:00:00 UTC", 900, false, "");
        assert_int_equal(find("2026-12-01 14:00-16:00 UTC", "2026-12-02 00:00:00 UTC", 900).start, 0);
}

/* In Berlin, clocks go from 02:00 to 03:00 on 28 March 2027 and from 03:00 to 02:00 on 25 October 2026; in
 * New York on 14 March 2027 and 1 November 2026. */
static void test_daylight_saving(void **state) {
        static const char berlin[] = "09:00-10:30 Europe/Berlin", york[] = "09:00-10:30 America/New_York",
                          night[] = "01:00-04:00 Europe/Berlin";

        (void)state;
        assert_moment(berlin, "2027-03-27 08:30:00 UTC", 0, true, "2027-03-27 09:30:00 UTC");
        assert_moment(berlin, "2027-03-28 07:30:00 UTC", 0, true, "2027-03-28 08:30:00 UTC");
        assert_moment(berlin, "2026-10-24 07:30:00 UTC", 0, true, "2026-10-24 08:30:00 UTC");
        assert_moment(berlin, "2026-10-25 08:30:00 UTC", 0, true, "2026-10-25 09:30:00 UTC");
        assert_moment(york, "2027-03-13 14:30:00 UTC", 0, true, "2027-03-13 15:30:00 UTC");
        assert_moment(york, "2027-03-14 13:30:00 UTC", 0, true, "2027-03-14 14:30:00 UTC");
        assert_moment(york, "2026-10-31 13:30:00 UTC", 0, true, "2026-10-31 14:30:00 UTC");
        assert_moment(york, "2026-11-01 14:30:00 UTC", 0, true, "2026-11-01 15:30:00 UTC");
        /* Two hours, and four. */
        assert_moment(night, "2027-03-28 00:00:00 UTC", 0, true, "2027-03-28 02:00:00 UTC");
        assert_moment(night, "2026-10-24 23:00:00 UTC", 0, true, "2026-10-25 03:00:00 UTC");
}

/* The range has no zone. */
static void test_the_zone_of_the_host(void **state) {
        const char *set = getenv("TZ");
        _cleanup_free_ char *kept = set ? strdup(set) : NULL;

        (void)state;
        (void)setenv("TZ", "Asia/Tokyo", 1);
        tzset();
        assert_moment("Mon 09:00-10:30", "2026-11-30 00:10:00 UTC", 0, true, "2026-11-30 01:30:00 UTC");
        assert_moment("Mon 09:00-10:30 Europe/Berlin", "2026-11-30 08:10:00 UTC", 0, true,
                "2026-11-30 09:30:00 UTC");
        assert_string_equal(getenv("TZ"), "Asia/Tokyo");
        if (kept)
                (void)setenv("TZ", kept, 1);
        else
                (void)unsetenv("TZ");
        tzset();
}

static void test_what_systemd_does_not_understand(void **state) {
        static const char *const schedules[] = {"Moon 09:00-10:00", "09:00-10:00 Europe/Atlantis"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(schedules); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};
                struct class_times times = {0};
                char text[512];

                (void)snprintf(text, sizeof(text), "[course 123]\nschedule = %s\n", schedules[i]);
                write_file("coursenet.conf", text);
                assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
                assert_true(course_schedule_exists(&settings, "123"));
                assert_false(course_schedule_exists(&settings, "124"));
                assert_int_equal(
                        course_schedule_load(etc, &settings, "123", 0, &times, &diagnostics), -EINVAL);
                assert_error(&diagnostics, 2, "systemd does not understand");
                assert_null(times.items);
        }
}

static void test_a_range_that_a_comment_would_cut_is_refused(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;

        (void)state;
        write_file("coursenet.conf", "[course 123]\nschedule = Mon 09:00-10:00 ; Tue 09:00-10:00\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), -EINVAL);
        assert_error(&diagnostics, 2, "a blank before ';' begins a comment");
}

static void test_check(void **state) {
        static const struct {
                const char *schedule, *finding; /* NULL: none */
        } rows[] = {
                {"Mon 09:00-10:00; Mon 10:00-11:00", NULL},
                {"2020-01-01 09:00-10:00", "no class from now on: every date is past"},
                {"Mon 09:00-10:00; Mon 09:30-11:00", "two classes of course 123 overlap"},
                {"Moon 09:00-10:00", "systemd does not understand"},
        };

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_site_ struct site site = {0};
                char text[512];

                (void)snprintf(text, sizeof(text), "[course 123]\nschedule = %s\n", rows[i].schedule);
                write_file("coursenet.conf", text);
                assert_int_equal(site_load(etc, &site, &diagnostics), 0);
                schedule_check(etc, &site, &diagnostics);
                assert_int_equal(diagnostics.n_items, rows[i].finding != NULL);
                if (rows[i].finding) {
                        assert_non_null(strstr(diagnostics.items[0].text, rows[i].finding));
                        assert_int_equal(diagnostics.items[0].line, 2);
                }
        }
}

static void test_check_of_a_course_without_students(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("coursenet.conf", "[course 124]\nschedule = Mon 09:00-10:00\n");
        assert_int_equal(site_load(etc, &site, &diagnostics), 0);
        schedule_check(etc, &site, &diagnostics);
        assert_int_equal(diagnostics.n_items, 1);
        assert_non_null(strstr(diagnostics.items[0].text, "nobody on its roster"));
}

static void test_overlap(void **state) {
        _cleanup_class_times_ struct class_times times = {0};

        (void)state;
        assert_int_equal(class_times_add(&times, 300, 400), 0);
        assert_int_equal(class_times_add(&times, 100, 200), 0);
        assert_int_equal(class_times_add(&times, 200, 300), 0);
        class_times_sort(&times);
        assert_null(class_times_find_overlap(&times));
        assert_int_equal(class_times_add(&times, 150, 160), 0);
        class_times_sort(&times);
        assert_int_equal(class_times_find_overlap(&times)->start, 100);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_before_in_and_after_a_class),
                TEST(test_classes_that_follow_each_other_are_one),
                TEST(test_over_midnight),
                TEST(test_once_and_never_again),
                TEST(test_daylight_saving),
                TEST(test_the_zone_of_the_host),
                TEST(test_what_systemd_does_not_understand),
                TEST(test_a_range_that_a_comment_would_cut_is_refused),
                TEST(test_check),
                TEST(test_check_of_a_course_without_students),
                TEST(test_overlap),
        };

        return cmocka_run_group_tests_name("course-schedule", tests, NULL, NULL);
}
