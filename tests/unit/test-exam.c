/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of exams: what is written is read back, and a file with a mistake is an exam that allows nothing. */

#include "fixture.h"

#include "exam.h"

#define START "[exam]\nsince = 1000\n"

static void test_allow(void **state) {
        static const char *const same[] = {"192.0.2.10", "192.0.2.10:443", "192.0.2.10:443/tcp",
                "192.0.2.10:53/udp", "2001:db8::1", "[2001:db8::1]:443", "[2001:db8::1]:443/tcp"};
        static const char *const wrong[] = {"", "192.0.2", "192.0.2.10:", "192.0.2.10:0", "192.0.2.10:65536",
                "192.0.2.10:443/sctp", "192.0.2.10/24", "[192.0.2.10]:443", "2001:db8::1]:443",
                "[2001:db8::1]", "[2001:db8::1", "0.0.0.0", "224.0.0.1", "ff02::1", "::", "192.0.2.10:*:443",
                "fe80::1%eth0", "example.org", "192.0.2.10 drop"};
        char text[EXAM_ALLOW_TEXT_SIZE];
        struct exam_allow allow;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(same); i++) {
                assert_int_equal(exam_allow_parse(same[i], &allow), 0);
                exam_allow_format(&allow, text);
                assert_string_equal(text, same[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (exam_allow_parse(wrong[i], &allow) >= 0)
                        fail_msg("'%s' is accepted", wrong[i]);
        assert_int_equal(exam_allow_parse("2001:DB8:0::1", &allow), 0);
        assert_string_equal(allow.address, "2001:db8::1");
}

static void test_names(void **state) {
        char longest[EXAM_NAME_SIZE + 1];

        (void)state;
        assert_true(exam_name_valid("www.example.org"));
        assert_true(exam_name_valid("localhost"));
        assert_false(exam_name_valid(""));
        assert_false(exam_name_valid("*.example.org"));
        assert_false(exam_name_valid(".example.org"));
        assert_false(exam_name_valid("example.org."));
        assert_false(exam_name_valid("192.0.2.1"));
        assert_false(exam_name_valid("a b.example"));
        memset(longest, 'a', sizeof(longest));
        for (size_t i = 10; i < sizeof(longest); i += 10)
                longest[i] = '.';
        longest[EXAM_NAME_SIZE - 1] = '\0';
        assert_true(exam_name_valid(longest));
        longest[EXAM_NAME_SIZE - 1] = 'a';
        longest[EXAM_NAME_SIZE] = '\0';
        assert_false(exam_name_valid(longest));
}

static void test_written_is_read(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct exam exam = {.course = "123",
                            .since = 1000,
                            .until = 2000,
                            .by = "alice (uid 1000)",
                            .n_allow = 2,
                            .n_names = 1,
                            .names = {"www.example.org"},
                            .n_staff = 2,
                            .staff = {1001, 4294967294}},
                    back = {.course = "123"};
        _cleanup_free_ char *text = NULL, *again = NULL;

        (void)state;
        assert_int_equal(exam_allow_parse("192.0.2.10:443/tcp", &exam.allow[0]), 0);
        assert_int_equal(exam_allow_parse("2001:db8::1", &exam.allow[1]), 0);
        text = exam_format(&exam);
        exam_parse(text, "123", &back, &diagnostics);
        assert_clean(&diagnostics);
        assert_false(back.broken);
        again = exam_format(&back);
        assert_string_equal(again, text);
        assert_int_equal(back.until, 2000);
        assert_int_equal(back.staff[1], 4294967294);
}

/* Each of these would let something pass, or would end, if the mistake were ignored. */
static void test_mistake_allows_nothing(void **state) {
        static const char *const texts[] = {"", "[exam]\n", START "allow = example.org\n",
                "allow = 192.0.2.1\nuntil = 9\n" START "until = x\n", START "allow = 192.0.2.1\nmore = 1\n",
                "[exam]\nallow = 192.0.2.1\nuntil = 9\n", START "allow = 192.0.2.1\n[other]\nuntil = 9\n",
                START "allow = 192.0.2.1\nnothing\n", START "staff-uid = -1\n",
                START "until = 99999999999999999999\n"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct exam exam = {.course = "123"};

                exam_parse(texts[i], "123", &exam, &diagnostics);
                assert_true(diagnostics.n_errors > 0);
                assert_true(exam.broken);
                assert_int_equal(exam.n_allow + exam.n_names + exam.n_staff, 0);
                assert_int_equal(exam.until, 0);
                assert_string_equal(exam.course, "123");
        }
}

static void write_exam(const char *course, const char *text) {
        char name[32];

        (void)snprintf(name, sizeof(name), EXAM_DIRECTORY "/%s", course);
        write_file(name, text);
}

static void test_what_is_in_force(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_exams_ struct exams none = {0}, exams = {0}, all = {0};

        (void)state;
        assert_int_equal(exams_load(etc, 1500, &none, &diagnostics), 0);
        assert_int_equal(none.n_items, 0);

        write_exam("377", START "until = 2000\n");
        write_exam("123", START);
        write_exam("124", START "until = 1500\n");
        write_exam(".125.77", START);
        write_exam("course", START);
        assert_int_equal(exams_load(etc, 1500, &exams, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_int_equal(exams.n_items, 2);
        assert_string_equal(exams.items[0].course, "123");
        assert_string_equal(exams.items[1].course, "377");
        assert_null(exams_find(&exams, "124"));
        assert_int_equal(exams_load(etc, 0, &all, &diagnostics), 0);
        assert_non_null(exams_find(&all, "124"));
}

/* A user who can write to the file could end the exam, so such a file does not count. */
static void test_untrusted_file(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_exams_ struct exams exams = {0};

        (void)state;
        write_exam("123", START "allow = 192.0.2.1\n");
        assert_int_equal(chmod(etc_path(EXAM_DIRECTORY "/123"), 0666), 0);
        assert_int_equal(exams_load(etc, 1500, &exams, &diagnostics), 0);
        assert_int_equal(diagnostics.n_errors, 1);
        assert_non_null(strstr(diagnostics.items[0].remedy, "coursenetctl exam stop 123"));
        assert_true(exams.items[0].broken);
        assert_int_equal(exams.items[0].n_allow, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_allow),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_written_is_read),
                cmocka_unit_test(test_mistake_allows_nothing),
                cmocka_unit_test_setup_teardown(test_what_is_in_force, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_untrusted_file, make_etc, remove_etc),
        };

        return cmocka_run_group_tests_name("exam", tests, NULL, NULL);
}
