/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Notes of logins: one file a user, and none for who is not ours. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "activator/fence-note.h"

static char root[] = "/tmp/coursenet-fence-XXXXXX";
static char directory[64];

static bool is_noted(const char *uid) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, uid);
        return access(path, F_OK) == 0;
}

static void the_first_note_makes_the_directory_for_root_alone(void **state) {
        struct stat st;

        (void)state;
        assert_int_not_equal(access(directory, F_OK), 0);
        fence_note(directory, 5001);
        assert_true(is_noted("5001"));
        assert_int_equal(stat(directory, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_second_note_of_the_same_user_changes_nothing(void **state) {
        char path[128];
        struct stat before, after;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/5002", directory);
        fence_note(directory, 5002);
        assert_int_equal(stat(path, &before), 0);
        fence_note(directory, 5002);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
        assert_int_equal(after.st_size, 0);
}

static void root_and_system_accounts_are_never_noted(void **state) {
        (void)state;
        fence_note(directory, 0);
        fence_note(directory, 999);
        fence_note(directory, (uid_t)-1);
        assert_false(is_noted("0"));
        assert_false(is_noted("999"));
        assert_false(is_noted("4294967295"));
}

static void a_place_that_takes_no_note_harms_nobody(void **state) {
        (void)state;
        fence_note("/proc/coursenet-no-such-place", 5003);
        assert_false(is_noted("5003"));
}

static int set_up(void **state) {
        (void)state;
        if (!mkdtemp(root))
                return -1;
        (void)snprintf(directory, sizeof(directory), "%s/fence", root);
        return 0;
}

static int tear_down(void **state) {
        char command[128];

        (void)state;
        (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
        return system(command);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_note_makes_the_directory_for_root_alone),
                cmocka_unit_test(a_second_note_of_the_same_user_changes_nothing),
                cmocka_unit_test(root_and_system_accounts_are_never_noted),
                cmocka_unit_test(a_place_that_takes_no_note_harms_nobody),
        };

        return cmocka_run_group_tests_name("fence-note", tests, set_up, tear_down);
}
