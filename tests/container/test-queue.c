/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Slots: how many there are, when one counts as free, and that one instance has one. */

#include "container/queue.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct timespec beginning = {.tv_sec = 1000000};

static int open_etc(void) {
        int fd = open(etc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static struct timespec after(time_t seconds) {
        return (struct timespec){.tv_sec = beginning.tv_sec + seconds};
}

static void fill(int fd) {
        char id[16];

        for (unsigned i = 0; i < SLOTS; i++) {
                (void)snprintf(id, sizeof(id), "1231%u", i);
                assert_int_equal(queue_try(fd, id, &beginning), 1);
        }
}

static void test_as_many_as_there_are_slots(void **state) {
        int fd = open_etc();

        (void)state;
        fill(fd);
        assert_int_equal(queue_try(fd, "12330", &beginning), 0);
        assert_int_equal(unlinkat(fd, "12313", 0), 0);
        assert_int_equal(queue_try(fd, "12330", &beginning), 1);
        assert_int_equal(queue_try(fd, "12331", &beginning), 0);
        (void)close(fd);
}

static void test_a_slot_is_free_when_its_time_is_over(void **state) {
        struct timespec almost = after(SLOT_SECONDS - 1), over = after(SLOT_SECONDS), before = after(-1);
        int fd = open_etc();

        (void)state;
        fill(fd);
        assert_int_equal(queue_try(fd, "12330", &almost), 0);
        assert_int_equal(queue_try(fd, "12330", &over), 1);
        assert_int_equal(faccessat(fd, "12310", F_OK, 0), -1);
        /* A clock that was set back. */
        assert_int_equal(queue_try(fd, "12340", &before), 1);
        (void)close(fd);
}

static void test_an_instance_has_one_slot(void **state) {
        struct timespec later = after(SLOT_SECONDS - 1), much_later = after(SLOT_SECONDS);
        int fd = open_etc();

        (void)state;
        fill(fd);
        /* Its own slot is renewed, and lasts from that time. */
        assert_int_equal(queue_try(fd, "12310", &later), 1);
        assert_int_equal(queue_try(fd, "12330", &much_later), 1);
        assert_int_equal(faccessat(fd, "12310", F_OK, 0), 0);
        (void)close(fd);
}

/* Who is first in the queue has the lock, and takes the slot that becomes free. */
static void test_who_waits_gets_the_next_slot(void **state) {
        struct timespec now;
        int fd = open_etc(), status;
        char id[16];
        pid_t pid;

        (void)state;
        assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
        for (unsigned i = 0; i < SLOTS; i++) {
                (void)snprintf(id, sizeof(id), "1231%u", i);
                assert_int_equal(queue_try(fd, id, &now), 1);
        }
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(queue_wait(etc, "12330") == 0 ? 0 : 1);
        /* It waits once nobody else can have the lock. */
        while (flock(fd, LOCK_EX | LOCK_NB) == 0)
                assert_int_equal(flock(fd, LOCK_UN), 0);
        assert_int_equal(faccessat(fd, "12330", F_OK, 0), -1);
        assert_int_equal(unlinkat(fd, "12312", 0), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(faccessat(fd, "12330", F_OK, 0), 0);
        (void)close(fd);
}

static void test_a_name_that_is_no_file_is_refused(void **state) {
        (void)state;
        assert_int_equal(queue_wait(etc, ""), -EINVAL);
        assert_int_equal(queue_wait(etc, ".."), -EINVAL);
        assert_int_equal(queue_wait(etc, "a/b"), -EINVAL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_as_many_as_there_are_slots),
                TEST(test_a_slot_is_free_when_its_time_is_over),
                TEST(test_an_instance_has_one_slot),
                TEST(test_who_waits_gets_the_next_slot),
                TEST(test_a_name_that_is_no_file_is_refused),
        };

        return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
