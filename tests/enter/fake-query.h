/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An activator on query.sock that hands over what a test tells it to, and writes down what it was asked, both
 * in shared memory. Unlike the real one it may be anybody's.
 */

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "activator-client.h"
#include "protocol.h"
#include "run-child.h"

#define FAKE_FDS_MAX 2U

struct fake {
        struct reply reply;
        size_t reply_size;
        const char *fds[FAKE_FDS_MAX]; /* paths, opened in the fake; NULL: none */
        unsigned hang_ups;             /* so many connections are closed without an answer, first */

        unsigned n_requests;
        struct request request;
        pid_t peer;
        bool pidfd_of_peer;
};

static struct fake *fake;

static inline bool is_pidfd_of(int fd, pid_t pid) {
        char path[64], line[128];
        long number = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "Pid: %ld", &number) == 1)
                        break;
        if (file)
                (void)fclose(file);
        return number == (long)pid;
}

/* Space for one descriptor; the alignment is the kernel's. */
union fake_control {
        char buffer[CMSG_SPACE(FAKE_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
};

static inline bool fake_receive(int connection) {
        struct iovec iovec = {.iov_base = &fake->request, .iov_len = sizeof(fake->request)};
        union fake_control control;
        struct msghdr message = {
                .msg_iov = &iovec,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct ucred peer = {0};
        socklen_t size = sizeof(peer);
        int fd = -1;

        if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(fake->request))
                return false;
        if (CMSG_FIRSTHDR(&message))
                memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        (void)getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        fake->n_requests++;
        fake->peer = peer.pid;
        fake->pidfd_of_peer = is_pidfd_of(fd, peer.pid);
        close_pointer(&fd);
        return true;
}

static inline void fake_answer(int connection) {
        struct {
                struct reply reply;
                char more[8];
        } buffer = {.reply = fake->reply};
        struct iovec iovec = {.iov_base = &buffer, .iov_len = fake->reply_size};
        union fake_control control = {0};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1, .msg_control = &control};
        int fds[FAKE_FDS_MAX];
        size_t n = 0;

        while (n < FAKE_FDS_MAX && fake->fds[n]) {
                fds[n] = open(fake->fds[n], O_RDONLY | O_CLOEXEC);
                n++;
        }
        if (n > 0) {
                message.msg_controllen = CMSG_SPACE(n * sizeof(int));
                *CMSG_FIRSTHDR(&message) = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(n * sizeof(int)),
                };
                memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, n * sizeof(int));
        }
        (void)sendmsg(connection, &message, MSG_NOSIGNAL);
        while (n > 0)
                (void)close(fds[--n]);
}

static inline _Noreturn void fake_serve(int listener) {
        for (;;) {
                int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (connection < 0)
                        continue;
                if (fake->hang_ups > 0)
                        fake->hang_ups--;
                else if (fake_receive(connection))
                        fake_answer(connection);
                (void)close(connection);
        }
}

/* Starts it as that user; returns its pid. The kernel shows the peers who called listen(). */
static inline pid_t fake_start(uid_t uid) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ready[2];
        char byte;
        pid_t pid;

        must(string_copy(address.sun_path, sizeof(address.sun_path), QUERY_SOCKET) == 0 &&
                        bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                        chmod(QUERY_SOCKET, 0666) == 0 && pipe2(ready, O_CLOEXEC) == 0,
                QUERY_SOCKET);
        pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0) {
                must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
                if (uid != 0)
                        become_user(uid, false);
                must(listen(listener, 16) == 0 && write(ready[1], "!", 1) == 1, "listen");
                fake_serve(listener);
        }
        must(read(ready[0], &byte, 1) == 1, "the fake activator");
        (void)close(ready[0]);
        (void)close(ready[1]);
        (void)close(listener);
        return pid;
}

static inline void fake_stop(pid_t pid) {
        must(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid && unlink(QUERY_SOCKET) == 0,
                "stop the fake activator");
}

/* The next answer is: seat 12310, with its namespace. */
static inline void fake_reset(void) {
        memset(fake, 0, sizeof(*fake));
        reply_init(&fake->reply, REPLY_DONE);
        fake->reply_size = sizeof(fake->reply);
        fake->reply.address = 10U << 24 | 123U << 8 | 10U;
        fake->reply.prefix = 24;
        protocol_copy_text(fake->reply.lease, sizeof(fake->reply.lease), "12310_a1");
        protocol_copy_text(fake->reply.course, sizeof(fake->reply.course), "123");
        protocol_copy_text(fake->reply.seat, sizeof(fake->reply.seat), "12310");
        fake->fds[0] = SANDBOX_SEAT;
}

static inline void fake_create(void) {
        fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        must(fake != MAP_FAILED, "mmap");
        fake_reset();
}
