/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A real etcd, and stand-ins for servers that answer wrongly, in a network namespace of the test program's
 * own. The data are in a /run of its own, so nothing is left when the program ends, however it ends. All
 * servers end with it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "clock.h"
#include "util.h"

#define ETCD_PORT 2379
#define STAND_IN_PORT 2400
#define ETCD_URL "http://127.0.0.1:2379"
#define STAND_IN_URL "http://127.0.0.1:2400"
#define NOTIFY_SOCKET "/run/etcd.notify"

/* Longer than anything takes on a busy machine. */
#define PATIENCE_USEC (30 * USEC_PER_SEC)

#define _unused_ __attribute__((unused))

static pid_t etcd_pid;

/* --- processes ------------------------------------------------------------------------------- */

/* 0 in the child, which ends with this program. */
static pid_t start_child(void) {
        pid_t parent = getpid(), pid = fork();

        assert_true(pid >= 0);
        if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
                _exit(EXIT_FAILURE);
        return pid;
}

static void end_child(pid_t *pid) {
        if (*pid <= 0)
                return;
        (void)kill(*pid, SIGKILL);
        assert_int_equal(waitpid(*pid, NULL, 0), *pid);
        *pid = 0;
}

static struct sockaddr_in loopback(uint16_t port) {
        return (struct sockaddr_in){
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* --- etcd ------------------------------------------------------------------------------------ */

static void run_etcd(void) {
        (void)setenv("NOTIFY_SOCKET", NOTIFY_SOCKET, 1);
        (void)execlp("etcd", "etcd", "--data-dir", "/run/etcd", "--logger", "zap", "--log-level", "error",
                "--heartbeat-interval", "10", "--election-timeout", "100", "--listen-client-urls", ETCD_URL,
                "--advertise-client-urls", ETCD_URL, "--listen-peer-urls", "http://127.0.0.1:2380",
                (char *)NULL);
        print_error("etcd cannot be run: %s (tests/install-packages unpacks it)\n", strerror(errno));
        _exit(EXIT_FAILURE);
}

/* Returns when it answers; its data are those that it had. */
static void etcd_start(void) {
        const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = NOTIFY_SOCKET};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        (void)unlink(NOTIFY_SOCKET);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        etcd_pid = start_child();
        if (etcd_pid == 0)
                run_etcd();
        assert_int_equal(poll(&ready, 1, (int)(PATIENCE_USEC / USEC_PER_MSEC)), 1);
        (void)close(fd);
}

static void etcd_kill(void) {
        end_child(&etcd_pid);
}

/* Returns when all of its threads stand still: before, it could still answer. */
static void _unused_ etcd_freeze(void) {
        int status;

        assert_int_equal(kill(etcd_pid, SIGSTOP), 0);
        assert_int_equal(waitpid(etcd_pid, &status, WUNTRACED), etcd_pid);
        assert_true(WIFSTOPPED(status));
}

static void add_to_path(void) {
        const char *cache = getenv("COURSENET_CACHE"), *path = getenv("PATH");
        char longer[4096];

        (void)snprintf(longer, sizeof(longer), "%s:%s/bin", path ? path : "/usr/bin",
                cache ? cache : "/var/cache/coursenet");
        (void)setenv("PATH", longer, 1);
}

/* --- stand-ins ------------------------------------------------------------------------------- */

static pid_t stand_in_pid;

/* Shared with its processes. */
static struct { unsigned n_asked, n_lost; } * stand_in;

/* Answers a request, as it is on the wire. The connection is closed when it returns. */
typedef void (*stand_in_answer_t)(int fd, const char *request);

/* The request with its body. False: it was not sent as a whole. */
static bool read_request(int fd, char *request, size_t size) {
        size_t length = 0;

        while (length + 1 < size) {
                ssize_t n = recv(fd, request + length, size - length - 1, 0);
                const char *end, *body;

                if (n <= 0)
                        return false;
                length += (size_t)n;
                request[length] = '\0';
                end = strstr(request, "\r\n\r\n");
                body = end ? strstr(request, "Content-Length: ") : NULL;
                if (end &&
                        length >= (size_t)(end + 4 - request) +
                                          (body ? strtoul(body + strlen("Content-Length: "), NULL, 10) : 0))
                        return true;
        }
        return false;
}

/* A process for each connection: a stream stays open beside the others. */
static void stand_in_run(int listener, stand_in_answer_t answer) {
        static char request[65536];

        (void)signal(SIGCHLD, SIG_IGN);
        for (;;) {
                int fd = accept(listener, NULL, NULL);

                if (fd >= 0 && start_child() == 0) {
                        (void)close(listener);
                        if (read_request(fd, request, sizeof(request))) {
                                __atomic_add_fetch(&stand_in->n_asked, 1, __ATOMIC_SEQ_CST);
                                answer(fd, request);
                        }
                        _exit(EXIT_SUCCESS);
                }
                (void)close(fd);
        }
}

static void _unused_ stand_in_start(stand_in_answer_t answer) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const struct sockaddr_in address = loopback(STAND_IN_PORT);

        stand_in = mmap(NULL, sizeof(*stand_in), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(stand_in != MAP_FAILED);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 8), 0);
        stand_in_pid = start_child();
        if (stand_in_pid == 0)
                stand_in_run(fd, answer);
        (void)close(fd);
}

static unsigned _unused_ stand_in_asked(void) {
        return __atomic_load_n(&stand_in->n_asked, __ATOMIC_SEQ_CST);
}

static unsigned _unused_ stand_in_lost(void) {
        return __atomic_load_n(&stand_in->n_lost, __ATOMIC_SEQ_CST);
}

static void _unused_ stand_in_end(void) {
        if (stand_in_pid > 0)
                (void)munmap(stand_in, sizeof(*stand_in));
        end_child(&stand_in_pid);
}

static void _unused_ put_text(int fd, const char *text) {
        (void)send(fd, text, strlen(text), 0);
}

/* An answer as it should be around any body. */
static void _unused_ put_answer(int fd, const char *body) {
        char head[256];

        (void)snprintf(head, sizeof(head),
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                "%zu\r\n\r\n",
                strlen(body));
        put_text(fd, head);
        put_text(fd, body);
}

/* A connection to etcd, with the request sent. After the answer, etcd closes it. */
static int pass_on(const char *request) {
        const struct sockaddr_in address = loopback(ETCD_PORT);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const char *rest = strchr(request, '\n') + 1;

        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
                (void)send(fd, request, (size_t)(rest - request), 0);
                put_text(fd, "Connection: close\r\n");
                put_text(fd, rest);
        }
        return fd;
}

/* etcd answers. */
static void _unused_ relay(int fd, const char *request) {
        int other = pass_on(request);
        char part[4096];
        ssize_t n;

        while ((n = recv(other, part, sizeof(part), 0)) > 0 && send(fd, part, (size_t)n, 0) == n)
                ;
}

/* etcd carries the request out, and its answer is lost. */
static void _unused_ lose(int fd, const char *request) {
        char first;

        (void)fd;
        if (recv(pass_on(request), &first, sizeof(first), 0) > 0)
                __atomic_add_fetch(&stand_in->n_lost, 1, __ATOMIC_SEQ_CST);
}

/* --- begin and end ---------------------------------------------------------------------------- */

/* Of each test: one that has failed may have left them as they were. */
static void _unused_ put_servers_right(void) {
        stand_in_end();
        if (etcd_pid > 0)
                (void)kill(etcd_pid, SIGCONT);
        else
                etcd_start();
}

/* Of the group of tests. */
static int _unused_ begin_servers(void **state) {
        (void)state;
        add_to_path();
        (void)signal(SIGPIPE, SIG_IGN);
        if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
                print_error("these tests make namespaces: run them as root\n");
                return -1;
        }
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || system("ip link set lo up") != 0)
                return -1;
        etcd_start();
        return 0;
}

static int _unused_ end_servers(void **state) {
        (void)state;
        etcd_kill();
        return 0;
}

/* --- the loop -------------------------------------------------------------------------------- */

/* Runs the loop until the condition holds. */
#define run_until(event, condition)                                                                          \
        do {                                                                                                 \
                uint64_t patience = now_boottime_usec() + PATIENCE_USEC;                                     \
                                                                                                             \
                while (!(condition)) {                                                                       \
                        if (now_boottime_usec() > patience)                                                  \
                                fail_msg("did not come: %s", #condition);                                    \
                        assert_return_code(sd_event_run(event, 100 * USEC_PER_MSEC), 0);                     \
                }                                                                                            \
        } while (0)
