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

/* Tests give another program for coursenet-calendar. */
static const char *calendar = BUILD_DIRECTORY "/coursenet-calendar";

static int load(const struct settings *settings, time_t now, struct class_times *ret,
        struct diagnostics *diagnostics) {
        const struct paths paths = {.etc = etc, .calendar = calendar};

        return course_schedule_load(&paths, settings, "123", now, ret, diagnostics);
}

static void check(const struct site *site, struct diagnostics *diagnostics) {
        const struct paths paths = {.etc = etc, .calendar = calendar};

        schedule_check(&paths, site, diagnostics);
}

static struct class_moment find(const char *schedule, const char *now, time_t lead) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_class_times_ struct class_times times = {0};
        char text[512];

        (void)snprintf(text, sizeof(text), "[course 123]\nschedule = %s\n", schedule);
        write_file("coursenet.conf", text);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(load(&settings, at(now), &times, &diagnostics), 0);
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
                assert_true(course_schedule_exists(etc, &settings, "123"));
                assert_false(course_schedule_exists(etc, &settings, "124"));
                assert_int_equal(load(&settings, 0, &times, &diagnostics), -EINVAL);
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
                check(&site, &diagnostics);
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
        check(&site, &diagnostics);
        assert_int_equal(diagnostics.n_items, 1);
        assert_non_null(strstr(diagnostics.items[0].text, "nobody on its roster"));
}

static void test_overlap(void **state) {
        _cleanup_class_times_ struct class_times times = {0};

        (void)state;
        assert_int_equal(class_times_add(&times, 300, 400, NULL), 0);
        assert_int_equal(class_times_add(&times, 100, 200, NULL), 0);
        assert_int_equal(class_times_add(&times, 200, 300, NULL), 0);
        /* Groups of a timetable. */
        assert_int_equal(class_times_add(&times, 100, 400, "A"), 0);
        assert_int_equal(class_times_add(&times, 100, 400, "B"), 0);
        class_times_sort(&times);
        assert_null(class_times_find_overlap(&times));
        assert_int_equal(class_times_add(&times, 150, 160, NULL), 0);
        class_times_sort(&times);
        assert_int_equal(class_times_find_overlap(&times)->start, 100);
}

/* --- timetables ------------------------------------------------------------------------------ */

#define EVENT(start, end, name)                                                                              \
        "BEGIN:VEVENT\nUID:" name "\nDTSTART:" start "\nDTEND:" end "\nSUMMARY:" name "\nEND:VEVENT\n"
#define TIMETABLE(events) "BEGIN:VCALENDAR\nVERSION:2.0\n" events "END:VCALENDAR\n"

/* The course has a timetable and, unless it is NULL, a schedule in the settings. The caller frees *ret. */
static int load_timetable(const char *timetable, const char *schedule, const char *now,
        struct class_times *ret, struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        char text[512] = "";

        if (schedule)
                (void)snprintf(text, sizeof(text), "[course 123]\nschedule = %s\n", schedule);
        write_file("coursenet.conf", text);
        write_file("schedule.d/123.ics", timetable);
        assert_int_equal(settings_load(etc, &settings, diagnostics), 0);
        assert_true(course_schedule_exists(etc, &settings, "123"));
        assert_false(course_schedule_exists(etc, &settings, "124"));
        return load(&settings, at(now), ret, diagnostics);
}

static void test_timetable(void **state) {
        static const char two[] = TIMETABLE(EVENT("20261130T090000Z", "20261130T103000Z", "Lab")
                        EVENT("20261201T090000Z", "20261201T103000Z", "Talk"));
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_times_ struct class_times times = {0};
        struct class_moment moment;

        (void)state;
        assert_int_equal(load_timetable(two, NULL, "2026-11-30 08:45:00 UTC", &times, &diagnostics), 0);
        assert_clean(&diagnostics);
        moment = class_times_at(&times, at("2026-11-30 08:45:00 UTC"), 900);
        assert_true(moment.wanted);
        assert_int_equal(moment.next_change, at("2026-11-30 10:30:00 UTC"));
        assert_string_equal(moment.class->name, "Lab");
        moment = class_times_at(&times, at("2026-11-30 10:30:00 UTC"), 900);
        assert_false(moment.wanted);
        assert_int_equal(moment.next_change, at("2026-12-01 08:45:00 UTC"));
        assert_string_equal(moment.class->name, "Talk");
        moment = class_times_at(&times, at("2026-12-01 10:30:00 UTC"), 900);
        assert_null(moment.class);
}

static void test_settings_and_timetable_together(void **state) {
        static const char one[] = TIMETABLE(EVENT("20261130T090000Z", "20261130T103000Z", "Lab"));
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_times_ struct class_times times = {0};
        struct class_moment moment;

        (void)state;
        assert_int_equal(load_timetable(one, "2026-11-30 12:00-13:00 UTC", "2026-11-30 08:00:00 UTC", &times,
                                 &diagnostics),
                0);
        moment = class_times_at(&times, at("2026-11-30 08:00:00 UTC"), 0);
        assert_string_equal(moment.class->name, "Lab");
        moment = class_times_at(&times, at("2026-11-30 11:00:00 UTC"), 0);
        assert_int_equal(moment.start, at("2026-11-30 12:00:00 UTC"));
        assert_null(moment.class->name);
}

/* The name goes to a terminal. */
static void test_names_are_made_printable(void **state) {
        static const char one[] =
                TIMETABLE(EVENT("20261130T090000Z", "20261130T103000Z", "La\x1b[31mb\\nand\xc2\x9b"));
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_times_ struct class_times times = {0};

        (void)state;
        assert_int_equal(load_timetable(one, NULL, "2026-11-30 08:00:00 UTC", &times, &diagnostics), 0);
        assert_string_equal(times.items[0].name, "La?[31mb and??");
}

static void assert_timetable_error(const char *timetable, unsigned line, const char *words) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct class_times times = {0};

        assert_true(load_timetable(timetable, NULL, "2026-11-30 08:00:00 UTC", &times, &diagnostics) < 0);
        assert_error(&diagnostics, line, words);
        assert_string_equal(diagnostics.items[0].path, etc_path("schedule.d/123.ics"));
        assert_int_equal(diagnostics.n_items, 1);
        assert_null(times.items);
}

static void test_mistakes_in_a_timetable(void **state) {
        (void)state;
        assert_timetable_error("", 0, "the file is empty");
        assert_timetable_error("<html>\n", 1, "this is no iCalendar file");
        assert_timetable_error(
                TIMETABLE(EVENT("20261130T090000Z", "20261130T103000Z", "Lab") EVENT("noon", "one", "Talk")),
                11, "'DTSTART:noon' cannot be read");
}

static void test_a_timetable_that_others_can_write(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct class_times times = {0};

        (void)state;
        write_file("coursenet.conf", "");
        write_file("schedule.d/123.ics", TIMETABLE(""));
        assert_return_code(chmod(etc_path("schedule.d/123.ics"), 0666), errno);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_true(load(&settings, 0, &times, &diagnostics) < 0);
        assert_error(&diagnostics, 0, "group and others may not write to it");
}

/* What a library that breaks, or is broken into, could make of the program. */
static void test_a_reader_that_fails(void **state) {
        static const struct {
                const char *script, *words;
        } rows[] = {
                {"kill -XCPU $$", "takes too long to read"},
                {"kill -XFSZ $$", "has too many classes"},
                {"kill -SEGV $$", "coursenet-calendar, which reads it, failed"},
                {"echo 'class 1796029200 1796034600 Lab'; exit 1", "which reads it, failed"},
                {"echo hello", "printed nonsense"},
                {"echo 'class 1796034600 1796029200 Lab'", "printed nonsense"},
                {"echo 'class 1796029200 9996034600 Lab'", "printed nonsense"},
                {"echo 'class 1796029200'", "printed nonsense"},
                {"echo class 1 2 Past", "printed nonsense"},
                {"printf 'mistake 0 \\033[31m\\n'", "?[31m"},
        };
        const char *kept = calendar;
        char text[256];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                (void)snprintf(text, sizeof(text), "#!/bin/sh\ncat >/dev/null\n%s\n", rows[i].script);
                write_file("reader", text);
                assert_return_code(chmod(etc_path("reader"), 0755), errno);
                calendar = etc_path("reader");
                assert_timetable_error(TIMETABLE(""), 0, rows[i].words);
        }
        calendar = "/nowhere/coursenet-calendar";
        assert_timetable_error(
                TIMETABLE(""), 0, "/nowhere/coursenet-calendar, which reads it, cannot be run");
        calendar = kept;
}

static void test_check_of_timetables(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("coursenet.conf", "");
        write_file("roster.d/123", "amy 10\n");
        write_file("roster.d/125", "amy 10\n");
        write_file("schedule.d/123.ics", TIMETABLE(EVENT("20200101T090000Z", "20200101T100000Z", "Lab")));
        write_file("schedule.d/124.ics", TIMETABLE("RRULE\n"));
        write_file("schedule.d/125.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200101T090000Z\n"
                                         "DURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n");
        write_file("schedule.d/5.ics", "");
        write_file("schedule.d/autumn.ics", "");
        write_file("schedule.d/123.ics.bak", "");
        write_file("schedule.d/.123.ics.new", "");
        assert_int_equal(site_load(etc, &site, &diagnostics), 0);
        check(&site, &diagnostics);
        assert_warning(&diagnostics, 0, "course 123 has a schedule, but no class from now on");
        assert_warning(&diagnostics, 0, "course 124 has a schedule, but nobody on its roster");
        assert_error(&diagnostics, 3, "expected NAME:VALUE");
        assert_warning(&diagnostics, 0, "'5.ics' is ignored: expected COURSE.ics");
        assert_warning(&diagnostics, 0, "'autumn.ics' is ignored");
        assert_warning(&diagnostics, 0, "'123.ics.bak' is ignored");
        assert_int_equal(diagnostics.n_items, 6);
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
                TEST(test_timetable),
                TEST(test_settings_and_timetable_together),
                TEST(test_names_are_made_printable),
                TEST(test_mistakes_in_a_timetable),
                TEST(test_a_timetable_that_others_can_write),
                TEST(test_a_reader_that_fails),
                TEST(test_check_of_timetables),
        };

        return cmocka_run_group_tests_name("course-schedule", tests, NULL, NULL);
}
