/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reason that a failed start reports: the last error of the runtime, or the error of the image. */

#include "container-image.h"
#include "container.h"
#include "container/report.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

/* Its output would otherwise mix with the results of this program. */
static int run_quietly(const char *const *arguments, int *ret_status, char *error, size_t size) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        int standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        int r;

        assert_true(null >= 0 && standard_error >= 0);
        assert_return_code(dup2(null, STDERR_FILENO), errno);
        r = report_run(arguments, ret_status, error, size);
        assert_return_code(dup2(standard_error, STDERR_FILENO), errno);
        assert_int_equal(close(null) + close(standard_error), 0);
        return r;
}

static void assert_last_error(const char *script, const char *expected) {
        const char *const arguments[] = {"/bin/sh", "-c", script, NULL};
        char error[64] = "unset";
        int status;

        assert_int_equal(run_quietly(arguments, &status, error, sizeof(error)), 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3);
        assert_string_equal(error, expected);
}

static void test_the_last_error_of_a_program_is_told(void **state) {
        (void)state;
        assert_last_error(
                "echo 'INFO: x' >&2; echo 'FATAL:   while a: no space' >&2; exit 3", "while a: no space");
        assert_last_error("echo 'ERROR  : one' >&2; printf 'FATAL: two' >&2; exit 3", "two");
        assert_last_error("exit 3", "");
        /* Cut to size. */
        assert_last_error("printf 'FATAL: %0100d' 1 >&2; exit 3",
                "000000000000000000000000000000000000000000000000000000000000000");
}

static void test_what_lives_on_with_standard_error_is_not_waited_for(void **state) {
        time_t began = time(NULL);

        (void)state;
        assert_last_error("sleep 20 >/dev/null & echo 'FATAL: x' >&2; exit 3", "x");
        assert_true(time(NULL) - began < 15);
}

static void test_a_program_that_is_not_there(void **state) {
        const char *const arguments[] = {"/nonexistent", NULL};
        char error[8];
        int status;

        (void)state;
        assert_int_equal(report_run(arguments, &status, error, sizeof(error)), -ENOENT);
}

static void assert_image(const char *name, enum image_verdict expected, const char *expected_reason) {
        char path[256], reason[IMAGE_REASON_SIZE] = "untouched";

        (void)snprintf(path, sizeof(path), "%s/%s", etc, name);
        assert_int_equal(image_examine(path, reason), expected);
        assert_string_equal(reason, expected_reason);
}

static void test_images(void **state) {
        (void)state;
        write_file("good.sif", "0123456789abcdef0123456789abcdefSIF_MAGIC and more");
        write_file("good.sqfs", "hsqs and more");
        write_file("launched.sqfs", "#!/usr/bin/env run-singularity\n");
        write_file("garbage", "garbage\n");
        write_file("empty", "");
        assert_return_code(mkdir(etc_path("sandbox"), 0755), errno);
        assert_return_code(mkdir(etc_path("sandbox/.singularity.d"), 0755), errno);
        write_file("sandbox/.singularity.d/actions/exec", "");
        write_file("folder/bin", "");
        assert_image("good.sif", IMAGE_GOOD, "untouched");
        assert_image("good.sqfs", IMAGE_GOOD, "untouched");
        assert_image("launched.sqfs", IMAGE_GOOD, "untouched");
        assert_image("sandbox", IMAGE_GOOD, "untouched");
        assert_image("none", IMAGE_MISSING, "does not exist");
        assert_image("garbage/none", IMAGE_MISSING, "does not exist");
        assert_image("garbage", IMAGE_WRONG, "is no container image: neither SIF, squashfs nor ext3");
        assert_image("empty", IMAGE_WRONG, "is no container image: neither SIF, squashfs nor ext3");
        assert_image("folder", IMAGE_WRONG,
                "is no container image: make one of the folder by `apptainer build --sandbox`");
}

static void assert_failure(const char *status, const char *result, const char *expected) {
        char text[CONTAINER_FAILURE_SIZE];

        container_format_failure(status, result, text);
        assert_string_equal(text, expected);
}

static void test_a_failure_is_one_line_whoever_wrote_it(void **state) {
        (void)state;
        assert_failure("The image /x does not exist", "exit-code", "The image /x does not exist");
        assert_failure("evil \x1b[2J\n", "exit-code", "evil ?[2J?");
        assert_failure("", "timeout", "it did not start in time");
        assert_failure("", "exit-code", "its unit failed before it could say why (exit-code)");
        assert_failure("", "", "its unit failed before it could say why (unknown)");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_the_last_error_of_a_program_is_told),
                TEST(test_what_lives_on_with_standard_error_is_not_waited_for),
                TEST(test_a_program_that_is_not_there),
                TEST(test_images),
                TEST(test_a_failure_is_one_line_whoever_wrote_it),
        };

        return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
