/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What `coursenetctl exam` says of the other servers, with a stand-in for coursenet-hosts. */

#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "exam/exam-share.h"
#include "hosts-protocol.h"

static int listen_here(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(string_copy(address.sun_path, sizeof(address.sun_path), etc_path("hosts.sock")), 0);
        assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_return_code(listen(fd, 1), errno);
        return fd;
}

/* Runs in a child: answers one request. */
static void serve(int listen_fd, const struct hosts_reply *reply) {
        struct hosts_request request;
        int fd = accept(listen_fd, NULL, NULL);
        bool good = recv(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request) &&
                    hosts_request_check(&request, sizeof(request)) >= 0 && request.verb == HOSTS_EXAM &&
                    string_equal(request.course, "123");

        _exit(good && send(fd, reply, sizeof(*reply), 0) == (ssize_t)sizeof(*reply) ? 0 : 1);
}

/* Runs in a child, whose output goes to a file. */
static void tell(bool begins) {
        const struct paths paths = {.etc = etc, .hosts_socket = etc_path("hosts.sock")};
        int r;

        if (!freopen(etc_path("said"), "we", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
                _exit(99);
        r = exam_tell_others(&paths, "123", begins);
        (void)fflush(NULL);
        _exit(r);
}

static int wait_for(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* reply: NULL: nobody listens. Returns the exit code; what is said must have the words. */
static int run(const struct hosts_reply *reply, bool begins, const char *words) {
        int fd = reply ? listen_here() : -1, r;
        _cleanup_free_ char *said = NULL;
        pid_t server = reply ? fork() : -1, client;

        if (server == 0)
                serve(fd, reply);
        client = fork();
        if (client == 0)
                tell(begins);
        r = wait_for(client);
        if (reply) {
                assert_int_equal(wait_for(server), 0);
                (void)close(fd);
                (void)unlink(etc_path("hosts.sock"));
        }
        said = read_whole("said");
        if (!strstr(said, words))
                fail_msg("'%s' is not in: %s", words, said);
        return r;
}

static struct hosts_reply done(const char *names, uint32_t n_up) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, HOSTS_DONE, 1);
        protocol_copy_text(reply.text, sizeof(reply.text), names);
        reply.number = n_up;
        return reply;
}

static void test_everywhere(void **state) {
        struct hosts_reply reply = done("", 0);

        (void)state;
        assert_int_equal(run(&reply, true, "It is in force on all servers"), EXIT_DONE);
        assert_int_equal(run(&reply, false, "It has ended on all servers"), EXIT_DONE);
}

static void test_some_are_down(void **state) {
        struct hosts_reply reply = done("hostb hostc", 0);

        (void)state;
        assert_int_equal(
                run(&reply, true,
                        "get the exam before any seat of the course is up there again: hostb, hostc"),
                EXIT_DONE);
        assert_int_equal(run(&reply, false, "get its end before"), EXIT_DONE);
}

static void test_one_is_late(void **state) {
        struct hosts_reply reply = done("hostb hostc", 1);

        (void)state;
        assert_int_equal(
                run(&reply, true, "The exam is in force on this server, but NOT YET on: hostb, hostc."),
                EXIT_NO);
        assert_int_equal(
                run(&reply, false, "The exam has ended on this server, but NOT YET on: hostb"), EXIT_NO);
}

static void test_without_the_store(void **state) {
        struct hosts_reply reply;

        (void)state;
        hosts_reply_init(&reply, HOSTS_REFUSED, 1);
        reply.reason = HOSTS_NO_STORE;
        protocol_copy_text(reply.text, sizeof(reply.text), "hosta is alone");
        assert_int_equal(
                run(&reply, true,
                        "The exam is in force on this server ONLY: hosta is alone. The others get it when"),
                EXIT_NO);
        assert_int_equal(run(NULL, false, "systemctl start coursenet-hosts.service"), EXIT_NO);
}

static void test_which_courses(void **state) {
        const struct paths paths = {.etc = etc, .state = etc};

        (void)state;
        write_file("coursenet.conf",
                "[site]\nnetwork6 = off\n[hosts]\nmembers = hosta=192.0.2.1\nstore = http://127.0.0.1:2379\n"
                "host-name = hosta\n[course 123]\nspread = yes\n");
        assert_true(exam_may_be_shared(&paths, "123"));
        assert_false(exam_may_be_shared(&paths, "124"));
        write_file("coursenet.conf", "[site]\n");
        assert_false(exam_may_be_shared(&paths, "123"));
        /* With a mistake, only one that was shared before. */
        write_file("coursenet.conf", "[site]\nisolation = perhaps\n");
        assert_false(exam_may_be_shared(&paths, "123"));
        write_file("exam/123.changed", "7\n");
        assert_true(exam_may_be_shared(&paths, "123"));
}

#define IN_ETC(test) cmocka_unit_test_setup_teardown(test, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                IN_ETC(test_everywhere),
                IN_ETC(test_some_are_down),
                IN_ETC(test_one_is_late),
                IN_ETC(test_without_the_store),
                IN_ETC(test_which_courses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
