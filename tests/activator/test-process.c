/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Processes and terminals: who is at the other end of a connection, which process a pidfd refers to, and
 * which message a user gets.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include "base/event.h"
#include "base/peer.h"
#include "base/terminal.h"

/* A child that lives until the pipe closes. */
static pid_t start_child(int *ret_pipe) {
        int ends[2];
        pid_t pid;
        char byte;

        assert_int_equal(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
                (void)close(ends[1]);
                _exit(read(ends[0], &byte, 1) < 0);
        }
        (void)close(ends[0]);
        assert_true(pid > 0);
        *ret_pipe = ends[1];
        return pid;
}

static void a_descriptor_means_one_process(void **state) {
        int end, pidfd;
        pid_t pid = start_child(&end);

        (void)state;
        pidfd = peer_open_pidfd(pid);
        assert_true(pidfd >= 0);
        assert_int_equal(peer_check_pidfd(pidfd, pid), 0);
        assert_int_equal(peer_check_pidfd(pidfd, getpid()), -EPERM);
        assert_int_equal(peer_check_pidfd(end, pid), -EPERM); /* a descriptor, but of no process */
        assert_true(peer_check_pidfd(-1, pid) < 0);

        (void)close(end);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(peer_check_pidfd(pidfd, pid), -ESRCH);
        assert_int_equal(peer_open_pidfd(pid), -ESRCH);
        (void)close(pidfd);
}

/* A number may be given to another process; the time of its start tells which one is meant. */
static void a_process_has_a_time_of_its_start(void **state) {
        uint64_t ours, again, childs;
        int end;
        pid_t pid = start_child(&end);

        (void)state;
        assert_int_equal(peer_start_time(getpid(), &ours), 0);
        assert_int_equal(peer_start_time(getpid(), &again), 0);
        assert_int_equal(peer_start_time(pid, &childs), 0);
        assert_true(ours == again);
        assert_true(childs >= ours);
        (void)close(end);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(peer_start_time(pid, &childs), -ESRCH);
}

/* A student may call a program anything, and with that try to forge the fields behind its name. */
static void a_program_s_name_does_not_forge_its_start(void **state) {
        uint64_t honest, forged;
        int ready[2];
        char byte;
        pid_t pid;

        (void)state;
        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
                FILE *name = fopen("/proc/self/comm", "we");

                if (name) {
                        (void)fputs("a) S 1 1 1 (b", name);
                        (void)fclose(name);
                }
                if (write(ready[1], "", 1) == 1)
                        (void)pause();
                _exit(0);
        }
        assert_int_equal(peer_start_time(pid, &honest), 0);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(peer_start_time(pid, &forged), 0);
        assert_true(forged == honest);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        (void)close(ready[0]);
        (void)close(ready[1]);
}

static void the_kernel_says_who_connected(void **state) {
        struct ucred peer;
        int fds[2], no_socket;

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        assert_int_equal(peer_credentials(fds[0], &peer), 0);
        assert_int_equal(peer.pid, getpid());
        assert_int_equal(peer.uid, geteuid());
        (void)close(fds[0]);
        (void)close(fds[1]);
        no_socket = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_int_equal(peer_credentials(no_socket, &peer), -ENOTSOCK);
        (void)close(no_socket);
}

/* --- terminals ------------------------------------------------------------------------------- */

#define UID_AMY 2000

/* A terminal of the user's. */
static int open_terminal(uid_t uid, char path[static 64]) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

        assert_true(master >= 0);
        assert_int_equal(grantpt(master), 0);
        assert_int_equal(unlockpt(master), 0);
        assert_int_equal(ptsname_r(master, path, 64), 0);
        assert_int_equal(chown(path, uid, (gid_t)-1), 0);
        return master;
}

static void a_user_is_told_on_every_terminal_and_nobody_else(void **state) {
        char path[64], text[64] = "";
        int first = open_terminal(UID_AMY, path), second = open_terminal(UID_AMY, path),
            others = open_terminal(UID_AMY + 1, path);

        (void)state;
        terminal_tell(UID_AMY, "", "hello");
        assert_int_equal(read(first, text, sizeof(text)), strlen("hello"));
        assert_string_equal(text, "hello");
        assert_int_equal(read(second, text, sizeof(text)), strlen("hello"));
        assert_true(read(others, text, sizeof(text)) < 0);
        (void)close(first);
        (void)close(second);
        (void)close(others);
}

/* What a login calls its terminal is root's word, but a path out of /dev is none. */
static void a_login_s_tty_is_a_name_in_dev(void **state) {
        static const char *const names[] = {"", "ssh", "../etc/passwd", "/dev/../etc/passwd", "/etc/passwd",
                "/dev/", "null", "/dev/null"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                terminal_tell(UID_AMY, names[i], "");
}

static void clocks_are_in_microseconds(void **state) {
        uint64_t before = now_monotonic_usec(), real = now_realtime_usec();
        struct timespec ts;

        (void)state;
        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
        assert_in_range((uint64_t)ts.tv_sec, before / USEC_PER_SEC, before / USEC_PER_SEC + 60);
        assert_true(now_monotonic_usec() >= before);
        assert_in_range((uint64_t)time(NULL), real / USEC_PER_SEC, real / USEC_PER_SEC + 60);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_descriptor_means_one_process),
                cmocka_unit_test(a_process_has_a_time_of_its_start),
                cmocka_unit_test(a_program_s_name_does_not_forge_its_start),
                cmocka_unit_test(the_kernel_says_who_connected),
                cmocka_unit_test(a_user_is_told_on_every_terminal_and_nobody_else),
                cmocka_unit_test(a_login_s_tty_is_a_name_in_dev),
                cmocka_unit_test(clocks_are_in_microseconds),
        };

        return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
