/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `metrics`: how logins are counted, and how the numbers are kept in a file. No entry of a journal is needed.
 */

#include "fixture.h"

#include "ctl/base/byte-count.h"
#include "ctl/status/login-count.h"

static void assert_course(const struct login_count *count, const char *course, uint64_t n) {
        for (size_t i = 0; i < count->n_courses; i++)
                if (string_equal(count->courses[i].course, course)) {
                        assert_int_equal(count->courses[i].n_logins, n);
                        return;
                }
        fail_msg("there is no course %s", course);
}

static void test_each_start_is_in_one_bucket(void **state) {
        static const uint64_t usecs[] = {0, 10000, 10001, 240000, 1000000, 20000000, 20000001};
        static const uint64_t expected[LOGIN_BUCKETS] = {2, 1, 0, 1, 0, 1, 0, 1};
        _cleanup_login_count_ struct login_count count = {0};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(usecs); i++) {
                assert_int_equal(login_count_add(&count, i < 2 ? "123" : "377"), 0);
                login_count_add_start(&count, usecs[i]);
        }
        assert_course(&count, "123", 2);
        assert_course(&count, "377", 5);
        assert_memory_equal(count.buckets, expected, sizeof(expected));
        assert_int_equal(count.n_slower, 1);
        assert_true(count.seconds > 41.26 && count.seconds < 41.27);
}

static void test_refusals_have_reasons(void **state) {
        _cleanup_login_count_ struct login_count count = {0};

        (void)state;
        for (unsigned i = 0; i < _REFUSAL_MAX; i++) {
                login_count_add_refusal(&count, refusal_text((enum refusal)i));
                assert_int_equal(count.refusals[i], 1);
                assert_true(strlen(refusal_text((enum refusal)i)) < REFUSAL_SIZE);
        }
        login_count_add_refusal(&count, "of-a-later-version");
        assert_int_equal(count.n_other_refusals, 1);
}

#define REFUSALS "\"refusals\":{\"limit\":3,\"of-a-later-version\":1,\"other\":2},"
#define ID "50bbfa322fd34d98b9ee7cd0503d1541"
#define FILE_TEXT                                                                                            \
        "{\"version\":1,\"courses\":{\"123\":41,\"377\":1},\"buckets\":[1,2,3,4,5,6,7,8],\"slower\":6,"      \
        "\"seconds\":12.5," REFUSALS "\"cursor\":\"s=" ID ";i=1;b=" ID ";m=1;t=1;x=1\"}"

static void test_numbers_are_kept(void **state) {
        (void)state;
        write_file("logins.json", FILE_TEXT);
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_login_count_ struct login_count count = {0};

                assert_int_equal(login_count_update(etc, &count), 0);
                assert_course(&count, "123", 41);
                assert_course(&count, "377", 1);
                assert_int_equal(count.buckets[7], 8);
                assert_int_equal(count.n_slower, 6);
                assert_int_equal(count.refusals[REFUSAL_LIMIT], 3);
                assert_int_equal(count.refusals[REFUSAL_PROGRAM], 0);
                assert_int_equal(count.n_other_refusals, 2);
                assert_true(count.seconds > 12.4 && count.seconds < 12.6);
        }
        assert_int_equal(access(etc_path("logins.json.new"), F_OK), -1);
}

/* Of version 0.1, which knew no refusals, and counted every login as a start. */
static void test_an_old_file_keeps_the_logins(void **state) {
        _cleanup_login_count_ struct login_count count = {0};
        char text[sizeof(FILE_TEXT)];
        char *refusals;

        (void)state;
        (void)strcpy(text, FILE_TEXT);
        refusals = strstr(text, REFUSALS);
        assert_non_null(refusals);
        memmove(refusals, refusals + strlen(REFUSALS), strlen(refusals + strlen(REFUSALS)) + 1);
        write_file("logins.json", text);
        assert_int_equal(login_count_update(etc, &count), 0);
        assert_course(&count, "123", 41);
        assert_int_equal(count.buckets[7], 0);
        assert_int_equal(count.n_slower, 0);
}

static void test_a_broken_file_begins_again(void **state) {
        static const char *const texts[] = {"", "{", "[]", "7", "{}",
                "{\"cursor\":7,\"courses\":[],\"buckets\":{}}",
                "{\"cursor\":\"x\",\"courses\":{\"123\":1},\"buckets\":[1]}",
                "{\"cursor\":\"x\",\"courses\":{\"123\":1},\"buckets\":[1,2,3,4,5,6,7,8]}"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_login_count_ struct login_count count = {0};

                write_file("logins.json", texts[i]);
                assert_int_equal(login_count_update(etc, &count), 0);
                assert_int_equal(count.n_courses, 0);
                assert_int_equal(count.n_slower, 0);
        }
}

static void test_a_missing_folder_is_made(void **state) {
        _cleanup_login_count_ struct login_count count = {0};

        (void)state;
        assert_int_equal(login_count_update(etc_path("state"), &count), 0);
        assert_int_equal(access(etc_path("state/logins.json"), R_OK), 0);
        assert_int_equal(login_count_update(etc_path("no/such"), &count), -ENOENT);
}

static void test_bytes(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = {{0, "0"}, {999, "999"}, {1000, "1.0k"}, {1549, "1.5k"}, {999949, "999.9k"},
                {999950, "1.0M"}, {20000000, "20.0M"}, {UINT64_MAX, "18.4E"}};
        char text[BYTE_COUNT_SIZE];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                byte_count_format(rows[i].bytes, text);
                assert_string_equal(text, rows[i].text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_start_is_in_one_bucket),
                cmocka_unit_test(test_refusals_have_reasons),
                cmocka_unit_test_setup_teardown(test_an_old_file_keeps_the_logins, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_numbers_are_kept, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_a_broken_file_begins_again, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_a_missing_folder_is_made, make_etc, remove_etc),
                cmocka_unit_test(test_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
