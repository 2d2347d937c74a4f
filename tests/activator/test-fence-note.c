/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Notes of logins: one file for each user, and none for other users. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "activator/request/fence-note.h"

static char root[] = "/tmp/coursenet-fence-XXXXXX";
static char directory[64];

static bool is_noted(const char *uid) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, uid);
        return access(path, F_OK) == 0;
}

static void assert_note(const char *uid, const char *expected) {
        char path[128], text[128] = "";
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, uid);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) < sizeof(text) - 1);
        (void)fclose(file);
        assert_string_equal(text, expected);
}

static void the_first_note_makes_the_directory_for_root_alone(void **state) {
        struct stat st;

        (void)state;
        assert_int_not_equal(access(directory, F_OK), 0);
        fence_note(directory, 5001, "cs123-newellz2");
        assert_true(is_noted("5001"));
        assert_int_equal(stat(directory, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_second_note_of_the_same_user_changes_nothing(void **state) {
        char path[128];
        struct stat before, after;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/5002", directory);
        fence_note(directory, 5002, "cs123-newellz2");
        assert_int_equal(stat(path, &before), 0);
        fence_note(directory, 5002, "cs123-newellz2");
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
        assert_note("5002", "cs123-newellz2\n");
}

static void a_note_says_whose_the_uid_is_now(void **state) {
        char path[128];
        int fd;

        (void)state;
        /* As it was before notes had names, and whatever a death in between left. */
        (void)snprintf(path, sizeof(path), "%s/5004", directory);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
        (void)snprintf(path, sizeof(path), "%s/.5004.new", directory);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        (void)close(fd);

        fence_note(directory, 5004, "cs123-amy");
        assert_note("5004", "cs123-amy\n");
        fence_note(directory, 5004, "cs123-am");
        assert_note("5004", "cs123-am\n");
        assert_int_not_equal(access(path, F_OK), 0);
}

static void what_is_no_name_is_noted_by_its_uid(void **state) {
        (void)state;
        fence_note(directory, 5005, "");
        assert_note("5005", "");
        fence_note(directory, 5006, "cs123-a b\nc");
        assert_note("5006", "");
}

static void root_and_system_accounts_are_never_noted(void **state) {
        (void)state;
        fence_note(directory, 0, "cs123-newellz2");
        fence_note(directory, 999, "cs123-newellz2");
        fence_note(directory, (uid_t)-1, "cs123-newellz2");
        assert_false(is_noted("0"));
        assert_false(is_noted("999"));
        assert_false(is_noted("4294967295"));
}

static void a_place_that_takes_no_note_harms_nobody(void **state) {
        (void)state;
        fence_note("/proc/coursenet-no-such-place", 5003, "cs123-newellz2");
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
                cmocka_unit_test(a_note_says_whose_the_uid_is_now),
                cmocka_unit_test(what_is_no_name_is_noted_by_its_uid),
                cmocka_unit_test(root_and_system_accounts_are_never_noted),
                cmocka_unit_test(a_place_that_takes_no_note_harms_nobody),
        };

        return cmocka_run_group_tests_name("fence-note", tests, set_up, tear_down);
}
