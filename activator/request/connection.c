/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Receives the request, sends the replies, and closes; server.c accepts connections, and dispatch.c
 * answers requests. A peer that does not send, or does not read its replies, is dropped after a time.
 */

#include <stdarg.h>
#include <utlist.h>

#include "base/event.h"
#include "base/log.h"
#include "connection.h"
#include "lease/lease-request.h"
#include "lease/seat-claim.h"
#include "message-fd.h"

/* How long a peer may take to send its request, and to take its replies. */
#define REQUEST_TIMEOUT_USEC (5 * USEC_PER_SEC)

void connection_remark(const struct connection *connection, const char *format, ...) {
        char text[256];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (connection->privileged)
                log_warning("activator.sock: process %ld: %s", (long)connection->peer.pid, text);
        else
                query_log(connection->log, connection->peer.uid, "process %ld: %s",
                        (long)connection->peer.pid, text);
}

void connection_free(struct connection *connection) {
        if (connection->lease)
                lease_abandon(connection->lease);
        seat_claim_drop(&connection->claim);
        DL_DELETE(*connection->list, connection);
        (void)sd_event_source_disable_unref(connection->io_source);
        (void)sd_event_source_disable_unref(connection->timeout_source);
        (void)close(connection->fd);
        free(connection->replies);
        enter_free(&connection->enter);
        report_free(&connection->report);
        free(connection);
}

/* --- replies --------------------------------------------------------------------------------- */

/* fd: -1, or a descriptor for the peer. */
static int send_reply(struct connection *connection, const struct reply *reply, int fd) {
        struct iovec iovec = {.iov_base = (void *)(uintptr_t)reply, .iov_len = sizeof(*reply)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;

        message_attach_fd(&message, &room, fd);
        return sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void reply_with_fd(struct connection *connection, const struct reply *reply, int fd) {
        /* A login with wait=none already has its answer. */
        int r = connection->answered ? 0 : send_reply(connection, reply, fd);

        if (r < 0)
                connection_remark(connection, "cannot be answered: %s", strerror(-r));
        connection_free(connection);
}

void connection_reply(struct connection *connection, const struct reply *reply) {
        reply_with_fd(connection, reply, -1);
}

void connection_reply_fd(struct connection *connection, const struct reply *reply, int fd) {
        reply_with_fd(connection, reply, fd);
}

void connection_reply_text(struct connection *connection, enum reply_type type, const char *text) {
        struct reply reply;

        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        connection_reply(connection, &reply);
}

/*
 * Answers REQUEST_OPEN with its seat. The connection and its lease stay tied until the peer has read the
 * answer and hangs up: one that gave up a moment before leaves the answer unread, the kernel then reports
 * ECONNRESET, and the lease ends. Nobody would ever close it, because its id was never known.
 */
static void hand_over(struct connection *connection, const struct reply *reply) {
        if (send_reply(connection, reply, -1) < 0)
                connection_free(connection);
        else
                connection->answered = true;
}

static void handle_answer(void *userdata, const struct reply *reply, int fd) {
        struct connection *connection = userdata;

        if (connection->lease)
                hand_over(connection, reply);
        else
                reply_with_fd(connection, reply, fd);
}

struct lease_waiter connection_waiter(struct connection *connection) {
        return (struct lease_waiter){.answer = handle_answer,
                .userdata = connection,
                .place = &connection->lease,
                .claim = &connection->claim};
}

/* Sends as many replies as the socket takes, and the rest when it has room. */
static void send_replies(struct connection *connection) {
        while (connection->n_sent < connection->n_replies) {
                int r = send_reply(connection, &connection->replies[connection->n_sent], -1);

                if (r == -EAGAIN) {
                        (void)sd_event_source_set_io_events(connection->io_source, EPOLLOUT);
                        return;
                }
                if (r < 0)
                        break;
                connection->n_sent++;
        }
        connection_free(connection);
}

void connection_reply_all(struct connection *connection, struct reply *replies, size_t n) {
        connection->replies = replies;
        connection->n_replies = n;
        send_replies(connection);
}

/* Sends as much of the report as the socket takes, and the rest when it has room, until the deadline. */
static void continue_report(struct connection *connection) {
        int r = report_send(connection->report, connection->fd);

        if (r == 0)
                r = sd_event_source_set_io_events(connection->io_source, EPOLLOUT);
        else
                r = -ENODATA;
        if (r < 0)
                connection_free(connection);
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        connection_free(userdata);
        return 0;
}

static int set_timeout(struct connection *connection) {
        return sd_event_add_time_relative(connection->event, &connection->timeout_source, CLOCK_MONOTONIC,
                REQUEST_TIMEOUT_USEC, 0, handle_timeout, connection);
}

void connection_wait(struct connection *connection) {
        connection->timeout_source = sd_event_source_disable_unref(connection->timeout_source);
}

void connection_ignore_peer(struct connection *connection) {
        (void)sd_event_source_set_enabled(connection->io_source, SD_EVENT_OFF);
}

void connection_send_report(struct connection *connection, const struct reply *reply) {
        int r;

        r = send_reply(connection, reply, -1);
        if (r >= 0)
                r = set_timeout(connection);
        if (r < 0)
                connection_free(connection);
        else
                continue_report(connection);
}

/* --- the request ----------------------------------------------------------------------------- */

/* Returns the size of the message; 0: the peer hung up; negative errno. */
static ssize_t receive(int fd, void *buffer, size_t size, int *ret_fd) {
        struct iovec iovec = {.iov_base = buffer, .iov_len = size};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;
        ssize_t n;

        message_expect_fd(&message, &room);
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        *ret_fd = message_take_fd(&message);
        return n;
}

static void handle_message(struct connection *connection) {
        /* One byte more than a request, so that a longer message is seen to be one. */
        struct {
                struct request request;
                char more;
        } buffer;
        _cleanup_close_ int pidfd = -1;
        ssize_t n;
        int r;

        n = receive(connection->fd, &buffer, sizeof(buffer), &pidfd);
        if (n == -EAGAIN || n == -EINTR)
                return;
        if (n == 0 && connection->answered && connection->lease)
                lease_confirm(connection->lease);
        /* The protocol does not allow a second message while the first is being answered. */
        if (n <= 0 || connection->busy) {
                connection_free(connection);
                return;
        }

        r = request_check(&buffer, (size_t)n);
        if (r < 0) {
                connection_remark(connection, "sent something that is not a request");
                connection_reply_text(connection, REPLY_REFUSED,
                        r == -EPROTO ? "the activator speaks another version of the protocol; is it older "
                                       "than the module?"
                                     : "malformed request");
                return;
        }
        connection->busy = true;
        connection->handle_request(connection->userdata, connection, &buffer.request, &pidfd);
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct connection *connection = userdata;

        (void)source;
        (void)fd;
        /* A hang-up is read as an end of file or an error, and the two mean different things. */
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                handle_message(connection);
        else if ((events & EPOLLOUT) && connection->report)
                continue_report(connection);
        else if (events & EPOLLOUT)
                send_replies(connection);
        return 0;
}

static int watch(struct connection *connection) {
        int r;

        r = sd_event_add_io(
                connection->event, &connection->io_source, connection->fd, EPOLLIN, handle_io, connection);
        if (r >= 0)
                r = sd_event_source_set_priority(connection->io_source, PRIORITY_REQUEST);
        return r < 0 ? r : set_timeout(connection);
}

void connection_add(const struct connection *made) {
        struct connection *connection = malloc(sizeof(*connection));

        if (!connection) {
                (void)close(made->fd);
                return;
        }
        *connection = *made;
        DL_APPEND(*connection->list, connection);
        if (watch(connection) < 0)
                connection_free(connection);
        else if (!connection->privileged)
                /* A request that has been sent already is read before another connection can take this one's
                 * place. */
                handle_message(connection);
}
