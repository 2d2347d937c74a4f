/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What members share of an exam: it is read from the files as it was written, and its time only grows. */

#include "fixture.h"

#include "exam-file.h"
#include "exam-state.h"

#define NOW UINT64_C(5000)
#define SINCE_USEC UINT64_C(1000000000)
#define EXAM "[exam]\nallow = 192.0.2.10:443/tcp\nuntil = 6000\nby = alice\nsince = 1000\n"

static struct exam_state load(uint64_t now) {
        struct exam_state found;

        assert_int_equal(exam_state_load(etc, "123", now, &found), 0);
        return found;
}

static bool same(const struct exam_state *one, const struct exam_state *other) {
        bool equal;

        assert_int_equal(exam_state_compare(one, other, &equal), 0);
        return equal;
}

static void test_nothing_is_said(void **state) {
        struct exam_state found = load(NOW);

        (void)state;
        assert_string_equal(found.course, "123");
        assert_true(found.changed_usec == 0 && !found.on && !found.broken && found.stopped == 0);
        assert_false(exam_state_exists(etc, "123"));
}

/* Of an exam from before the course was shared. */
static void test_without_a_time_the_exam_has_its_own(void **state) {
        struct exam_state found;

        (void)state;
        write_file("exam/123", EXAM);
        found = load(NOW);
        assert_true(found.on);
        assert_int_equal(found.changed_usec, SINCE_USEC);
        /* One that a command has interrupted before it wrote the time. */
        write_file("exam/123.changed", "999999999\n");
        assert_int_equal(load(NOW).changed_usec, SINCE_USEC);
        write_file("exam/123.changed", "1000000007\n");
        assert_int_equal(load(NOW).changed_usec, SINCE_USEC + 7);
}

static void test_the_end_is_no_change(void **state) {
        struct exam_state before, after;

        (void)state;
        write_file("exam/123", EXAM);
        write_file("exam/123.changed", "1000000007\n");
        before = load(NOW);
        after = load(6000);
        assert_true(before.on && !after.on);
        assert_int_equal(before.changed_usec, after.changed_usec);
        (void)unlink(etc_path("exam/123"));
        assert_true(same(&(struct exam_state){0}, &after));
}

static void test_a_mistake(void **state) {
        struct exam_state found;

        (void)state;
        write_file("exam/123", "[exam]\nallow = everything\n");
        write_file("exam/123.changed", "7\n");
        found = load(NOW);
        assert_true(found.on && found.broken);
        assert_int_equal(found.changed_usec, 7);
        write_file("exam/123.changed", "soon\n");
        assert_int_equal(load(NOW).changed_usec, 0);
        write_file("exam/123.changed", "123456789012345678\n");
        assert_int_equal(load(NOW).changed_usec, 0);
}

static void test_written_is_read(void **state) {
        struct exam_state one, other;

        (void)state;
        write_file("exam/123", EXAM);
        write_file("exam/123.stopped", "[exam]\nuntil = 7000\nby = bob\nsince = 900\n");
        write_file("exam/123.changed", "1000000007\n");
        one = load(NOW);
        assert_int_equal(one.stopped, 7000);
        assert_string_equal(one.stopped_by, "bob");
        (void)unlink(etc_path("exam/123"));
        (void)unlink(etc_path("exam/123.stopped"));
        assert_int_equal(exam_state_write(etc, &one), 0);
        other = load(NOW);
        assert_true(same(&one, &other));
        assert_int_equal(other.changed_usec, one.changed_usec);
        assert_string_equal(other.stopped_by, "bob");
        /* The end of both. */
        one.on = false;
        one.stopped = 0;
        one.changed_usec++;
        assert_int_equal(exam_state_write(etc, &one), 0);
        assert_int_equal(access(etc_path("exam/123"), F_OK), -1);
        assert_int_equal(access(etc_path("exam/123.stopped"), F_OK), -1);
        other = load(NOW);
        assert_false(other.on);
        assert_int_equal(other.changed_usec, one.changed_usec);
}

static void test_what_differs(void **state) {
        struct exam_state one, other;

        (void)state;
        write_file("exam/123", EXAM);
        one = other = load(NOW);
        other.changed_usec++;
        assert_true(same(&one, &other));
        other.exam.allow[0].port = 80;
        assert_false(same(&one, &other));
        other = one;
        other.stopped = 1;
        assert_false(same(&one, &other));
        other = one;
        other.on = false;
        assert_false(same(&one, &other));
}

/* Also if the clock was set back, or another server's is ahead. */
static void test_the_time_grows(void **state) {
        uint64_t first;

        (void)state;
        assert_int_equal(exam_state_touch(etc, "123"), 0);
        assert_true(exam_state_exists(etc, "123"));
        first = load(NOW).changed_usec;
        assert_true(first > UINT64_C(1700000000000000));
        write_file("exam/123.changed", "90000000000000000\n");
        assert_int_equal(exam_state_touch(etc, "123"), 0);
        assert_int_equal(load(NOW).changed_usec, UINT64_C(90000000000000001));
}

static void test_lock(void **state) {
        int fd, other;

        (void)state;
        assert_int_equal(exam_file_lock(etc, true, &fd), 0);
        assert_int_equal(exam_file_lock(etc, false, &other), -EAGAIN);
        (void)close(fd);
        assert_int_equal(exam_file_lock(etc, false, &other), 0);
        (void)close(other);
}

/* Something else is where the folder of the exams should be. */
static void test_no_folder(void **state) {
        struct exam exam = {.course = "123"};
        int fd;

        (void)state;
        assert_int_equal(symlink("elsewhere", etc_path("link")), 0);
        assert_int_equal(exam_file_write(etc_path("link"), &exam, ""), -ENOTDIR);
        assert_int_equal(exam_file_write_text(etc_path("link"), "123", "", "text"), -ENOTDIR);
        assert_int_equal(exam_file_lock(etc_path("link"), false, &fd), -ENOTDIR);
        assert_int_equal(exam_file_remove(etc_path("link"), "123", ""), -ENOTDIR);
}

#define IN_ETC(test) cmocka_unit_test_setup_teardown(test, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                IN_ETC(test_nothing_is_said),
                IN_ETC(test_without_a_time_the_exam_has_its_own),
                IN_ETC(test_the_end_is_no_change),
                IN_ETC(test_a_mistake),
                IN_ETC(test_written_is_read),
                IN_ETC(test_what_differs),
                IN_ETC(test_the_time_grows),
                IN_ETC(test_lock),
                IN_ETC(test_no_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
