/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/socket.h>
#include <sys/time.h>

#include "activator-client.h"
#include "hosts-client.h"
#include "message-fd.h"

/* A little longer than the daemon takes at most, so that its own refusal arrives. */
#define WAIT_SECONDS (HOSTS_ANSWER_SECONDS + 2U)

/* One byte more than a reply, so that a longer message is recognized. */
struct incoming {
        struct hosts_reply reply;
        char more;
};

static int send_request(int fd, const struct hosts_request *request) {
        ssize_t n;

        do
                n = send(fd, request, sizeof(*request), MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

static int receive_reply(int fd, uint32_t id, struct hosts_reply *ret, int *ret_fd) {
        struct incoming incoming;
        struct iovec iovec = {.iov_base = &incoming, .iov_len = sizeof(incoming)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        _cleanup_close_ int passed = -1;
        struct message_fd room;
        ssize_t n;
        int r;

        do {
                message_expect_fd(&message, &room);
                n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        } while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        passed = message_take_fd(&message);
        if (n == 0)
                return -ECONNRESET;
        r = hosts_reply_check(&incoming.reply, (size_t)n);
        if (r < 0)
                return r;
        if (incoming.reply.id != id || (message.msg_flags & MSG_CTRUNC))
                return -EBADMSG;
        *ret = incoming.reply;
        *ret_fd = passed;
        passed = -1;
        return 0;
}

int hosts_call(const char *path, const struct hosts_request *request, struct hosts_reply *ret, int *ret_fd) {
        const struct timeval timeout = {.tv_sec = WAIT_SECONDS};
        _cleanup_close_ int fd = -1;
        int r;

        r = activator_connect(path, deadline_after_ms(WAIT_SECONDS * UINT64_C(1000)));
        if (r < 0)
                return r;
        fd = r;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        r = send_request(fd, request);
        return r < 0 ? r : receive_reply(fd, request->id, ret, ret_fd);
}
