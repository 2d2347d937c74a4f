/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Only files that root alone can have written are read, and no other kind of file in their place makes a
 * reader wait.
 */

#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "trusted-file.h"

#define NAME "file"

/* A test that would hang is to end, as a failure. */
static int make_etc_and_alarm(void **state) {
        (void)alarm(20);
        return make_etc(state);
}

static void assert_refused(int error, const char *words) {
        char *text = (char *)"untouched";
        const char *reason = NULL;

        assert_int_equal(trusted_file_read(etc_path(NAME), &text, &reason), error);
        assert_string_equal(text, "untouched");
        assert_non_null(reason);
        if (!strstr(reason, words))
                fail_msg("refused because %s", reason);
}

static void assert_taken(const char *expected) {
        _cleanup_free_ char *text = NULL;
        const char *reason = NULL;

        if (trusted_file_read(etc_path(NAME), &text, &reason) < 0)
                fail_msg("refused because %s", reason);
        assert_string_equal(text, expected);
}

static void test_takes(void **state) {
        (void)state;
        write_file(NAME, "");
        assert_taken("");
        write_file(NAME, "one\ntwo");
        assert_taken("one\ntwo");
        assert_int_equal(chmod(etc_path(NAME), 0400), 0);
        assert_taken("one\ntwo");
}

static void test_missing(void **state) {
        (void)state;
        assert_refused(-ENOENT, "no such file");
}

static void test_modes(void **state) {
        static const mode_t modes[] = {0664, 0646, 0666, 0620, 0602, 0777};

        (void)state;
        write_file(NAME, "x");
        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                assert_int_equal(chmod(etc_path(NAME), modes[i]), 0);
                assert_refused(-EPERM, "chmod go-w");
        }
}

static void test_owner(void **state) {
        (void)state;
        write_file(NAME, "x");
        assert_int_equal(chown(etc_path(NAME), 65534, 0), 0);
        assert_refused(-EPERM, "owned by root");
}

/* The group may be anybody's, as long as it cannot write. */
static void test_group(void **state) {
        (void)state;
        write_file(NAME, "x");
        assert_int_equal(chown(etc_path(NAME), 0, 65534), 0);
        assert_taken("x");
}

static void test_symbolic_link(void **state) {
        (void)state;
        write_file("target", "x");
        assert_int_equal(symlink(etc_path("target"), etc_path(NAME)), 0);
        assert_refused(-ELOOP, "not a symbolic link");
        assert_int_equal(unlink(etc_path("target")), 0);
        assert_refused(-ELOOP, "not a symbolic link");
}

static void test_fifo_does_not_hang(void **state) {
        (void)state;
        assert_int_equal(mkfifo(etc_path(NAME), 0600), 0);
        assert_refused(-EINVAL, "regular file");
}

static void test_folder_and_device(void **state) {
        (void)state;
        assert_int_equal(mkdir(etc_path(NAME), 0755), 0);
        assert_refused(-EINVAL, "regular file");
        assert_int_equal(rmdir(etc_path(NAME)), 0);

        /* The device of /dev/zero, which never ends; not every sandbox lets root make one. */
        if (mknod(etc_path(NAME), S_IFCHR | 0600, (1 << 8) | 5) == 0)
                assert_refused(-EINVAL, "regular file");
}

static void test_socket(void **state) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)state;
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", etc_path(NAME));
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_refused(-ENXIO, "must be a regular file, not a socket");
}

static void test_size(void **state) {
        _cleanup_free_ char *large = malloc(TRUSTED_FILE_SIZE_MAX + 2);
        _cleanup_free_ char *text = NULL;
        const char *reason;

        (void)state;
        assert_non_null(large);
        memset(large, 'a', TRUSTED_FILE_SIZE_MAX + 1);

        write_bytes(NAME, large, TRUSTED_FILE_SIZE_MAX + 1);
        assert_refused(-EFBIG, "larger than 1 MiB");

        write_bytes(NAME, large, TRUSTED_FILE_SIZE_MAX);
        assert_int_equal(trusted_file_read(etc_path(NAME), &text, &reason), 0);
        assert_int_equal(strlen(text), TRUSTED_FILE_SIZE_MAX);
}

static void test_nul_bytes(void **state) {
        (void)state;
        write_bytes(NAME, "ab\0cd", 5);
        assert_refused(-EINVAL, "NUL bytes");
        write_bytes(NAME, "ab\0", 3);
        assert_refused(-EINVAL, "NUL bytes");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc_and_alarm, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_takes),
                TEST(test_missing),
                TEST(test_modes),
                TEST(test_owner),
                TEST(test_group),
                TEST(test_symbolic_link),
                TEST(test_fifo_does_not_hang),
                TEST(test_folder_and_device),
                TEST(test_socket),
                TEST(test_size),
                TEST(test_nul_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
