/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times as people type them. The zone is that of New York, where hours are skipped and come twice. */

#include "fixture.h"

#include "ctl/base/moment.h"

/* 2026-11-28 16:30:15 in New York, 21:30:15 UTC. */
#define NOW 1795901415

static int set_zone(void **state) {
        (void)state;
        /* As New York has it; spelled out, it needs no tzdata. */
        assert_int_equal(setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", true), 0);
        tzset();
        return 0;
}

static const struct {
        const char *text;
        uint64_t from, seconds;
} right[] = {
        {"2026-11-28 16:30:15", 1795901415, 1},
        {"2026-11-28T16:30:15", 1795901415, 1},
        {"2026-11-28T21:30:15Z", 1795901415, 1},
        {"2026-11-28 21:30:15 UTC", 1795901415, 1},
        {"2026-11-28T23:30:15+0200", 1795901415, 1},
        {"2026-11-28T23:30:15+02:00", 1795901415, 1},
        {"2026-11-28 16:30:15-0500", 1795901415, 1},
        {"2026-11-28 16:30", 1795901400, 60},
        {"2026-11-28T21:30Z", 1795901400, 60},
        {"2026-11-28", 1795842000, 86400},
        {"2026-11-28Z", 1795824000, 86400},
        /* The days when summer time begins and ends. */
        {"2026-03-08", 1772946000, 23 * 3600},
        {"2026-11-01", 1793505600, 25 * 3600},
        /* Today. */
        {"16:30", 1795901400, 60},
        {"00:00:01", 1795842001, 1},
        {"21:30Z", 1795901400, 60},
        {"00:30+0900", 1795879800, 60},
        {"@1795901415", 1795901415, 1},
        {"@0", 0, 1},
        {"2028-02-29", 1835413200, 86400},
};

static void what_a_time_names_is_a_day_a_minute_or_a_second(void **state) {
        struct span span;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(right); i++) {
                print_message("%s\n", right[i].text);
                assert_int_equal(moment_parse(right[i].text, NOW, &span), 0);
                assert_int_equal(span.from_usec, right[i].from * USEC_PER_SEC);
                assert_int_equal(span.to_usec, (right[i].from + right[i].seconds) * USEC_PER_SEC);
        }
}

/* As in Chile, where summer time begins at midnight. */
static void a_day_without_its_first_hour_is_a_day(void **state) {
        struct span span;

        (void)state;
        assert_int_equal(setenv("TZ", "<-04>4<-03>,M9.1.6/24,M4.1.6/24", true), 0);
        assert_int_equal(moment_parse("2026-09-06", NOW, &span), 0);
        assert_int_equal(span.to_usec - span.from_usec, 23 * 3600 * USEC_PER_SEC);
        assert_int_equal(moment_parse("2026-09-06 00:30", NOW, &span), -EINVAL);
        assert_int_equal(set_zone(NULL), 0);
}

static void what_is_no_time_is_refused(void **state) {
        static const char *const wrong[] = {
                "",
                " ",
                "now",
                "yesterday",
                "2026",
                "2026-11",
                "2026-13-01",
                "2026-02-29",
                "2026-02-30 10:00",
                "2026-04-31T10:00:00Z",
                "2026-11-28 24:30",
                "2026-11-28 16:60",
                "2026-11-28 16:30:15 EST",
                "2026-11-28 16:30:15x",
                "2026-11-28 16:30+",
                "2026-11-28 16:30+99",
                "2026-11-28 16:30:15.5",
                " 2026-11-28",
                /* Summer time skips it. */
                "2026-03-08 02:30",
                "26-11-28",
                "1969-12-31Z",
                "@",
                "@-1",
                "@1795901415x",
                "@999999999999999999999",
        };
        struct span span = {1, 2};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                print_message("%s\n", wrong[i]);
                assert_int_equal(moment_parse(wrong[i], NOW, &span), -EINVAL);
                assert_int_equal(span.from_usec, 1);
        }
}

static void times_are_written_as_the_host_has_them_and_in_utc(void **state) {
        char text[32];

        (void)state;
        moment_format(NOW * USEC_PER_SEC + 999999, text, sizeof(text));
        assert_string_equal(text, "2026-11-28 16:30:15");
        moment_format_minute(NOW * USEC_PER_SEC, text, sizeof(text));
        assert_string_equal(text, "2026-11-28 16:30");
        moment_format_utc(NOW * USEC_PER_SEC, text, sizeof(text));
        assert_string_equal(text, "2026-11-28T21:30:15Z");
        moment_format_utc(UINT64_MAX, text, 4);
        assert_string_equal(text, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_time_names_is_a_day_a_minute_or_a_second),
                cmocka_unit_test(a_day_without_its_first_hour_is_a_day),
                cmocka_unit_test(what_is_no_time_is_refused),
                cmocka_unit_test(times_are_written_as_the_host_has_them_and_in_utc),
        };

        return cmocka_run_group_tests(tests, set_zone, NULL);
}
