/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An activator for the module's tests: a child process on the real socket path, which answers as it is told
 * and writes down what it was asked, both in shared memory. It serves one connection after the other.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "protocol.h"

enum fake_manner {
        FAKE_ANSWERS,
        FAKE_IS_SILENT,
        FAKE_HANGS_UP,         /* after the request */
        FAKE_HANGS_UP_TWICE,   /* and answers the third, as an activator that is restarted */
        FAKE_HANGS_UP_AT_ONCE, /* without reading */
        FAKE_IS_EARLIER_TWICE, /* and answers the third, as an activator that an upgrade replaces */
        FAKE_ANSWERS_GARBAGE,
        FAKE_ANSWERS_SHORT,
        FAKE_ANSWERS_LONG,
};

struct fake_seen {
        struct request request;
        pid_t peer;
        pid_t pidfd; /* the process of the pidfd that came along; 0: none came */
};

struct fake {
        /* What the test sets. */
        enum fake_manner manner; /* to REQUEST_OPEN */
        struct reply reply;      /* to REQUEST_OPEN */
        enum reply_type close_type;
        unsigned interruptions_wanted; /* before it answers */
        unsigned n_unanswered;         /* requests after which it hangs up, whatever its manner */
        unsigned n_to_drop;            /* connections that it closes unread, as an activator that is killed */

        /* What the fake, or a signal handler, writes. */
        volatile unsigned interruptions;
        unsigned n_connections;
        unsigned n_bad; /* messages that request_check() refuses */
        unsigned n_seen;
        struct fake_seen seen[8];
};

static struct fake *fake;
static pid_t fake_pid;

/* The process that a pidfd stands for; 0 if fd is none. */
static inline pid_t pidfd_process(int fd) {
        char path[64], line[128];
        FILE *file;
        int pid = 0;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        file = fopen(path, "re");
        if (!file)
                return 0;
        while (fgets(line, sizeof(line), file))
                if (sscanf(line, "Pid: %d", &pid) == 1)
                        break;
        (void)fclose(file);
        return pid;
}

static inline ssize_t fake_receive(int fd, struct request *ret_request, int *ret_pidfd) {
        union {
                char buffer[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        struct iovec iovec = {.iov_base = ret_request, .iov_len = sizeof(*ret_request)};
        struct msghdr message = {
                .msg_iov = &iovec,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        const struct cmsghdr *header;
        ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

        header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
        if (header && header->cmsg_type == SCM_RIGHTS)
                memcpy(ret_pidfd, CMSG_DATA(header), sizeof(int));
        return n;
}

static inline void fake_note(int fd, const struct request *request, int pidfd) {
        struct fake_seen *seen = &fake->seen[fake->n_seen % ELEMENTSOF(fake->seen)];
        struct ucred peer = {0};
        socklen_t length = sizeof(peer);

        (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
        seen->request = *request;
        seen->peer = peer.pid;
        seen->pidfd = pidfd >= 0 ? pidfd_process(pidfd) : 0;
        fake->n_seen++;
}

static inline void fake_answer(int fd, const struct request *request) {
        struct {
                struct reply reply;
                char more[16];
        } buffer = {.reply = fake->reply};
        size_t size = sizeof(buffer.reply);

        if (fake->n_unanswered > 0) {
                fake->n_unanswered--;
                return;
        }
        if (request->type == REQUEST_CLOSE || request->type == REQUEST_NOTE)
                reply_init(&buffer.reply, fake->close_type);
        else if (fake->manner == FAKE_ANSWERS_GARBAGE)
                memset(&buffer, 'x', sizeof(buffer));
        else if (fake->manner == FAKE_ANSWERS_SHORT)
                size -= 1;
        else if (fake->manner == FAKE_ANSWERS_LONG)
                size += 1;
        else if (fake->manner == FAKE_HANGS_UP_TWICE && fake->n_seen < 3)
                return;
        else if (fake->manner == FAKE_IS_EARLIER_TWICE && fake->n_seen < 3)
                buffer.reply.version--;
        else if (fake->manner != FAKE_ANSWERS && fake->manner != FAKE_HANGS_UP_TWICE &&
                 fake->manner != FAKE_IS_EARLIER_TWICE)
                return;

        while (fake->interruptions < fake->interruptions_wanted)
                (void)sched_yield();
        (void)send(fd, &buffer, size, MSG_NOSIGNAL);
}

/* One byte instead of a request: "is everything from before me done?" */
static inline bool fake_serve(int fd) {
        struct request request = {0};
        int pidfd = -1;
        ssize_t n;

        if (fake->manner == FAKE_HANGS_UP_AT_ONCE)
                return true;
        if (fake->n_to_drop > 0) {
                fake->n_to_drop--;
                fake->n_connections--;
                return true;
        }
        n = fake_receive(fd, &request, &pidfd);
        if (n == 1) {
                fake->n_connections--;
                (void)send(fd, "!", 1, MSG_NOSIGNAL);
        } else if (n < 0 || request_check(&request, (size_t)n) < 0)
                fake->n_bad++;
        else {
                fake_note(fd, &request, pidfd);
                fake_answer(fd, &request);
        }
        close_pointer(&pidfd);
        return request.type != REQUEST_OPEN || fake->manner != FAKE_IS_SILENT;
}

static inline _Noreturn void fake_run(int listener) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd < 0)
                        continue;
                fake->n_connections++;
                if (fake_serve(fd))
                        close_pointer(&fd);
        }
}

static inline int fake_address(struct sockaddr_un *ret) {
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        return string_copy(ret->sun_path, sizeof(ret->sun_path), ACTIVATOR_SOCKET);
}

static inline void fake_start(void) {
        struct sockaddr_un address;
        int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        must(fake_address(&address) == 0 &&
                        bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                        chmod(ACTIVATOR_SOCKET, 0600) == 0 && listen(listener, 16) == 0,
                ACTIVATOR_SOCKET);
        fake_pid = fork();
        must(fake_pid >= 0, "fork");
        if (fake_pid == 0)
                fake_run(listener);
        close_pointer(&listener);
}

static inline void fake_stop(void) {
        must(kill(fake_pid, SIGKILL) == 0 && waitpid(fake_pid, NULL, 0) == fake_pid,
                "stop the fake activator");
        must(unlink(ACTIVATOR_SOCKET) == 0, ACTIVATOR_SOCKET);
}

/* Returns when all that was sent before has been written down. */
static inline void fake_sync(void) {
        struct sockaddr_un address;
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        char byte = '?';

        fake->manner = FAKE_ANSWERS;
        must(fake_address(&address) == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                        send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1,
                "the fake activator");
        close_pointer(&fd);
}

/* Forgets what was seen; the next answer is: seat 12310. */
static inline void fake_reset(void) {
        memset(fake, 0, sizeof(*fake));
        fake->close_type = REPLY_DONE;
        reply_init(&fake->reply, REPLY_DONE);
        fake->reply.address = 10U << 24 | 123U << 8 | 10U;
        fake->reply.prefix = 24;
        (void)string_copy(fake->reply.lease, sizeof(fake->reply.lease), "lease-1");
        (void)string_copy(fake->reply.course, sizeof(fake->reply.course), "123");
        (void)string_copy(fake->reply.seat, sizeof(fake->reply.seat), "12310");
}

static inline void fake_create(void) {
        fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        must(fake != MAP_FAILED, "mmap");
        fake_reset();
        fake_start();
}
