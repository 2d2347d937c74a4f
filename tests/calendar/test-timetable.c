/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which classes a timetable has. Expected times are in UTC. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "calendar/timetable.h"

/* 1 October 2026 and 1 October 2027, 00:00 UTC. */
#define FROM 1790812800
#define UNTIL 1822348800

#define HEAD "BEGIN:VCALENDAR\nVERSION:2.0\n"
#define TAIL "END:VCALENDAR\n"

/* From 09:00 to 10:30 on Monday, 19 October 2026, by the clocks of the host, in a zone, and in UTC. */
#define FLOATING "DTSTART:20261019T090000\nDTEND:20261019T103000\n"
#define IN(zone) "DTSTART;TZID=" zone ":20261019T090000\nDTEND;TZID=" zone ":20261019T103000\n"
#define UTC "DTSTART:20261019T090000Z\nDTEND:20261019T103000Z\n"

#define EVENT(lines) "BEGIN:VEVENT\nUID:1@example.edu\n" lines "END:VEVENT\n"

/* --- what is found --------------------------------------------------------------------------- */

struct found {
        char lines[64][160];
        size_t n;
};

static void add(void *userdata, time_t start, time_t end, const char *summary) {
        struct found *found = userdata;
        char from[32], until[32];
        struct tm tm;

        (void)strftime(from, sizeof(from), "%m-%d %H:%M", gmtime_r(&start, &tm));
        (void)strftime(until, sizeof(until), "%H:%M", gmtime_r(&end, &tm));
        assert_true(found->n < ELEMENTSOF(found->lines));
        (void)snprintf(found->lines[found->n++], sizeof(found->lines[0]), "%s-%s%s%s", from, until,
                summary[0] ? " " : "", summary);
}

static int compare(const void *a, const void *b) {
        return strcmp(a, b);
}

/* The classes, one a line, sorted: "10-19 07:00-08:30 NAME". Between October and December they sort by time.
 */
static void assert_classes(const char *text, const char *expected) {
        struct mistake mistake = {0};
        struct found found = {0};
        char all[4096] = "";

        if (timetable_read(text, FROM, UNTIL, add, &found, &mistake) != 0)
                fail_msg("line %u: %s, in:\n%s", mistake.line, mistake.text, text);
        qsort(found.lines, found.n, sizeof(found.lines[0]), compare);
        for (size_t i = 0; i < found.n; i++)
                (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\n", found.lines[i]);
        if (!string_equal(all, expected))
                fail_msg("found:\n%sexpected:\n%sof:\n%s", all, expected, text);
}

static void assert_mistake(const char *text, unsigned line, const char *words) {
        struct mistake mistake = {0};
        struct found found = {0};

        assert_int_equal(timetable_read(text, FROM, UNTIL, add, &found, &mistake), -EINVAL);
        if (mistake.line != line || !strstr(mistake.text, words))
                fail_msg("said of line %u: %s; expected of line %u: %s; of:\n%s", mistake.line, mistake.text,
                        line, words, text);
}

static int use_berlin(void **state) {
        (void)state;
        (void)setenv("TZ", "Europe/Berlin", 1);
        tzset();
        return 0;
}

/* --- real exports ---------------------------------------------------------------------------- */

static char *read_export(const char *name) {
        char path[256];
        char *text = NULL;
        size_t size = 0;
        _cleanup_fclose_ FILE *file = NULL;

        (void)snprintf(path, sizeof(path), TESTS_DIRECTORY "/calendar/exports/%s.ics", name);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_true(getdelim(&text, &size, '\0', file) > 0);
        return text;
}

static void test_exports_of_timetable_programs(void **state) {
        static const struct {
                const char *name, *classes;
        } exports[] = {
                {"webuntis", "10-19 06:00-07:30 INF 10b\n"
                             "10-26 07:00-08:30 INF 10b\n"},
                {"campusonline",
                        "10-23 12:00-14:00 Einführung in die Rechnernetze (IN0123) VO, Standardgruppe\n"
                        "10-30 13:00-15:00 Einführung in die Rechnernetze (IN0123) VO, Standardgruppe\n"},
                {"outlook", "10-19 07:30-09:00 Rechnernetze, Übung\n"
                            "10-26 08:30-10:00 Rechnernetze, Übung\n"
                            "11-10 13:00-14:30 Rechnernetze, Übung (verlegt)\n"
                            "11-16 08:30-10:00 Rechnernetze, Übung\n"},
                {"google", "10-26 23:00-00:50 CS 123 Lab\n"
                           "10-29 23:00-00:50 CS 123 Lab\n"
                           "11-03 00:00-01:50 CS 123 Lab\n"
                           "11-05 22:00-23:50 CS 123 Lab (earlier)\n"
                           "11-13 00:00-01:50 CS 123 Lab\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(exports); i++) {
                _cleanup_free_ char *text = read_export(exports[i].name);

                assert_classes(text, exports[i].classes);
        }
}

/* --- zones ----------------------------------------------------------------------------------- */

static void test_zones(void **state) {
        static const struct {
                const char *event, *classes;
        } rows[] = {
                {EVENT(UTC), "10-19 09:00-10:30\n"},
                {EVENT(FLOATING), "10-19 07:00-08:30\n"}, /* TZ, see use_berlin() */
                {EVENT(IN("America/New_York")), "10-19 13:00-14:30\n"},
                {EVENT(IN("US/Eastern")), "10-19 13:00-14:30\n"},
                {EVENT(IN("UTC")), "10-19 09:00-10:30\n"},
                {EVENT(IN("CET")), "10-19 07:00-08:30\n"},
                /* Microsoft's names, which the file should define. */
                {EVENT(IN("W. Europe Standard Time")), "10-19 07:00-08:30\n"},
                {EVENT(IN("\"Eastern Standard Time\"")), "10-19 13:00-14:30\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[1024];

                (void)snprintf(text, sizeof(text), HEAD "%s" TAIL, rows[i].event);
                assert_classes(text, rows[i].classes);
        }
}

#define OWN_ZONE(name)                                                                                       \
        "BEGIN:VTIMEZONE\nTZID:" name "\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\n"      \
        "TZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n"

static void test_a_zone_that_the_file_defines(void **state) {
        (void)state;
        assert_classes(HEAD OWN_ZONE("Campus") EVENT(IN("Campus")) TAIL, "10-19 03:30-05:00\n");
        assert_classes(HEAD EVENT(IN("Campus")) OWN_ZONE("Campus") TAIL, "10-19 03:30-05:00\n");
        assert_classes(HEAD OWN_ZONE("/example.org/Tzfile/Campus") EVENT(IN("/example.org/Tzfile/Campus"))
                               TAIL,
                "10-19 03:30-05:00\n");
        /* It has precedence over the one that the host knows. */
        assert_classes(HEAD OWN_ZONE("Europe/Berlin") EVENT(IN("Europe/Berlin")) TAIL, "10-19 03:30-05:00\n");
}

static void test_zones_that_nobody_knows(void **state) {
        (void)state;
        assert_mistake(HEAD EVENT(IN("Europe/Atlantis")) TAIL, 3, "there is no time zone 'Europe/Atlantis'");
        assert_mistake(HEAD EVENT(UTC) EVENT(UTC "EXDATE;TZID=Europe/Atlantis:20261019T090000\n") TAIL, 8,
                "there is no time zone 'Europe/Atlantis'");
        assert_mistake(HEAD "BEGIN:VTIMEZONE\nTZID:Campus\nEND:VTIMEZONE\n" EVENT(IN("Campus")) TAIL, 6,
                "not how its clocks go");
        assert_mistake(HEAD "BEGIN:VTIMEZONE\nTZID:Campus\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
                            "END:STANDARD\nEND:VTIMEZONE\n" EVENT(IN("Campus")) TAIL,
                9, "not how its clocks go");
}

/* Clocks go back on 25 October 2026 in Berlin and on 1 November in New York, and forward on 28 and 14 March.
 */
static void test_daylight_saving(void **state) {
        (void)state;
        assert_classes(HEAD EVENT("DTSTART;TZID=Europe/Berlin:20261024T090000\nDURATION:PT1H\n"
                                  "RRULE:FREQ=DAILY;COUNT=3\n") TAIL,
                "10-24 07:00-08:00\n"
                "10-25 08:00-09:00\n"
                "10-26 08:00-09:00\n");
        assert_classes(HEAD EVENT("DTSTART;TZID=Europe/Berlin:20270327T090000\nDURATION:PT1H\n"
                                  "RRULE:FREQ=DAILY;COUNT=2\n") TAIL,
                "03-27 08:00-09:00\n"
                "03-28 07:00-08:00\n");
        assert_classes(HEAD EVENT("DTSTART;TZID=America/New_York:20261031T090000\nDURATION:PT1H\n"
                                  "RRULE:FREQ=DAILY;COUNT=2\n") TAIL,
                "10-31 13:00-14:00\n"
                "11-01 14:00-15:00\n");
        assert_classes(HEAD EVENT("DTSTART;TZID=America/New_York:20270313T090000\nDURATION:PT1H\n"
                                  "RRULE:FREQ=DAILY;COUNT=2\n") TAIL,
                "03-13 14:00-15:00\n"
                "03-14 13:00-14:00\n");
        assert_classes(HEAD EVENT("DTSTART:20261024T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n") TAIL,
                "10-24 07:00-08:00\n"
                "10-25 08:00-09:00\n");
}

/* --- recurrence ------------------------------------------------------------------------------ */

static void test_recurrence(void **state) {
        static const struct {
                const char *lines, *classes;
        } rows[] = {
                {"RRULE:FREQ=WEEKLY;COUNT=2\n", "10-19 07:00-08:30\n10-26 08:00-09:30\n"},
                /* The last one begins at that moment. */
                {"RRULE:FREQ=WEEKLY;UNTIL=20261026T080000Z\n", "10-19 07:00-08:30\n10-26 08:00-09:30\n"},
                {"RRULE:FREQ=WEEKLY;UNTIL=20261026T075959Z\n", "10-19 07:00-08:30\n"},
                {"RRULE:FREQ=WEEKLY;UNTIL=20261026\n", "10-19 07:00-08:30\n10-26 08:00-09:30\n"},
                {"RRULE:FREQ=WEEKLY;UNTIL=20261025\n", "10-19 07:00-08:30\n"},
                {"RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20261026T090000\n",
                        "10-19 07:00-08:30\n11-02 08:00-09:30\n"},
                {"RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20261026T080000Z,20261019T070000Z\n",
                        "11-02 08:00-09:30\n"},
                {"RRULE:FREQ=WEEKLY;COUNT=2\nEXDATE;VALUE=DATE:20261026\n", "10-19 07:00-08:30\n"},
                {"RDATE;TZID=Europe/Berlin:20261021T140000,20261022T140000\n",
                        "10-19 07:00-08:30\n10-21 12:00-13:30\n10-22 12:00-13:30\n"},
                {"RDATE:20261021T140000Z\n", "10-19 07:00-08:30\n10-21 14:00-15:30\n"},
                {"RDATE;VALUE=PERIOD:20261021T140000Z/PT3H,20261022T140000Z/20261022T150000Z\n",
                        "10-19 07:00-08:30\n10-21 14:00-17:00\n10-22 14:00-15:00\n"},
                /* Without a zone, it is in that of the event. */
                {"RDATE;VALUE=PERIOD:20261021T140000/PT3H\n", "10-19 07:00-08:30\n10-21 12:00-15:00\n"},
                {"RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=TU\n",
                        "10-19 07:00-08:30\n10-20 07:00-08:30\n10-27 08:00-09:30\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[1024];

                (void)snprintf(text, sizeof(text),
                        HEAD "BEGIN:VEVENT\nUID:1\n" IN("Europe/Berlin") "%s"
                                                                         "END:VEVENT\n" TAIL,
                        rows[i].lines);
                assert_classes(text, rows[i].classes);
        }
}

#define SERIES EVENT("SUMMARY:Lab\n" IN("Europe/Berlin") "RRULE:FREQ=WEEKLY;COUNT=2\n")

static void test_dates_that_are_changed(void **state) {
        (void)state;
        assert_classes(HEAD SERIES EVENT("RECURRENCE-ID;TZID=Europe/Berlin:20261026T090000\nSUMMARY:Later\n"
                                         "DTSTART;TZID=Europe/Berlin:20261026T150000\nDURATION:PT1H\n") TAIL,
                "10-19 07:00-08:30 Lab\n"
                "10-26 14:00-15:00 Later\n");
        /* The change may come first, be in UTC, and be a cancellation. */
        assert_classes(HEAD EVENT("RECURRENCE-ID:20261019T070000Z\nSTATUS:CANCELLED\n" UTC) SERIES TAIL,
                "10-26 08:00-09:30 Lab\n");
        /* Of another event. */
        assert_classes(HEAD SERIES
                "BEGIN:VEVENT\nUID:2\nRECURRENCE-ID:20261019T070000Z\nSTATUS:CANCELLED\n" UTC
                "END:VEVENT\n" TAIL,
                "10-19 07:00-08:30 Lab\n"
                "10-26 08:00-09:30 Lab\n");
        assert_mistake(HEAD SERIES EVENT("RECURRENCE-ID;RANGE=THISANDFUTURE:20261026T080000Z\n" UTC) TAIL, 10,
                "RANGE=THISANDFUTURE");
}

/* --- what is a class ------------------------------------------------------------------------- */

static void test_events_that_are_no_classes(void **state) {
        static const char *const events[] = {
                EVENT("DTSTART;VALUE=DATE:20261019\n"),
                EVENT("DTSTART;VALUE=DATE:20261019\nDTEND;VALUE=DATE:20261020\n"),
                EVENT("DTSTART:20261019T090000Z\n"),
                EVENT("DTSTART:20261019T090000Z\nDTEND:20261019T090000Z\n"),
                EVENT("DTSTART:20261019T090000Z\nDTEND:20261019T080000Z\n"),
                EVENT("DTSTART:20261019T090000Z\nDURATION:P1DT1S\n"),
                EVENT(UTC "STATUS:CANCELLED\n"),
                EVENT(UTC "TRANSP:TRANSPARENT\n"),
                /* Before and after what was asked for. */
                EVENT("DTSTART:20260930T230000Z\nDURATION:PT1H\n"),
                EVENT("DTSTART:20271001T000000Z\nDURATION:PT1H\n"),
                /* No events at all. */
                "",
                "BEGIN:VTODO\nDUE:20261019T090000Z\nEND:VTODO\n",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                char text[1024];

                (void)snprintf(text, sizeof(text), HEAD "%s" TAIL, events[i]);
                assert_classes(text, "");
        }
}

static void test_events_that_are_classes(void **state) {
        (void)state;
        assert_classes(HEAD EVENT("DTSTART:20261019T000000Z\nDURATION:P1D\n") TAIL, "10-19 00:00-00:00\n");
        assert_classes(HEAD EVENT("DTSTART:20260930T230000Z\nDURATION:PT1H1S\n") TAIL, "09-30 23:00-00:00\n");
        assert_classes(HEAD EVENT(UTC "STATUS:TENTATIVE\nTRANSP:OPAQUE\nCLASS:PRIVATE\n") TAIL,
                "10-19 09:00-10:30\n");
        /* An alarm has a DURATION of its own. */
        assert_classes(HEAD EVENT(UTC "BEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5M\nREPEAT:2\nEND:VALARM\n")
                               TAIL,
                "10-19 09:00-10:30\n");
        /* Several calendars in a file. */
        assert_classes(HEAD EVENT(UTC) TAIL HEAD EVENT(FLOATING) TAIL, "10-19 07:00-08:30\n"
                                                                       "10-19 09:00-10:30\n");
}

/* --- the text -------------------------------------------------------------------------------- */

static void test_lines(void **state) {
        (void)state;
        /* Folded in the middle of a name and of a value, with and without CR. */
        assert_classes("BEGIN:VCAL\r\n ENDAR\r\nBEGIN:VEVENT\r\nDTST\n\tART:2026101\r\n 9T090000Z\r\n"
                       "DURATION:PT1H\r\nSUMMARY:One\\, two\\;\r\n  three\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                "10-19 09:00-10:00 One, two; three\n");
        /* A byte order mark, blank lines, other case, no line end at the end. */
        assert_classes("\xef\xbb\xbf"
                       "begin:vcalendar\n\nBegin:vevent\ndtstart:20261019T090000Z\nduration:PT1H\n\n"
                       "end:Vevent\nEND:VCALENDAR",
                "10-19 09:00-10:00\n");
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } rows[] = {
                {"", 0, "the file is empty"},
                {"\n\n", 0, "the file is empty"},
                {"<!DOCTYPE html>\n<p>Please log in.</p>\n", 1, "this is no iCalendar file"},
                {"BEGIN:VCARD\nEND:VCARD\n", 1, "this is no iCalendar file"},
                {HEAD, 2, "the file ends before END:VCALENDAR"},
                {HEAD "BEGIN:VEVENT\nDTSTART:20261019T09", 4, "'DTSTART:20261019T09' cannot be read"},
                {HEAD "BEGIN:VEVENT\n" UTC, 5, "the file ends before END:VEVENT"},
                {HEAD TAIL "<p>\n", 4, "something follows END:VCALENDAR"},
                {HEAD "BEGIN:VEVENT\nBEGIN:VEVENT\n", 4, "the VEVENT before it has not ended"},
                {HEAD "BEGIN:VCALENDAR\n", 3, "the calendar before it has not ended"},
                {HEAD "END:VEVENT\n", 3, "END:VEVENT ends something that has not begun"},
                {HEAD "what\n" TAIL, 3, "expected NAME:VALUE"},
                {HEAD "BEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\n", 10,
                        "nested too deeply"},
                {HEAD EVENT("DTSTART:yesterday\n") TAIL, 5, "'DTSTART:yesterday' cannot be read"},
                {HEAD EVENT("SUMMARY:a\n b\nDTSTART:\n") TAIL, 7, "'DTSTART:' cannot be read"},
                {HEAD EVENT(UTC "RRULE:FREQ=FORTNIGHTLY\n") TAIL, 7,
                        "'RRULE:FREQ=FORTNIGHTLY' cannot be read"},
                {HEAD EVENT(UTC "RRULE:\n") TAIL, 7, "'RRULE:' cannot be read"},
                {HEAD EVENT(UTC "EXDATE:never\n") TAIL, 7, "'EXDATE:never' cannot be read"},
                {HEAD EVENT("SUMMARY:x\n") TAIL, 3, "this event has no DTSTART"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_mistake(rows[i].text, rows[i].line, rows[i].words);
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void count(void *userdata, time_t start, time_t end, const char *summary) {
        (void)start;
        (void)end;
        (void)summary;
        ++*(size_t *)userdata;
}

static void test_rules_for_ever_end(void **state) {
        struct mistake mistake = {0};
        size_t n = 0;

        (void)state;
        assert_int_equal(timetable_read(HEAD EVENT(UTC "RRULE:FREQ=SECONDLY\n") TAIL, FROM, UNTIL, count, &n,
                                 &mistake),
                -EINVAL);
        assert_int_equal(mistake.line, 3);
        assert_non_null(strstr(mistake.text, "stands for more than 20000 dates"));
        assert_int_equal(n, CLASSES_MAX);
        /* Nor do several rules. */
        n = 0;
        assert_int_equal(timetable_read(HEAD EVENT(UTC "RRULE:FREQ=MINUTELY;COUNT=15000\n")
                                                EVENT(UTC "RRULE:FREQ=MINUTELY;COUNT=15000\n") TAIL,
                                 FROM, UNTIL, count, &n, &mistake),
                -EINVAL);
        assert_int_equal(mistake.line, 9);
        assert_non_null(strstr(mistake.text, "there are too many classes"));
        assert_int_equal(n, CLASSES_MAX);
        /* Nor are dates of long ago counted without end. */
        n = 0;
        assert_int_equal(
                timetable_read(HEAD EVENT("DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n") TAIL,
                        FROM, UNTIL, count, &n, &mistake),
                -EINVAL);
        assert_non_null(strstr(mistake.text, "stands for more than 20000 dates"));
        assert_int_equal(n, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exports_of_timetable_programs),
                cmocka_unit_test(test_zones),
                cmocka_unit_test(test_a_zone_that_the_file_defines),
                cmocka_unit_test(test_zones_that_nobody_knows),
                cmocka_unit_test(test_daylight_saving),
                cmocka_unit_test(test_recurrence),
                cmocka_unit_test(test_dates_that_are_changed),
                cmocka_unit_test(test_events_that_are_no_classes),
                cmocka_unit_test(test_events_that_are_classes),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_rules_for_ever_end),
        };

        return cmocka_run_group_tests_name("timetable", tests, use_berlin, NULL);
}
