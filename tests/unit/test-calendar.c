/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The times of `history --since`: the real systemd-analyze reads what is not in one of the own forms. */

#include "fixture.h"

#include "ctl/base/calendar.h"
#include "ctl/base/moment.h"

static uint64_t now_realtime(void) {
        return (uint64_t)time(NULL) * USEC_PER_SEC;
}

/* The clock goes on while systemd-analyze runs, and its result may lack the fraction of a second. */
static void assert_ago(const char *text, uint64_t seconds_min, uint64_t seconds_max) {
        uint64_t before = now_realtime(), usec = 0;

        assert_int_equal(calendar_parse(text, &usec), 0);
        assert_true(usec >= before - (seconds_max + 1) * USEC_PER_SEC);
        assert_true(usec <= now_realtime() + USEC_PER_SEC - seconds_min * USEC_PER_SEC);
}

static void test_words(void **state) {
        (void)state;
        assert_ago("now", 0, 1);
        assert_ago("2 hours ago", 7200, 7200);
        assert_ago("-2h", 7200, 7200);
        assert_ago("yesterday", 86400 - 3600, 2 * 86400 + 3600);
        assert_ago("today", 0, 86400 + 3600);
}

static void test_exact_times(void **state) {
        static const struct {
                const char *text;
                uint64_t usec;
        } rows[] = {
                {"@1769846415", UINT64_C(1769846415000000)},
                {"@1769846415.25", UINT64_C(1769846415250000)},
                {"2026-01-31T09:00:00Z", UINT64_C(1769850000000000)},
                {"2026-01-31 09:00 UTC", UINT64_C(1769850000000000)},
                {"Sat 2026-01-31 09:00:00 UTC", UINT64_C(1769850000000000)},
        };
        uint64_t usec;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(calendar_parse(rows[i].text, &usec), 0);
                assert_int_equal(usec, rows[i].usec);
        }
}

static void test_what_is_no_time(void **state) {
        static const char *const texts[] = {
                "", "last wek", "--help", "--version", "2026-02-31 25:00", "$(date)"};
        uint64_t usec = 7;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(calendar_parse(texts[i], &usec), -EINVAL);
        assert_int_equal(usec, 7);
}

static void test_without_the_program(void **state) {
        const char *path = getenv("PATH");
        _cleanup_free_ char *kept = strdup(path ? path : "");
        uint64_t usec;

        (void)state;
        assert_non_null(kept);
        assert_return_code(setenv("PATH", "/no/such/folder", 1), errno);
        assert_int_equal(calendar_parse("yesterday", &usec), -ENOENT);
        assert_int_equal(calendar_parse("@1", &usec), 0);
        assert_return_code(setenv("PATH", kept, 1), errno);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_exact_times),
                cmocka_unit_test(test_what_is_no_time),
                cmocka_unit_test(test_without_the_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
