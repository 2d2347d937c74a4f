/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One request after another, as HOSTS_NUMBER in hosts-protocol.h has it. */

#include <sys/socket.h>
#include <sys/time.h>

#include "activator-client.h"
#include "hosts-protocol.h"
#include "shared-number.h"

/* Longer than coursenet-hosts takes to say that the store does not answer. */
#define TIMEOUT_SECONDS (2 * HOSTS_ANSWER_SECONDS)

int shared_number_connect(const char *socket_path) {
        const struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
        int fd = activator_connect(socket_path, deadline_after_ms(TIMEOUT_SECONDS * UINT64_C(1000)));

        if (fd >= 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        return fd;
}

static int receive(int fd, struct hosts_reply *ret) {
        ssize_t n = recv(fd, ret, sizeof(*ret), 0);

        if (n < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        return n == 0 ? -ECONNRESET : hosts_reply_check(ret, (size_t)n);
}

static int call(int fd, const struct hosts_request *request, struct hosts_reply *ret) {
        int r;

        if (send(fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
                return -errno;
        do
                r = receive(fd, ret);
        while (r == -EINTR);
        return r < 0 ? r : ret->id == request->id ? 0 : -EPROTO;
}

int shared_number_ask(int fd, const char *course, const char *user, unsigned number, unsigned *ret,
        char ret_reason[static REPLY_TEXT_SIZE]) {
        struct hosts_request request;
        struct hosts_reply reply;
        int r;

        hosts_request_init(&request, HOSTS_NUMBER, 1);
        protocol_copy_text(request.course, sizeof(request.course), course);
        protocol_copy_text(request.user, sizeof(request.user), user);
        request.number = number;
        r = call(fd, &request, &reply);
        if (r < 0) {
                (void)snprintf(
                        ret_reason, REPLY_TEXT_SIZE, "coursenet-hosts does not answer (%s)", strerror(-r));
                return r;
        }
        if (reply.type != HOSTS_DONE) {
                protocol_copy_text(ret_reason, REPLY_TEXT_SIZE,
                        reply.text[0] ? reply.text : "coursenet-hosts has refused to give a number");
                return -EAGAIN;
        }
        *ret = reply.number;
        return 0;
}
