/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whose namespace a seat has. The test mounts a /run that nobody else sees. */

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/seat-owner.h"
#include "util.h"

#define DIRECTORY "/run/owners"
#define FILE_OF_SEAT "/run/netns/ns12310"

static void mount_namespace(void) {
        assert_int_equal(mount("/proc/thread-self/ns/net", FILE_OF_SEAT, NULL, MS_BIND, NULL), 0);
}

static void unmount_namespace(void) {
        assert_int_equal(umount2(FILE_OF_SEAT, MNT_DETACH), 0);
}

static void a_namespace_is_the_last_user_s_until_it_is_gone(void **state) {
        (void)state;
        assert_false(seat_owner_is_other(DIRECTORY, "12310", "cs123-a"));
        assert_int_equal(seat_owner_note(DIRECTORY, "12310", "cs123-a"), 0);
        mount_namespace();
        assert_true(seat_owner_is_other(DIRECTORY, "12310", "cs123-b"));
        assert_false(seat_owner_is_other(DIRECTORY, "12310", "cs123-a"));
        assert_false(seat_owner_is_other(DIRECTORY, "12311", "cs123-b"));
        unmount_namespace();
        assert_false(seat_owner_is_other(DIRECTORY, "12310", "cs123-b"));
}

static void the_next_user_has_the_next_namespace(void **state) {
        (void)state;
        assert_int_equal(seat_owner_note(DIRECTORY, "12310", "cs123-a"), 0);
        assert_int_equal(seat_owner_note(DIRECTORY, "12310", "cs123-b"), 0);
        assert_int_equal(seat_owner_note(DIRECTORY, "12310", "cs123-b"), 0);
        mount_namespace();
        assert_true(seat_owner_is_other(DIRECTORY, "12310", "cs123-a"));
        assert_false(seat_owner_is_other(DIRECTORY, "12310", "cs123-b"));
        unmount_namespace();
}

/* What processes keep, netns@ leaves under the name of the seat. */
static void a_seat_that_is_down_keeps_its_owner_with_its_namespace_alone(void **state) {
        (void)state;
        assert_int_equal(seat_owner_note(DIRECTORY, "12310", "cs123-a"), 0);
        mount_namespace();
        seat_owner_forget(DIRECTORY, "12310");
        assert_true(seat_owner_is_other(DIRECTORY, "12310", "cs123-b"));
        unmount_namespace();
        seat_owner_forget(DIRECTORY, "12310");
        seat_owner_forget(DIRECTORY, "12310");
        mount_namespace();
        assert_false(seat_owner_is_other(DIRECTORY, "12310", "cs123-b"));
        unmount_namespace();
}

static void what_cannot_be_noted_is_an_error(void **state) {
        (void)state;
        assert_int_equal(seat_owner_note("/run/nowhere", "12310", "cs123-a"), -ENOENT);
}

static int set_up(void **state) {
        (void)state;
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || mkdir("/run/netns", 0755) < 0 ||
                mkdir(DIRECTORY, 0700) < 0)
                return -1;
        return close(open(FILE_OF_SEAT, O_WRONLY | O_CREAT | O_CLOEXEC, 0));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_namespace_is_the_last_user_s_until_it_is_gone),
                cmocka_unit_test(the_next_user_has_the_next_namespace),
                cmocka_unit_test(a_seat_that_is_down_keeps_its_owner_with_its_namespace_alone),
                cmocka_unit_test(what_cannot_be_noted_is_an_error),
        };

        return cmocka_run_group_tests_name("seat-owner", tests, set_up, NULL);
}
