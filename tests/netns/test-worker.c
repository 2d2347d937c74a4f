/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The worker's socket: requests are carried out one after another, peers do not get into each other's way,
 * and nothing of a peer that has gone is carried out. The worker itself runs as a program, in a namespace of
 * its own.
 */

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "netsetup/worker/server.h"
#include "run-files.h"
#include "sandbox.h"

#define TIMEOUT_MS 30000

/* --- a server with a handler that a test can hold ------------------------------------------------------- */

struct scene {
        pid_t pid;
        int gate[2];    /* a byte in it lets one request of seat 12399 go on */
        int journal[2]; /* the seats of the requests that were carried out */
        int idle[2];    /* a byte for each time that no request waited */
};

static void note_request(const struct worker_request *request, struct worker_reply *ret, void *userdata) {
        struct scene *scene = userdata;
        char byte;

        assert_int_equal(
                write(scene->journal[1], request->seat, sizeof(request->seat)), sizeof(request->seat));
        if (string_equal(request->seat, "12399"))
                assert_int_equal(read(scene->gate[0], &byte, 1), 1);
        worker_reply_init(ret, request->id, request->verb == WORKER_DISCARD ? -EBUSY : 0, "");
}

static void note_idle(void *userdata) {
        struct scene *scene = userdata;

        assert_int_equal(write(scene->idle[1], "", 1), 1);
}

static int listen_at(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 64), 0);
        return fd;
}

static int connect_to(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

#define SOCKET "/run/worker.sock"

static void start_server(struct scene *ret, uid_t uid) {
        int fd = listen_at(SOCKET);
        sigset_t signals;

        assert_int_equal(pipe2(ret->gate, O_CLOEXEC), 0);
        assert_int_equal(pipe2(ret->journal, O_CLOEXEC), 0);
        assert_int_equal(pipe2(ret->idle, O_CLOEXEC), 0);
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        ret->pid = fork();
        assert_true(ret->pid >= 0);
        if (ret->pid == 0) {
                (void)sigprocmask(SIG_BLOCK, &signals, NULL);
                _exit(server_run(fd, uid, note_request, note_idle, ret) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        (void)close(fd);
}

static void stop_server(struct scene *scene) {
        int status;

        assert_int_equal(kill(scene->pid, SIGTERM), 0);
        assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
        for (unsigned i = 0; i < 2; i++) {
                (void)close(scene->gate[i]);
                (void)close(scene->journal[i]);
                (void)close(scene->idle[i]);
        }
}

static void ask(int fd, enum worker_verb verb, uint32_t id, const char *seat) {
        struct worker_request request;

        worker_request_init(&request, verb, id, seat);
        assert_int_equal(send(fd, &request, sizeof(request), MSG_NOSIGNAL), sizeof(request));
}

static void wait_readable(int fd) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};

        assert_int_equal(poll(&pollfd, 1, TIMEOUT_MS), 1);
}

static void expect_reply(int fd, uint32_t id, int error) {
        struct worker_reply reply;

        wait_readable(fd);
        assert_int_equal(recv(fd, &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(worker_reply_check(&reply, sizeof(reply)), 0);
        assert_int_equal(reply.id, id);
        assert_int_equal(reply.error, error);
}

static void expect_closed(int fd) {
        char byte;

        wait_readable(fd);
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        (void)close(fd);
}

static void expect_carried_out(const struct scene *scene, const char *seat) {
        char text[sizeof(((struct worker_request *)NULL)->seat)];

        wait_readable(scene->journal[0]);
        assert_int_equal(read(scene->journal[0], text, sizeof(text)), sizeof(text));
        assert_string_equal(text, seat);
}

static void open_gate(const struct scene *scene) {
        assert_int_equal(write(scene->gate[1], "", 1), 1);
}

/* --- the server ----------------------------------------------------------------------------------------- */

static void requests_are_answered_in_order(void **state) {
        struct scene scene;
        int fd;

        (void)state;
        start_server(&scene, 0);
        fd = connect_to(SOCKET);
        for (uint32_t i = 0; i < 100; i++)
                ask(fd, i % 2 ? WORKER_DISCARD : WORKER_PREPARE, 7 * i, "12310");
        for (uint32_t i = 0; i < 100; i++)
                expect_reply(fd, 7 * i, i % 2 ? -EBUSY : 0);
        (void)close(fd);
        stop_server(&scene);
}

/* Without waiting. */
static size_t count_idle(const struct scene *scene) {
        int n = 0;
        char bytes[256];

        assert_int_equal(ioctl(scene->idle[0], FIONREAD, &n), 0);
        assert_true(n >= 0 && (size_t)n <= sizeof(bytes));
        if (n > 0)
                assert_int_equal(read(scene->idle[0], bytes, (size_t)n), n);
        return (size_t)n;
}

static void the_server_is_idle_when_no_request_waits(void **state) {
        struct scene scene;
        int fd;

        (void)state;
        start_server(&scene, 0);
        wait_readable(scene.idle[0]);
        fd = connect_to(SOCKET);
        ask(fd, WORKER_PREPARE, 0, "12399");
        expect_carried_out(&scene, "12399");
        (void)count_idle(&scene);
        for (uint32_t i = 1; i <= 20; i++)
                ask(fd, WORKER_PREPARE, i, "12310");
        open_gate(&scene);
        for (uint32_t i = 0; i <= 20; i++)
                expect_reply(fd, i, 0);
        wait_readable(scene.idle[0]);
        assert_int_equal(count_idle(&scene), 1);
        (void)close(fd);
        stop_server(&scene);
}

static void what_a_peer_that_has_gone_wanted_is_dropped(void **state) {
        struct scene scene;
        int gone, other;

        (void)state;
        start_server(&scene, 0);
        gone = connect_to(SOCKET);
        other = connect_to(SOCKET);
        ask(gone, WORKER_PREPARE, 1, "12399");
        expect_carried_out(&scene, "12399");
        ask(gone, WORKER_PREPARE, 2, "12310");
        (void)close(gone);
        ask(other, WORKER_PREPARE, 3, "12311");
        open_gate(&scene);
        expect_reply(other, 3, 0);
        expect_carried_out(&scene, "12311");
        ask(other, WORKER_PREPARE, 4, "12312");
        expect_carried_out(&scene, "12312");
        (void)close(other);
        stop_server(&scene);
}

static void a_long_queue_of_one_peer_does_not_hold_up_another(void **state) {
        struct scene scene;
        int greedy, other;

        (void)state;
        start_server(&scene, 0);
        greedy = connect_to(SOCKET);
        other = connect_to(SOCKET);
        ask(other, WORKER_PREPARE, 0, "12312");
        expect_reply(other, 0, 0);
        expect_carried_out(&scene, "12312");
        ask(greedy, WORKER_PREPARE, 1, "12399");
        expect_carried_out(&scene, "12399");
        for (uint32_t i = 0; i < 50; i++)
                ask(greedy, WORKER_PREPARE, 2 + i, "12310");
        ask(other, WORKER_PREPARE, 1, "12311");
        open_gate(&scene);
        expect_carried_out(&scene, "12311");
        expect_carried_out(&scene, "12310");
        expect_reply(other, 1, 0);
        (void)close(greedy);
        (void)close(other);
        stop_server(&scene);
}

static void the_most_silent_connection_makes_room(void **state) {
        int fds[SERVER_CONNECTIONS_MAX + 2];
        struct scene scene;

        (void)state;
        start_server(&scene, 0);
        for (uint32_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
                fds[i] = connect_to(SOCKET);
                ask(fds[i], WORKER_PREPARE, i, "12310");
                expect_reply(fds[i], i, 0);
        }
        /* The first one is not silent any more. */
        ask(fds[0], WORKER_PREPARE, 1, "12310");
        expect_reply(fds[0], 1, 0);
        for (uint32_t i = SERVER_CONNECTIONS_MAX; i < ELEMENTSOF(fds); i++) {
                fds[i] = connect_to(SOCKET);
                ask(fds[i], WORKER_PREPARE, i, "12310");
                expect_reply(fds[i], i, 0);
        }
        expect_closed(fds[1]);
        expect_closed(fds[2]);
        for (uint32_t i = 0; i < ELEMENTSOF(fds); i++) {
                if (i == 1 || i == 2)
                        continue;
                ask(fds[i], WORKER_PREPARE, i, "12310");
                expect_reply(fds[i], i, 0);
                (void)close(fds[i]);
        }
        stop_server(&scene);
}

static void what_is_no_request_ends_the_connection(void **state) {
        struct worker_request request;
        struct scene scene;
        char large[1024] = "";
        int fd, good;

        (void)state;
        start_server(&scene, 0);
        good = connect_to(SOCKET);
        worker_request_init(&request, WORKER_PREPARE, 1, "12310");
        for (size_t size = 1; size <= sizeof(large); size += 31) {
                memcpy(large, &request, sizeof(request));
                if (size == sizeof(request))
                        large[0] ^= 1;
                fd = connect_to(SOCKET);
                assert_int_equal(send(fd, large, size, MSG_NOSIGNAL), size);
                expect_closed(fd);
        }
        ask(good, WORKER_PREPARE, 9, "12310");
        expect_reply(good, 9, 0);
        (void)close(good);
        stop_server(&scene);
}

static void other_users_are_not_welcome(void **state) {
        struct scene scene;

        (void)state;
        start_server(&scene, 1);
        expect_closed(connect_to(SOCKET));
        stop_server(&scene);
}

static void sigterm_waits_for_the_request_under_way(void **state) {
        struct scene scene;
        int fd;

        (void)state;
        start_server(&scene, 0);
        fd = connect_to(SOCKET);
        ask(fd, WORKER_PREPARE, 1, "12399");
        expect_carried_out(&scene, "12399");
        assert_int_equal(kill(scene.pid, SIGTERM), 0);
        open_gate(&scene);
        expect_reply(fd, 1, 0);
        expect_closed(fd);
        stop_server(&scene);
}

/* --- the program ---------------------------------------------------------------------------------------- */

#define PROGRAM BUILD_DIRECTORY "/coursenet-worker"

static int pass_as_3(int fd) {
        return fd == 3 ? fcntl(fd, F_SETFD, 0) : dup2(fd, 3);
}

/* As systemd starts it, with an /etc of its own. */
static pid_t start_program(void) {
        int fd = listen_at(SOCKET);
        char pid_text[16];
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)snprintf(pid_text, sizeof(pid_text), "%d", (int)getpid());
                if (unshare(CLONE_NEWNS) < 0 || mount("tmpfs", "/etc", "tmpfs", 0, "mode=755") < 0 ||
                        mkdir("/etc/coursenet", 0755) < 0 || mkdir("/etc/coursenet/netns", 0755) < 0 ||
                        close(open("/etc/coursenet/coursenet.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) <
                                0 ||
                        pass_as_3(fd) < 0 || setenv("LISTEN_PID", pid_text, 1) < 0 ||
                        setenv("LISTEN_FDS", "1", 1) < 0)
                        _exit(EXIT_FAILURE);
                (void)execl(PROGRAM, PROGRAM, NULL);
                _exit(EXIT_FAILURE);
        }
        (void)close(fd);
        return pid;
}

static size_t count_fds(pid_t pid) {
        char path[64];
        size_t n = 0;
        DIR *directory;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        directory = opendir(path);
        assert_non_null(directory);
        while (readdir(directory))
                n++;
        (void)closedir(directory);
        return n;
}

static void the_program_prepares_and_discards(void **state) {
        pid_t pid = start_program();
        int fd = connect_to(SOCKET), status;
        size_t n_fds;

        (void)state;
        ask(fd, WORKER_PREPARE, 1, "12310");
        expect_reply(fd, 1, 0);
        assert_shell("ip -n ns12310 -o -4 addr show dev vr-12310 up | grep -q 'inet 10.0.123.10/24 '");
        n_fds = count_fds(pid);
        for (uint32_t i = 0; i < 3; i++) {
                ask(fd, WORKER_PREPARE, i, "12311");
                expect_reply(fd, i, 0);
                ask(fd, WORKER_DISCARD, i, "12311");
                expect_reply(fd, i, 0);
                ask(fd, WORKER_PREPARE, i, "1");
                expect_reply(fd, i, -EINVAL);
        }
        assert_int_equal(count_fds(pid), n_fds);
        ask(fd, WORKER_DISCARD, 2, "12310");
        expect_reply(fd, 2, 0);
        assert_shell("test -z \"$(ls -A " PREPARED_DIRECTORY ")\" && ! test -e /run/netns/ns12310");
        assert_no_shell("ip -o link | grep -q 'br-123\\|vl-'");
        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
        (void)close(fd);
}

static void without_a_socket_the_program_ends(void **state) {
        (void)state;
        assert_int_equal(shell(PROGRAM " 2>/run/said"), EXIT_FAILURE);
        assert_shell("grep -q coursenet-worker.service /run/said");
        assert_int_equal(shell(PROGRAM " 12310 2>/dev/null"), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(requests_are_answered_in_order),
                sandbox_test(the_server_is_idle_when_no_request_waits),
                sandbox_test(what_a_peer_that_has_gone_wanted_is_dropped),
                sandbox_test(a_long_queue_of_one_peer_does_not_hold_up_another),
                sandbox_test(the_most_silent_connection_makes_room),
                sandbox_test(what_is_no_request_ends_the_connection),
                sandbox_test(other_users_are_not_welcome),
                sandbox_test(sigterm_waits_for_the_request_under_way),
                sandbox_test(the_program_prepares_and_discards),
                sandbox_test(without_a_socket_the_program_ends),
        };

        return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
