/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Talks to the activator from inside other programs (sshd, su, a JupyterHub). Their signal handlers may
 * interrupt any call, so every wait is repeated with the time that is left until the deadline.
 */

#include <inttypes.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "activator-client.h"
#include "message-fd.h"

#define USEC_PER_SEC 1000000U
#define USEC_PER_MSEC 1000U

/* The pause before a retry. */
#define RETRY_NSEC 200000000L

static uint64_t now_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000U;
}

uint64_t deadline_after_ms(uint64_t milliseconds) {
        return now_usec() + milliseconds * USEC_PER_MSEC;
}

/* Microseconds until the deadline; 0: it has passed. */
static uint64_t time_left(uint64_t deadline_usec) {
        uint64_t now = now_usec();

        return deadline_usec > now ? deadline_usec - now : 0;
}

/*
 * connect() of a Unix socket waits when the backlog is full, and poll() does not report when there is room
 * again. The send timeout limits that wait.
 */
static int bound_connect(int fd, uint64_t left_usec) {
        struct timeval timeout = {
                .tv_sec = (time_t)(left_usec / USEC_PER_SEC),
                .tv_usec = (suseconds_t)(left_usec % USEC_PER_SEC),
        };

        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ? -errno : 0;
}

int activator_connect(const char *path, uint64_t deadline_usec) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;
        uint64_t left;
        int r;

        r = string_copy(address.sun_path, sizeof(address.sun_path), path);
        if (r < 0)
                return r;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        for (;;) {
                left = time_left(deadline_usec);
                if (left == 0)
                        return -ETIMEDOUT;
                r = bound_connect(fd, left);
                if (r < 0)
                        return r;
                if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                        break;
                if (errno == EAGAIN)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }

        r = fd;
        fd = -1;
        return r;
}

/* Waits for events; -ETIMEDOUT. */
static int wait_for(int fd, short events, uint64_t deadline_usec) {
        struct pollfd pollfd = {.fd = fd, .events = events};

        for (;;) {
                uint64_t left = time_left(deadline_usec);
                struct timespec timeout = {
                        .tv_sec = (time_t)(left / USEC_PER_SEC),
                        .tv_nsec = (long)(left % USEC_PER_SEC) * 1000,
                };
                int r;

                if (left == 0)
                        return -ETIMEDOUT;
                r = ppoll(&pollfd, 1, &timeout, NULL);
                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return -errno;
        }
}

int activator_send(int fd, const struct request *request, int pass_fd, uint64_t deadline_usec) {
        struct iovec iovec = {.iov_base = (void *)(uintptr_t)request, .iov_len = sizeof(*request)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;
        int r;

        message_attach_fd(&message, &room, pass_fd);
        for (;;) {
                r = wait_for(fd, POLLOUT, deadline_usec);
                if (r < 0)
                        return r;
                /* A peer that is gone must be an error, and never a SIGPIPE in a process that is not ours. */
                if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                        return 0;
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
        }
}

/* One byte more than a reply, so that a longer message is recognized. */
struct incoming {
        struct reply reply;
        char more;
};

/* Receives one message, whenever it comes; returns its size, or negative errno. */
static ssize_t receive_message(int fd, struct msghdr *message, uint64_t deadline_usec) {
        size_t control_size = message->msg_controllen;
        ssize_t n;
        int r;

        for (;;) {
                r = wait_for(fd, POLLIN, deadline_usec);
                if (r < 0)
                        return r;
                message->msg_controllen = control_size;
                n = recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
                if (n >= 0)
                        return n;
                /* A Unix socket reports this if the peer has closed it without reading all of it. */
                if (errno == ECONNRESET)
                        return -EPIPE;
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
        }
}

static int take_reply(const struct incoming *incoming, ssize_t size, struct reply *ret) {
        int r;

        if (size < 0)
                return (int)size;
        if (size == 0)
                return -ECONNRESET;
        r = reply_check(&incoming->reply, (size_t)size);
        if (r >= 0)
                *ret = incoming->reply;
        return r;
}

int activator_receive(int fd, struct reply *ret, uint64_t deadline_usec) {
        struct incoming incoming;
        struct iovec iovec = {.iov_base = &incoming, .iov_len = sizeof(incoming)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};

        return take_reply(&incoming, receive_message(fd, &message, deadline_usec), ret);
}

int activator_receive_fd(int fd, struct reply *ret, int *ret_fd, uint64_t deadline_usec) {
        struct incoming incoming;
        struct iovec iovec = {.iov_base = &incoming, .iov_len = sizeof(incoming)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;
        _cleanup_close_ int passed = -1;
        ssize_t n;
        int r;

        message_expect_fd(&message, &room);
        n = receive_message(fd, &message, deadline_usec);
        if (n >= 0)
                passed = message_take_fd(&message);
        r = take_reply(&incoming, n, ret);
        if (r < 0)
                return r;
        if (message.msg_flags & MSG_CTRUNC)
                return -EBADMSG;
        *ret_fd = passed;
        passed = -1;
        return 0;
}

int activator_draw_token(char ret_token[static TOKEN_SIZE]) {
        uint64_t number;
        ssize_t n;

        do
                n = getrandom(&number, sizeof(number), 0);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(number))
                return n < 0 ? -errno : -EIO;
        (void)snprintf(ret_token, TOKEN_SIZE, "%016" PRIx64, number);
        return 0;
}

bool activator_retry(int result, uint64_t deadline_usec) {
        static const struct timespec pause = {.tv_nsec = RETRY_NSEC};

        if ((result != -ECONNRESET && result != -EPIPE && result != -EPROTO) ||
                time_left(deadline_usec) <= RETRY_NSEC / 1000)
                return false;
        (void)nanosleep(&pause, NULL);
        return true;
}

int activator_call(const char *path, const struct request *request, int pass_fd, uint64_t deadline_usec,
        struct reply *ret) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = activator_connect(path, deadline_usec);
        if (fd < 0) {
                r = fd;
                fd = -1;
                return r;
        }
        r = activator_send(fd, request, pass_fd, deadline_usec);
        if (r < 0)
                return r;
        return activator_receive(fd, ret, deadline_usec);
}
