/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The whole program against an activator that may say anything, in a private view of the machine: see
 * run-child.h, fake-query.h and the sandbox of the module's tests. Run as root.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "fake-query.h"

#include "enter/enter.h"

#define PLAIN_FILE "/run/plain"
#define OTHER_NAMESPACE "/run/uts"
#define OWN_NAMESPACE "readlink /proc/self/ns/net"

static ino_t seat_namespace;

/* --- running it ------------------------------------------------------------------------------ */

struct run {
        const char *words[8]; /* the arguments behind the program's name */
        bool no_capability, no_new_privileges, inside, stdio_closed;
        const char *variable, *value; /* one of the environment */
        const char *terminal;         /* standard input; NULL: none */
};

static int call_enter(void *userdata) {
        const struct run *run = userdata;
        char *argv[ELEMENTSOF(run->words) + 2] = {(char *)(uintptr_t) "coursenet-enter"};
        int argc = 1, seat;

        for (size_t i = 0; i < ELEMENTSOF(run->words) && run->words[i]; i++)
                argv[argc++] = (char *)(uintptr_t)run->words[i];
        if (run->inside) {
                seat = open(SANDBOX_SEAT, O_RDONLY | O_CLOEXEC);
                must(setns(seat, CLONE_NEWNET) == 0 && close(seat) == 0, "join the seat");
        }
        must(clearenv() == 0 && setenv("PATH", "/usr/bin:/bin", 1) == 0, "the environment");
        if (run->variable)
                must(setenv(run->variable, run->value, 1) == 0, "the environment");
        if (run->no_new_privileges)
                must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no new privileges");
        /* What the test was started with is not at issue. */
        must(close_range(STDERR_FILENO + 1, ~0U, 0) == 0, "close_range");
        if (run->terminal) {
                int terminal = open(run->terminal, O_RDWR | O_NOCTTY | O_CLOEXEC);

                must(terminal >= 0 && dup2(terminal, STDIN_FILENO) >= 0, run->terminal);
        }
        become_user(STUDENT_UID, !run->no_capability);
        for (int fd = 0; run->stdio_closed && fd <= STDERR_FILENO; fd++)
                (void)close(fd);
        return enter(argc, argv);
}

static struct child_result run(const struct run *run) {
        return run_child(call_enter, (void *)(uintptr_t)run);
}

static void assert_result(const struct child_result *result, int status, const char *output) {
        if (result->status != status || !string_equal(result->output, output))
                fail_msg("status %d, expected %d; output:\n%s", result->status, status, result->output);
}

/* One sentence on stderr, that has this part. */
static void assert_refused(const struct child_result *result, int status, const char *part) {
        const char *newline = strchr(result->output, '\n');

        if (result->status != status || !string_starts_with(result->output, "coursenet-enter: ") ||
                !strstr(result->output, part) || !newline || newline[1] != '\0')
                fail_msg("status %d, expected %d; output without \"%s\":\n%s", result->status, status, part,
                        result->output);
}

static const char *seat_link(void) {
        static char text[64];

        (void)snprintf(text, sizeof(text), "net:[%lu]\n", (unsigned long)seat_namespace);
        return text;
}

#define RUN(...) run(&(const struct run){.words = {__VA_ARGS__}})

/* --- tests ----------------------------------------------------------------------------------- */

static void test_joins(void **state) {
        struct child_result result = RUN("--seat", "--", "readlink", "/proc/self/ns/net");

        (void)state;
        assert_result(&result, 0, seat_link());
        assert_int_equal(fake->n_requests, 1);
        assert_int_equal(fake->request.type, REQUEST_ENTER);
        assert_int_equal(fake->request.flags, 0);
        assert_true(fake->pidfd_of_peer);
        /* Nothing says who it is: the kernel does. */
        assert_string_equal(fake->request.user, "");
        assert_string_equal(fake->request.service, "");
        assert_int_equal(fake->request.uid, 0);
        assert_int_equal(strspn(fake->request.lease, "0123456789abcdef"), TOKEN_SIZE - 1);
}

/* The process that asked is the one that becomes the command. */
static void test_same_process(void **state) {
        struct child_result result = RUN("--seat", "-c", "echo $$");
        char text[32];

        (void)state;
        (void)snprintf(text, sizeof(text), "%d\n", fake->peer);
        assert_result(&result, 0, text);
}

static void test_privileges_are_gone(void **state) {
        struct child_result result = RUN("--seat", "-c",
                "grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs):' /proc/self/status | tr -d '\\t\\n'");

        (void)state;
        assert_result(&result, 0,
                "CapInh:0000000000000000CapPrm:0000000000000000CapEff:0000000000000000"
                "CapAmb:0000000000000000NoNewPrivs:0");
}

static void test_exit_statuses(void **state) {
        struct child_result result;

        (void)state;
        result = RUN("--seat", "-c", "exit 42");
        assert_result(&result, 42, "");
        result = RUN("--seat", "--", "no-such-command");
        assert_refused(&result, 127, "Cannot run no-such-command: No such file");
        result = RUN("--seat", "--", "/etc/passwd");
        assert_refused(&result, 126, "Cannot run /etc/passwd: Permission denied");
        result = RUN("--seat", "--", "\033[31m");
        assert_refused(&result, 127, "Cannot run ?[31m");
        result = RUN("ls");
        assert_int_equal(result.status, 2);
        result = RUN("--help");
        assert_int_equal(result.status, 0);
}

static void test_inside_needs_no_capability(void **state) {
        struct child_result result = run(&(const struct run){
                .words = {"--seat", "-c", OWN_NAMESPACE}, .inside = true, .no_capability = true});

        (void)state;
        assert_result(&result, 0, seat_link());
        assert_int_equal(fake->n_requests, 1);
}

static void test_no_capability(void **state) {
        struct child_result result;

        (void)state;
        result = run(&(const struct run){.words = {"--seat", "--", "true"}, .no_capability = true});
        assert_refused(&result, 1, "setcap cap_sys_admin=p");
        result = run(&(const struct run){
                .words = {"--seat", "--", "true"}, .no_capability = true, .no_new_privileges = true});
        assert_refused(&result, 1, "NoNewPrivileges");
}

static void test_environment(void **state) {
        static const char print[] = "echo $COURSENET_COURSE $COURSENET_SEAT $COURSENET_ADDRESS";
        struct child_result result;

        (void)state;
        /* What the caller says of a seat is overwritten, not believed. */
        result = run(&(const struct run){
                .words = {"--seat", "-c", print}, .variable = "COURSENET_SEAT", .value = "12311"});
        assert_result(&result, 0, "123 12310 10.0.123.10\n");
}

static void test_original_command(void **state) {
        struct child_result result;

        (void)state;
        result = run(&(const struct run){.words = {"--seat"},
                .variable = "SSH_ORIGINAL_COMMAND",
                .value = "echo one; echo \"[$SSH_ORIGINAL_COMMAND]\""});
        assert_result(&result, 0, "one\n[]\n");
        result = run(&(const struct run){.words = {"--seat", "-c", "echo \"[$SSH_ORIGINAL_COMMAND]\""},
                .variable = "SSH_ORIGINAL_COMMAND",
                .value = "echo one"});
        assert_result(&result, 0, "[echo one]\n");
}

static void test_shell(void **state) {
        struct child_result result;

        (void)state;
        result = run(&(const struct run){.words = {"--seat"}, .variable = "SHELL", .value = "/usr/bin/env"});
        assert_int_equal(result.status, 0);
        assert_non_null(strstr(result.output, "COURSENET_SEAT=12310\n"));
        /* Itself, or no absolute path: then the account's, which is /bin/sh, and ends at end of file. */
        result = run(&(const struct run){
                .words = {"--seat"}, .variable = "SHELL", .value = "/usr/bin/coursenet-enter"});
        assert_result(&result, 0, "");
        result = run(&(const struct run){.words = {"--seat"}, .variable = "SHELL", .value = "env"});
        assert_result(&result, 0, "");
}

/* The container's runtime is not here; what would be run is test-command.c's. */
static void test_container_without_runtime(void **state) {
        struct child_result result = run(
                &(const struct run){.words = {"--", "true"}, .variable = "PATH", .value = "/run/student"});

        (void)state;
        if (access("/usr/bin/apptainer", F_OK) == 0 || access("/usr/bin/singularity", F_OK) == 0)
                skip();
        assert_refused(&result, 1, "Neither apptainer nor singularity is installed");
        assert_int_equal(fake->request.flags, REQUEST_WAIT_CONTAINER);
}

/* What it runs is a stand-in in a folder that the machine's own runtimes come before. */
static void test_container_that_does_not_run(void **state) {
        static const char runtime[] = "/usr/local/bin/apptainer";
        struct child_result result;
        FILE *file;

        (void)state;
        if (access("/usr/bin/apptainer", F_OK) == 0)
                skip();
        assert_return_code(mount("tmpfs", "/usr/local/bin", "tmpfs", 0, "mode=755"), errno);
        file = fopen(runtime, "we");
        assert_non_null(file);
        assert_true(fputs("#!/bin/sh\necho \"$*\"\n", file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_return_code(chmod(runtime, 0755), errno);
        result = RUN("--", "true");
        assert_return_code(umount("/usr/local/bin"), errno);
        assert_int_equal(result.status, 0);
        assert_non_null(strstr(result.output, "coursenet-enter: The container of seat 12310 does not run"));
        assert_non_null(strstr(result.output, "\nexec instance://inst-12310 true\n"));
}

/* On it the user reads that an administrator has stopped the seat. */
static void test_terminal(void **state) {
        int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct child_result result;
        char name[64];

        (void)state;
        assert_true(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
        assert_int_equal(ptsname_r(fd, name, sizeof(name)), 0);
        result = run(&(const struct run){.words = {"--seat", "--", "true"}, .terminal = name});
        assert_int_equal(result.status, 0);
        assert_string_equal(fake->request.tty, name);
        (void)close(fd);
}

static void test_closed_stdio(void **state) {
        struct child_result result = run(&(const struct run){
                .words = {"--seat", "-c",
                        "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | cat >/run/student/fds"},
                .stdio_closed = true});
        char text[256] = "";
        FILE *file;

        (void)state;
        assert_int_equal(result.status, 0);
        file = fopen("/run/student/fds", "re");
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
        (void)fclose(file);
        assert_string_equal(text, "/dev/null\n/dev/null\n/dev/null\n");
}

/* A refusal goes nowhere then, and least of all into a socket or a namespace that got the number 2. */
static void test_refusal_with_closed_stdio(void **state) {
        struct child_result result =
                run(&(const struct run){.words = {"--seat", "--", "no-such"}, .stdio_closed = true});

        (void)state;
        assert_result(&result, 127, "");
}

static int count_open(void *userdata) {
        (void)userdata;
        for (int fd = 0; fd < 3; fd++)
                (void)close(fd);
        return enter_open_stdio() == 0 && fcntl(0, F_GETFD) == 0 && fcntl(1, F_GETFD) == 0 &&
                               fcntl(2, F_GETFD) == 0
                       ? 0
                       : 1;
}

static void test_stdio_open(void **state) {
        (void)state;
        assert_int_equal(run_child(count_open, NULL).status, 0);
}

/* Only the three, and the one with which ls reads the folder. */
static void test_no_descriptor_leaks(void **state) {
        struct child_result result = RUN("--seat", "--", "ls", "/proc/self/fd");

        (void)state;
        assert_result(&result, 0, "0\n1\n2\n3\n");
}

static void test_foreign_namespaces(void **state) {
        static const struct {
                const char *path, *part;
                int status;
        } rows[] = {
                {PLAIN_FILE, "is no namespace", 1},
                {"/dev/null", "is no namespace", 1},
                {"/run", "is no namespace", 1},
                {OTHER_NAMESPACE, "is a namespace of another kind", 1},
                {NULL, "has an invalid seat", 1},
        };
        struct child_result result;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                fake->fds[0] = rows[i].path;
                result = RUN("--seat", "--", "echo", "inside");
                assert_refused(&result, rows[i].status, rows[i].part);
        }
        /* Two descriptors. */
        fake_reset();
        fake->fds[1] = SANDBOX_SEAT;
        result = RUN("--seat", "--", "echo", "inside");
        assert_refused(&result, 3, "is of another version");
}

static void test_bad_answers(void **state) {
        static const struct {
                const char *course, *seat;
        } rows[] = {
                {"123", "../12310"},
                {"123", "12310x"},
                {"123", ""},
                {"123", "123"},
                {"", "12310"},
                {"12x", "12x10"},
                {"377", "12310"},
                {"123", "1231012310123"},
        };
        struct child_result result;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                fake_reset();
                protocol_copy_text(fake->reply.course, sizeof(fake->reply.course), rows[i].course);
                protocol_copy_text(fake->reply.seat, sizeof(fake->reply.seat), rows[i].seat);
                result = RUN("--seat", "--", "echo", "inside");
                assert_refused(&result, 1, "has an invalid seat");
        }
        fake_reset();
        fake->reply.magic++;
        result = RUN("--seat", "--", "echo", "inside");
        assert_refused(&result, 3, "is of another version");
        fake_reset();
        fake->reply_size++;
        result = RUN("--seat", "--", "echo", "inside");
        assert_refused(&result, 3, "is of another version");
}

static void test_refusals(void **state) {
        static const struct {
                enum reply_type type;
                const char *part;
        } rows[] = {
                {REPLY_NO_SEAT, "You have no seat: as the text says."},
                {REPLY_NO_NAME, "You have no seat: as the text says."},
                {REPLY_REFUSED, "Refused: as the text says."},
                {REPLY_FAILED, "Your seat did not come up: as the text says."},
                {REPLY_TIMEOUT, "Your seat did not come up in time: as the text says."},
                {REPLY_NOT_HERE, "coursenet-enter: as the text says"},
                {REPLY_NO_CONTAINER, "Your seat came up, but its container did not: as the text says."},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct child_result result;

                /* A refusal that brings a namespace is still a refusal. */
                fake->reply.type = (uint16_t)rows[i].type;
                protocol_copy_text(fake->reply.text, sizeof(fake->reply.text), "as the text says");
                result = RUN("--seat", "--", "echo", "inside");
                assert_refused(&result, 1, rows[i].part);
        }
}

static void test_visit(void **state) {
        struct child_result result = RUN("--seat-of", "12310", "--", "readlink", "/proc/self/ns/net");
        char name[USER_NAME_SIZE + 1] = "";

        (void)state;
        assert_result(&result, 0, seat_link());
        assert_int_equal(fake->request.type, REQUEST_VISIT);
        assert_string_equal(fake->request.user, "12310");
        fake->reply.type = REPLY_REFUSED;
        protocol_copy_text(fake->reply.text, sizeof(fake->reply.text), "as the text says");
        result = RUN("--seat-of", "12310", "--", "echo", "inside");
        assert_refused(&result, 1, "Cannot enter the network of 12310: as the text says.");
        memset(name, 'a', sizeof(name) - 1);
        result = RUN("--seat-of", name, "--", "echo", "inside");
        assert_refused(&result, 1, "is too long for a student or a seat.");
}

/* The activator restarts, or has too many of this user's connections. */
static void test_tries_again(void **state) {
        struct child_result result;

        (void)state;
        fake->hang_ups = 3;
        result = RUN("--seat", "--", "readlink", "/proc/self/ns/net");
        assert_result(&result, 0, seat_link());
}

static void test_no_activator(void **state) {
        struct child_result result = RUN("--seat", "--", "echo", "inside");

        (void)state;
        assert_refused(&result, 3, "cannot be reached (" QUERY_SOCKET "): No such file");
}

static void test_impostor(void **state) {
        struct child_result result;
        pid_t pid;

        (void)state;
        fake_reset();
        pid = fake_start(STUDENT_UID);
        result = RUN("--seat", "--", "echo", "inside");
        fake_stop(pid);
        assert_refused(&result, 3, "is not the activator");
        assert_int_equal(fake->n_requests, 0);
}

/* The module and coursenetctl want no descriptor: what comes is closed. */
static void test_client_keeps_no_descriptor(void **state) {
        unsigned before = count_descriptors();
        struct request request;
        struct reply reply;

        (void)state;
        request_init(&request, REQUEST_STATUS);
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(
                        activator_call(QUERY_SOCKET, &request, -1, deadline_after_ms(5000), &reply), 0);
        assert_int_equal(count_descriptors(), before);
}

/* --- what every test starts and ends with ---------------------------------------------------- */

static pid_t fake_pid;

static int with_fake(void **state) {
        (void)state;
        fake_reset();
        fake_pid = fake_start(0);
        return 0;
}

static int without_fake(void **state) {
        (void)state;
        fake_stop(fake_pid);
        return 0;
}

static int set_up(void **state) {
        struct stat st;

        (void)state;
        sandbox_enter();
        must(mkdir("/run/student", 0755) == 0 && chown("/run/student", STUDENT_UID, STUDENT_UID) == 0,
                "/run/student");
        write_file(PLAIN_FILE, "", "plain");
        make_namespace(CLONE_NEWUTS, "uts", OTHER_NAMESPACE);
        must(stat(SANDBOX_SEAT, &st) == 0, SANDBOX_SEAT);
        seat_namespace = st.st_ino;
        fake_create();
        return 0;
}

#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, with_fake, without_fake)

int main(void) {
        const struct CMUnitTest tests[] = {
                WITH_FAKE(test_joins),
                WITH_FAKE(test_same_process),
                WITH_FAKE(test_privileges_are_gone),
                WITH_FAKE(test_exit_statuses),
                WITH_FAKE(test_inside_needs_no_capability),
                WITH_FAKE(test_no_capability),
                WITH_FAKE(test_environment),
                WITH_FAKE(test_original_command),
                WITH_FAKE(test_shell),
                WITH_FAKE(test_container_without_runtime),
                WITH_FAKE(test_container_that_does_not_run),
                WITH_FAKE(test_terminal),
                WITH_FAKE(test_closed_stdio),
                WITH_FAKE(test_refusal_with_closed_stdio),
                cmocka_unit_test(test_stdio_open),
                WITH_FAKE(test_no_descriptor_leaks),
                WITH_FAKE(test_foreign_namespaces),
                WITH_FAKE(test_bad_answers),
                WITH_FAKE(test_refusals),
                WITH_FAKE(test_visit),
                WITH_FAKE(test_tries_again),
                cmocka_unit_test(test_no_activator),
                cmocka_unit_test(test_impostor),
                WITH_FAKE(test_client_keeps_no_descriptor),
        };

        return cmocka_run_group_tests(tests, set_up, NULL);
}
