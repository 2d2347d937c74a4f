/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread, one poll(2), and of each connection one request at a time, so that all have their turn. */

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/stderr.h"
#include "server.h"

struct server {
        int listen_fd;
        uid_t uid;
        server_handle_t handle;
        server_idle_t idle;
        void *userdata;
        int fds[SERVER_CONNECTIONS_MAX]; /* the one that was used last is the last one */
        size_t n_fds;
};

static void close_connection(struct server *server, size_t i) {
        (void)close(server->fds[i]);
        server->n_fds--;
        memmove(server->fds + i, server->fds + i + 1, (server->n_fds - i) * sizeof(server->fds[0]));
}

static void server_done(struct server *server) {
        while (server->n_fds > 0)
                close_connection(server, server->n_fds - 1);
}

static bool is_welcome(const struct server *server, int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) >= 0 && peer.uid == server->uid;
}

static int accept_connection(struct server *server) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
                return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
        if (!is_welcome(server, fd)) {
                (void)close(fd);
                return 0;
        }
        if (server->n_fds == ELEMENTSOF(server->fds))
                close_connection(server, 0);
        server->fds[server->n_fds++] = fd;
        return 0;
}

/* Returns whether the connection is still of use. */
static bool serve(struct server *server, int fd) {
        struct worker_request request;
        struct worker_reply reply;
        ssize_t n;

        /* With MSG_TRUNC n is the size of the message and not of what fits. */
        n = recv(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return false;
        if (worker_request_check(&request, (size_t)n) < 0) {
                stderr_warning("a connection is closed, because what came is no request of this version");
                return false;
        }
        server->handle(&request, &reply, server->userdata);
        return send(fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(reply);
}

/* fd has become the last one. */
static void move_to_end(struct server *server, size_t i) {
        int fd = server->fds[i];

        memmove(server->fds + i, server->fds + i + 1, (server->n_fds - 1 - i) * sizeof(server->fds[0]));
        server->fds[server->n_fds - 1] = fd;
}

/* polled: of the connections, in their order. */
static void serve_all(struct server *server, const struct pollfd *polled, size_t n_polled) {
        for (size_t i = 0; i < n_polled; i++) {
                size_t now = 0;

                if (polled[i].revents == 0)
                        continue;
                while (server->fds[now] != polled[i].fd)
                        now++;
                if ((polled[i].revents & ~POLLIN) == 0 && serve(server, polled[i].fd))
                        move_to_end(server, now);
                else
                        close_connection(server, now);
        }
}

static volatile sig_atomic_t terminated;

static void note_signal(int number) {
        (void)number;
        terminated = 1;
}

static int catch_sigterm(sigset_t *ret_unblocked) {
        const struct sigaction action = {.sa_handler = note_signal};

        terminated = 0;
        if (sigaction(SIGTERM, &action, NULL) < 0 || sigprocmask(SIG_BLOCK, NULL, ret_unblocked) < 0)
                return -errno;
        (void)sigdelset(ret_unblocked, SIGTERM);
        return 0;
}

static int wait_for_request(
        struct server *server, struct pollfd *polled, size_t n, const sigset_t *unblocked) {
        static const struct timespec at_once = {0};
        int r = ppoll(polled, n, &at_once, unblocked);

        if (r != 0)
                return r;
        server->idle(server->userdata);
        return ppoll(polled, n, NULL, unblocked);
}

static int serve_once(struct server *server, const sigset_t *unblocked) {
        struct pollfd polled[1 + SERVER_CONNECTIONS_MAX];
        size_t n = server->n_fds;

        polled[0] = (struct pollfd){.fd = server->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < n; i++)
                polled[1 + i] = (struct pollfd){.fd = server->fds[i], .events = POLLIN};
        if (wait_for_request(server, polled, 1 + n, unblocked) < 0)
                return errno == EINTR ? 0 : -errno;

        serve_all(server, polled + 1, n);
        return polled[0].revents != 0 ? accept_connection(server) : 0;
}

int server_run(int listen_fd, uid_t uid, server_handle_t handle, server_idle_t idle, void *userdata) {
        struct server server = {
                .listen_fd = listen_fd, .uid = uid, .handle = handle, .idle = idle, .userdata = userdata};
        sigset_t unblocked;
        int r;

        r = catch_sigterm(&unblocked);
        while (r >= 0 && !terminated)
                r = serve_once(&server, &unblocked);
        server_done(&server);
        return r;
}
