/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process can do in the sandbox of coursenet-calendar, and what the program does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "calendar/sandbox.h"
#include "util.h"

/* --- system calls ---------------------------------------------------------------------------- */

static int make_socket(void) {
        return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int run_program(void) {
        return execl("/bin/true", "true", (char *)NULL);
}

static int write_file(void) {
        return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int make_file(void) {
        return open("/tmp/coursenet-sandbox", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int remove_file(void) {
        return unlink("/tmp/coursenet-sandbox");
}

static int signal_parent(void) {
        return kill(getppid(), 0);
}

static int raise_limit(void) {
        return setrlimit(RLIMIT_CPU, &(const struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

static int read_file(void) {
        return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

struct attempt {
        int (*operation)(void);
        int results[2], silence[2]; /* pipes; nobody writes to the second */
};

/* The filter is this thread's only. The other one ends the process, with calls that are not allowed here. */
static void *attempt_in_sandbox(void *userdata) {
        const struct attempt *attempt = userdata;
        bool closed = sandbox_limit() >= 0 && sandbox_close() >= 0;
        unsigned char result = !closed ? 255 : attempt->operation() < 0 ? (unsigned char)errno : 0;
        char nothing;

        (void)!write(attempt->results[1], &result, 1);
        (void)!read(attempt->silence[0], &nothing, 1);
        return NULL;
}

/* The errno of an operation in the sandbox; 0: it was done. */
static int try(int (*operation)(void)) {
        pid_t pid = fork();
        int status;

        assert_return_code(pid, errno);
        if (pid == 0) {
                struct attempt attempt = {.operation = operation};
                unsigned char result = 254;
                pthread_t thread;

                if (pipe(attempt.results) == 0 && pipe(attempt.silence) == 0 &&
                        pthread_create(&thread, NULL, attempt_in_sandbox, &attempt) == 0)
                        (void)!read(attempt.results[0], &result, 1);
                _exit(result);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_a_process_in_the_sandbox_can_only_read(void **state) {
        static int (*const refused[])(void) = {
                make_socket, run_program, write_file, make_file, remove_file, signal_parent, raise_limit};

        (void)state;
        assert_int_equal(try(read_file), 0);
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                assert_int_equal(try(refused[i]), EPERM);
}

static void test_limits(void **state) {
        pid_t pid = fork();
        int status;

        (void)state;
        assert_return_code(pid, errno);
        if (pid == 0) {
                struct rlimit cpu, output;

                if (sandbox_limit() < 0 || getrlimit(RLIMIT_CPU, &cpu) < 0 ||
                        getrlimit(RLIMIT_FSIZE, &output) < 0)
                        _exit(1);
                _exit(cpu.rlim_cur == 3 && output.rlim_cur == 8 << 20 ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* --- the program ----------------------------------------------------------------------------- */

/* The caller frees what it prints. */
static char *run(const char *input, const char *arguments, int *ret_status) {
        char command[512];
        char *text = NULL;
        size_t size = 0;
        FILE *output;

        (void)setenv("TIMETABLE", input, 1);
        (void)snprintf(command, sizeof(command),
                "printf '%%s' \"$TIMETABLE\" | " BUILD_DIRECTORY "/coursenet-calendar %s 2>&1", arguments);
        output = popen(command, "re");
        assert_non_null(output);
        if (getdelim(&text, &size, '\0', output) < 0)
                text[0] = '\0';
        *ret_status = pclose(output);
        return text;
}

static void test_program(void **state) {
        static const struct {
                const char *input, *output;
        } rows[] = {
                {"", "mistake 0 the file is empty\n"},
                {"BEGIN:VCALENDAR\nEND:VCALENDAR\n", ""},
                {"BEGIN:VCALENDAR\nwhat\nEND:VCALENDAR\n", "mistake 2 expected NAME:VALUE\n"},
                {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:20261019T090000\nDURATION:PT1H\n"
                 "SUMMARY:First\\nsecond\nEND:VEVENT\nEND:VCALENDAR\n",
                        "class 1792393200 1792396800 First second\n"},
                /* A zone for which ICU is asked. */
                {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=W. Europe Standard Time:20261019T090000\n"
                 "DURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n",
                        "class 1792393200 1792396800 \n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *output = NULL;
                int status;

                output = run(rows[i].input, "1790812800 1822348800", &status);
                assert_string_equal(output, rows[i].output);
                assert_int_equal(status, 0);
        }
}

/* At most 100 bytes, and no part of a character. */
static void test_long_names_are_cut(void **state) {
        char input[1024] =
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261019T070000Z\nDURATION:PT1H\nSUMMARY:x",
             expected[256] = "class 1792393200 1792396800 x";
        _cleanup_free_ char *output = NULL;
        int status;

        (void)state;
        for (unsigned i = 0; i < 80; i++)
                (void)strcat(input, "ü");
        for (unsigned i = 0; i < 49; i++)
                (void)strcat(expected, "ü");
        (void)strcat(input, "\nEND:VEVENT\nEND:VCALENDAR\n");
        (void)strcat(expected, "\n");
        output = run(input, "1790812800 1822348800", &status);
        assert_string_equal(output, expected);
}

static void test_usage(void **state) {
        _cleanup_free_ char *output = NULL;
        int status;

        (void)state;
        output = run("", "1", &status);
        assert_non_null(strstr(output, "usage: coursenet-calendar FROM UNTIL <TIMETABLE\n"));
        assert_int_equal(WEXITSTATUS(status), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_process_in_the_sandbox_can_only_read),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_program),
                cmocka_unit_test(test_long_names_are_cut),
                cmocka_unit_test(test_usage),
        };

        return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
