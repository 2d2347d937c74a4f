/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of exams: what is written is read back, and a file with a mistake is an exam that allows nothing. */

#include "fixture.h"

#include "base/exam-schedule.h"
#include "base/moment.h"
#include "check/checks.h"
#include "exam.h"
#include "site.h"

#define START "[exam]\nsince = 1000\n"

static void test_allow(void **state) {
        static const char *const same[] = {"192.0.2.10", "192.0.2.10:443", "192.0.2.10:443/tcp",
                "192.0.2.10:53/udp", "2001:db8::1", "[2001:db8::1]:443", "[2001:db8::1]:443/tcp"};
        static const char *const wrong[] = {"", "192.0.2", "192.0.2.10:", "192.0.2.10:0", "192.0.2.10:65536",
                "192.0.2.10:443/sctp", "192.0.2.10/24", "[192.0.2.10]:443", "2001:db8::1]:443",
                "[2001:db8::1]", "[2001:db8::1", "0.0.0.0", "224.0.0.1", "ff02::1", "::", "192.0.2.10:*:443",
                "fe80::1%eth0", "example.org", "192.0.2.10 drop",
                "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:443/tcp"};
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

static void test_list(void **state) {
        static const char *const wrong[] = {"www.example.org", "name:", "name:*.example", "192.0.2",
                "192.0.2.1:x", "192.0.2.1;192.0.2.2"};
        char longest[EXAM_NAME_SIZE + 16];
        struct exam exam = {0};

        (void)state;
        memset(longest, 'a', sizeof(longest));
        longest[sizeof(longest) - 1] = '\0';
        assert_int_equal(exam_allow_list_parse(longest, &exam), -EINVAL);
        assert_int_equal(
                exam_allow_list_parse(" 192.0.2.10:443/tcp,name:WWW.example.org ,, [2001:db8::1]:53", &exam),
                0);
        assert_int_equal(exam.n_allow, 2);
        assert_true(exam.allow[0].tcp && exam.allow[1].six);
        assert_int_equal(exam.n_names, 1);
        assert_string_equal(exam.names[0], "www.example.org");
        assert_true(exam_allow_list_valid(""));
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (exam_allow_list_valid(wrong[i]))
                        fail_msg("'%s' is accepted", wrong[i]);
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

/* What is in force, and when that changes. */
static void assert_at(uint64_t now, const char *by, uint64_t until, uint64_t next) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_exams_ struct exams exams = {0};

        assert_int_equal(exams_load(etc, now, &exams, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_int_equal(exams.n_items, by ? 1 : 0);
        if (by) {
                assert_string_equal(exams.items[0].by, by);
                assert_int_equal(exams.items[0].until, until);
        }
        assert_int_equal(exams.next_change, next);
}

static void test_exams_by_schedule(void **state) {
        (void)state;
        write_exam("123.schedule", START "time = 2000 2500\ntime = 3000 3500\n");
        assert_at(1999, NULL, 0, 2000);
        assert_at(2000, "schedule", 2500, 2500);
        assert_at(2499, "schedule", 2500, 2500);
        assert_at(2500, NULL, 0, 3000);
        assert_at(3500, NULL, 0, EXAMS_NO_CHANGE);

        /* The one by hand counts as long as it lasts. */
        write_exam("123", START "until = 2100\nby = alice\n");
        assert_at(2000, "alice", 2100, 2100);
        write_exam("123", START "by = alice\n");
        assert_at(2000, "alice", 0, 2500);
        assert_at(5000, "alice", 0, EXAMS_NO_CHANGE);
        write_exam("123", START "until = 2100\n");
        assert_at(2100, "schedule", 2500, 2100);
        assert_int_equal(unlink(etc_path(EXAM_DIRECTORY "/123")), 0);

        /* An exam that is stopped stays so. Others do not. */
        write_exam("123.stopped", "[exam]\nuntil = 2500\nsince = 2000\n");
        assert_at(2100, NULL, 0, 2500);
        assert_at(3000, "schedule", 3500, 3500);
        write_exam("123.schedule", START "time = 2050 2500\ntime = 3000 3500\n");
        assert_at(2100, NULL, 0, 2500);
        /* The end has been edited. */
        write_exam("123.schedule", START "time = 2000 2600\ntime = 3000 3500\n");
        assert_at(2100, "schedule", 2600, 2600);
}

static void test_planned_exams(void **state) {
        _cleanup_exams_ struct exams planned = {0}, none = {0};

        (void)state;
        write_exam("123", START);
        write_exam("123.schedule", START "time = 2000 2500\ntime = 3000 3500\n");
        write_exam("124.schedule", START "time = 2000 2500\n");
        write_exam("125.schedule", "mistake");
        assert_int_equal(exams_load_planned(etc, 2000, &planned), 0);
        assert_int_equal(planned.n_items, 1);
        assert_string_equal(planned.items[0].course, "123");
        assert_string_equal(planned.items[0].by, "schedule");
        assert_int_equal(planned.items[0].since, 3000);
        assert_int_equal(planned.items[0].until, 3500);
        assert_int_equal(exams_load_planned(etc, 3000, &none), 0);
        assert_int_equal(none.n_items, 0);
}

/* As closed as can be, like any file with a mistake. One that stops an exam and has a mistake stops none. */
static void test_mistakes_of_a_schedule(void **state) {
        static const char *const wrong[] = {START "time = 2000\n", START "time = 2000 2000\n",
                START "time = 2500 2000\n", START "time = 2000 2500\ntime = 2500 2600\n",
                START "time = 2000 x\n", "[exam]\ntime = 2000 2500\n"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_exams_ struct exams exams = {0};

                write_exam("123.schedule", wrong[i]);
                assert_int_equal(exams_load(etc, 1500, &exams, &diagnostics), 0);
                assert_true(diagnostics.n_errors > 0);
                assert_int_equal(exams.n_items, 1);
                assert_true(exams.items[0].broken && exams.items[0].until == 0);
        }
        write_exam("123.schedule", START "time = 2000 2500\n");
        write_exam("123.stopped", "[exam]\nuntil = 9999\n");
        {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_exams_ struct exams exams = {0};

                assert_int_equal(exams_load(etc, 2000, &exams, &diagnostics), 0);
                assert_int_equal(exams.n_items, 1);
                assert_false(exams.items[0].broken);
        }
}

static time_t at(const char *text) {
        struct span span;

        assert_int_equal(moment_parse(text, 0, &span), 0);
        return (time_t)(span.from_usec / USEC_PER_SEC);
}

/* Applies the settings at a time. Returns when to do it again. */
static time_t apply(const char *text, const char *now, int result) {
        const struct paths paths = {.etc = etc, .state = etc};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        time_t next;

        write_file("coursenet.conf", text);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(exam_schedule_apply(&paths, &settings, "123", at(now), &next) < 0, result < 0);
        return next;
}

/* 30 November 2026 is a Monday. */
static void test_a_schedule_becomes_a_file(void **state) {
        static const char settings[] = "[course 123]\nexam = Mon 09:00-10:00 UTC;Mon 10:00-11:00 UTC;Tue "
                                       "12:00-13:00 UTC\nexam-allow = 192.0.2.10:443/tcp, name:WWW.example\n";
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_exams_ struct exams exams = {0};
        struct stat before, after;

        (void)state;
        assert_int_equal(apply(settings, "2026-11-30 08:00:00 UTC", 0), at("2026-11-30 09:00:00 UTC"));
        assert_at((uint64_t)at("2026-11-30 08:00:00 UTC"), NULL, 0, (uint64_t)at("2026-11-30 09:00:00 UTC"));
        assert_int_equal(exams_load(etc, (uint64_t)at("2026-11-30 09:00:00 UTC"), &exams, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_int_equal(exams.items[0].until, at("2026-11-30 11:00:00 UTC"));
        assert_string_equal(exams.items[0].allow[0].address, "192.0.2.10");
        assert_string_equal(exams.items[0].names[0], "www.example");
        /* Those of the next weeks are there, for a boot after some time. */
        assert_at((uint64_t)at("2026-12-14 09:00:00 UTC"), "schedule",
                (uint64_t)at("2026-12-14 11:00:00 UTC"), (uint64_t)at("2026-12-14 11:00:00 UTC"));

        /* The same times leave the same file. */
        assert_int_equal(stat(etc_path(EXAM_DIRECTORY "/123.schedule"), &before), 0);
        assert_int_equal(apply(settings, "2026-11-30 09:30:00 UTC", 0), at("2026-11-30 11:00:00 UTC"));
        assert_int_equal(stat(etc_path(EXAM_DIRECTORY "/123.schedule"), &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);

        /* A mistake that only systemd finds leaves it, too. Without an exam it goes. */
        (void)apply("[course 123]\nexam = Mox 09:00-10:00\n", "2026-11-30 09:30:00 UTC", -1);
        assert_int_equal(access(etc_path(EXAM_DIRECTORY "/123.schedule"), F_OK), 0);
        assert_int_equal(
                apply("[course 123]\nexam = 2026-11-29 09:00-10:00 UTC\n", "2026-11-30 09:30:00 UTC", 0), 0);
        assert_int_equal(access(etc_path(EXAM_DIRECTORY "/123.schedule"), F_OK), -1);
        (void)apply(settings, "2026-11-30 08:00:00 UTC", 0);
        assert_int_equal(apply("", "2026-11-30 08:00:00 UTC", 0), 0);
        assert_int_equal(access(etc_path(EXAM_DIRECTORY "/123.schedule"), F_OK), -1);
}

static void test_check(void **state) {
        static const struct {
                const char *settings, *part;
        } rows[] = {
                {"[course 123]\nexam = 2020-01-01 09:00-10:00\n", "no exam from now on"},
                {"[course 123]\nexam = Mox 09:00-10:00\n", "does not understand 'Mox 09:00:00'"},
                {"[course 124]\nexam = Mon 09:00-10:00\n", "nobody on its roster"},
                {"[course 123]\nexam-allow = 192.0.2.1\n", "exam-allow has no effect"},
                {"[site]\ndns = off\n[course 123]\nexam = 09:00-10:00\nexam-allow = name:www.example\n",
                        "dns = off"},
                {"[course 123]\nexam = 09:00-10:00\nexam-allow = name:www.example\n", NULL},
        };

        (void)state;
        write_file("roster.d/123", "newellz2 10\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_site_ struct site site = {0};

                write_file("coursenet.conf", rows[i].settings);
                assert_int_equal(site_load(etc, &site, &diagnostics), 0);
                exam_check(etc, &site, &diagnostics);
                assert_int_equal(diagnostics.n_items, rows[i].part ? 1 : 0);
                if (rows[i].part && !strstr(diagnostics.items[0].text, rows[i].part))
                        fail_msg("row %zu: %s", i, diagnostics.items[0].text);
        }
}

static void test_a_stop_is_forgotten_at_its_end(void **state) {
        static const char settings[] = "[course 123]\nexam = 09:00-10:00 UTC\n";
        char text[64];

        (void)state;
        (void)snprintf(text, sizeof(text), START "until = %lld\n", (long long)at("2026-11-30 10:00:00 UTC"));
        write_exam("123.stopped", text);
        (void)apply(settings, "2026-11-30 09:59:59 UTC", 0);
        assert_int_equal(access(etc_path(EXAM_DIRECTORY "/123.stopped"), F_OK), 0);
        (void)apply(settings, "2026-11-30 10:00:00 UTC", 0);
        assert_int_equal(access(etc_path(EXAM_DIRECTORY "/123.stopped"), F_OK), -1);
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
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_written_is_read),
                cmocka_unit_test(test_mistake_allows_nothing),
                cmocka_unit_test_setup_teardown(test_what_is_in_force, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_exams_by_schedule, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_planned_exams, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_mistakes_of_a_schedule, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_a_schedule_becomes_a_file, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_check, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_a_stop_is_forgotten_at_its_end, make_etc, remove_etc),
                cmocka_unit_test_setup_teardown(test_untrusted_file, make_etc, remove_etc),
        };

        return cmocka_run_group_tests_name("exam", tests, NULL, NULL);
}
