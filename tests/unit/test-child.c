/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs are started with the streams that the caller wants. */

#include "fixture.h"

#include <fcntl.h>

#include "child.h"

static int run(const char *const *arguments, const struct child_streams *streams, char *const *environment) {
        pid_t pid;
        int status;

        assert_int_equal(child_spawn(arguments, streams, environment, &pid), 0);
        assert_int_equal(child_wait(pid, &status), 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_streams(void **state) {
        const char *const arguments[] = {"sh", "-c", "cat; echo out; echo error >&2", NULL};
        struct child_streams streams = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        char text[64] = {0};
        int ends[2];

        (void)state;
        /* The error stream is not the pipe, and the input is empty. */
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        streams.output = ends[1];
        assert_int_equal(run(arguments, &streams, NULL), 0);
        assert_int_equal(close(ends[1]), 0);
        assert_int_equal(read(ends[0], text, sizeof(text) - 1), 4);
        assert_string_equal(text, "out\n");
        assert_int_equal(read(ends[0], text, sizeof(text) - 1), 0);
        assert_int_equal(close(ends[0]), 0);
}

static void test_environment(void **state) {
        const char *const arguments[] = {"/bin/sh", "-c", "test \"$ONE\" = 1 && test -z \"$HOME\"", NULL};
        char one[] = "ONE=1", *environment[] = {one, NULL};

        (void)state;
        assert_int_equal(setenv("HOME", "/root", 1), 0);
        assert_int_equal(run(arguments, &CHILD_INHERITS, environment), 0);
        assert_int_equal(run(arguments, &CHILD_INHERITS, NULL), 1);
}

static void test_output_is_read_from_its_beginning(void **state) {
        /* More than a pipe holds. */
        const char *const arguments[] = {"sh", "-c", "printf 'first\n'; printf '%0100000d' 1; exit 3", NULL};
        const struct child_streams streams = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        _cleanup_fclose_ FILE *output = NULL;
        char line[16];
        int status;

        (void)state;
        assert_int_equal(child_read(arguments, &streams, &status, &output), 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3);
        assert_non_null(fgets(line, sizeof(line), output));
        assert_string_equal(line, "first\n");
        assert_int_equal(fseek(output, 0, SEEK_END), 0);
        assert_int_equal(ftell(output), 6 + 100000);
}

static void test_no_program(void **state) {
        const char *const arguments[] = {"/no/such/program", NULL};
        pid_t pid;

        (void)state;
        assert_int_equal(child_spawn(arguments, &CHILD_INHERITS, NULL, &pid), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_environment),
                cmocka_unit_test(test_output_is_read_from_its_beginning),
                cmocka_unit_test(test_no_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
