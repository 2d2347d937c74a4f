/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepts, receives, dispatches, replies. What a request may ask is decided here and nowhere else. */

#include <stdarg.h>
#include <utlist.h>

#include "base/peer.h"
#include "connection.h"
#include "enter-request.h"
#include "fence-note.h"
#include "lease/lease.h"
#include "lease/linger.h"
#include "peer-report.h"
#include "reload.h"

/* How long a peer may take to send its request, and to take its replies. */
#define REQUEST_TIMEOUT_USEC UINT64_C(5000000)

struct connection {
        struct server *server; /* borrowed */
        int fd;
        struct ucred peer;
        uid_t key;             /* query.sock: as whom the peer counts, query-peer.h */
        bool privileged;       /* came over activator.sock, as root */
        struct lease *lease;   /* borrowed; the lease that it waits for */
        struct enter *enter;   /* REQUEST_ENTER, until there is a lease or an answer */
        struct report *report; /* REQUEST_REPORT */
        sd_event_source *io_source;
        sd_event_source *timeout_source;
        struct reply *replies; /* REQUEST_STATUS: what is still to be sent */
        size_t n_replies, n_sent;
        bool busy;     /* its request has come */
        bool answered; /* connection_hand_over() */
        struct connection *prev, *next;
};

/*
 * How many connections there may be. Those of query.sock, which any user may open, count until they have a
 * lease: then the limits of leases count.
 */
#define CONNECTIONS_MAX 1024
#define QUERIES_MAX 128U
#define QUERIES_PER_USER_MAX 8U

/* Says something about what a peer did. */
static void _printf_(2, 3) remark(const struct connection *connection, const char *format, ...) {
        char text[256];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (connection->privileged)
                log_warning("activator.sock: process %ld: %s", (long)connection->peer.pid, text);
        else
                query_log(connection->server, connection->peer.uid, "process %ld: %s",
                        (long)connection->peer.pid, text);
}

struct listener {
        struct server *server;
        bool privileged;
};

void connection_free(struct connection *connection) {
        if (connection->lease)
                lease_abandon(connection->lease);
        DL_DELETE(connection->server->connections, connection);
        (void)sd_event_source_disable_unref(connection->io_source);
        (void)sd_event_source_disable_unref(connection->timeout_source);
        (void)close(connection->fd);
        free(connection->replies);
        enter_free(connection->enter);
        report_free(connection->report);
        free(connection);
}

void connection_set_enter(struct connection *connection, struct enter *enter) {
        connection->enter = enter;
}

void connection_set_report(struct connection *connection, struct report *report) {
        connection->report = report;
}

static void attach_fd(struct msghdr *message, void *control, size_t size, int fd) {
        struct cmsghdr *header;

        message->msg_control = control;
        message->msg_controllen = size;
        header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
}

/* fd: -1, or a descriptor for the peer. */
static int send_reply(struct connection *connection, const struct reply *reply, int fd) {
        union {
                char buffer[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control = {0};
        struct iovec iovec = {.iov_base = (void *)(uintptr_t)reply, .iov_len = sizeof(*reply)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};

        if (fd >= 0)
                attach_fd(&message, control.buffer, sizeof(control.buffer), fd);
        return sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void reply_with_fd(struct connection *connection, const struct reply *reply, int fd) {
        int r;

        /* A wait=none login has its answer already. */
        r = connection->answered ? 0 : send_reply(connection, reply, fd);
        if (r < 0)
                remark(connection, "cannot be answered: %s", strerror(-r));
        connection_free(connection);
}

void connection_reply(struct connection *connection, const struct reply *reply) {
        reply_with_fd(connection, reply, -1);
}

/*
 * Answers REQUEST_OPEN with its seat. The connection and its lease stay tied until the peer has read the
 * answer and hangs up: one that gave up a moment before leaves the answer unread, the kernel then reports
 * ECONNRESET, and the lease ends. Nobody would ever close it, as its id was never known.
 */
static void hand_over(struct connection *connection, const struct reply *reply) {
        int r;

        r = send_reply(connection, reply, -1);
        if (r < 0)
                connection_free(connection);
        else
                connection->answered = true;
}

/* The answer of a lease, see struct lease_waiter. */
static void handle_answer(void *userdata, const struct reply *reply, int fd) {
        struct connection *connection = userdata;

        if (connection->lease)
                hand_over(connection, reply);
        else
                reply_with_fd(connection, reply, fd);
}

struct lease_waiter connection_waiter(struct connection *connection) {
        return (struct lease_waiter){
                .answer = handle_answer, .userdata = connection, .place = &connection->lease};
}

void connection_reply_text(struct connection *connection, enum reply_type type, const char *text) {
        struct reply reply;

        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        connection_reply(connection, &reply);
}

/* --- requests --------------------------------------------------------------------------------------------
 */

static void handle_close(struct connection *connection, const struct request *request) {
        struct lease *lease = lease_find_for_close(connection->server->leases, request, connection->peer.pid);

        /* A close without a lease is a success: it may come twice, or after an admin's stop. */
        if (lease)
                lease_close(lease);
        connection_reply_text(connection, REPLY_DONE, "");
}

/* Sends as many replies as the socket takes; the rest when there is room. */
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

/* At most one reply a lease. */
static void add_status(struct connection *connection, const struct lease *lease) {
        struct reply *reply = &connection->replies[connection->n_replies];

        if (lease->state == LEASE_ACTIVE)
                lease_fill_reply(lease, REPLY_LEASE, reply);
        else if (lease->state == LEASE_LINGERING)
                linger_fill_reply(lease, reply);
        else
                return;
        connection->n_replies++;
}

/* Root sees every lease over activator.sock; everybody else, and over query.sock also root, their own. */
static void handle_status(struct connection *connection) {
        struct server *server = connection->server;
        struct lease *lease, *next;

        connection->replies = calloc(HASH_COUNT(server->leases->leases) + 1, sizeof(*connection->replies));
        if (!connection->replies) {
                connection_reply_text(connection, REPLY_FAILED, "out of memory");
                return;
        }
        HASH_ITER (hh, server->leases->leases, lease, next)
                if (connection->privileged || lease->record.uid == connection->peer.uid)
                        add_status(connection, lease);
        reply_init(&connection->replies[connection->n_replies++], REPLY_DONE);
        send_replies(connection);
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        connection_free(userdata);
        return 0;
}

/* As much of the report as the socket takes; the rest when there is room, until the deadline. */
static void continue_report(struct connection *connection) {
        int r = report_send(connection->report, connection->fd);

        if (r == 0)
                r = sd_event_source_set_io_events(connection->io_source, EPOLLOUT);
        else
                r = -ENODATA;
        if (r < 0)
                connection_free(connection);
}

void connection_send_report(struct connection *connection, const struct reply *reply) {
        int r;

        r = send_reply(connection, reply, -1);
        if (r >= 0)
                r = sd_event_add_time_relative(connection->server->event, &connection->timeout_source,
                        CLOCK_MONOTONIC, REQUEST_TIMEOUT_USEC, 0, handle_timeout, connection);
        if (r < 0)
                connection_free(connection);
        else
                continue_report(connection);
}

/* The report has its own time limit. */
static void handle_report(struct connection *connection, const struct request *request) {
        connection->timeout_source = sd_event_source_disable_unref(connection->timeout_source);
        report_begin(connection->server, connection, connection->fd, request, &connection->peer);
}

static void handle_open(struct connection *connection, const struct request *request, int *pidfd) {
        const struct lease_waiter waiter = connection_waiter(connection);
        int owned = *pidfd;

        *pidfd = -1;
        /* Whatever comes of it: a login that goes on without a seat is one for the fence. */
        fence_note(COURSE_LOGIN_DIRECTORY, request->uid, request->user);
        /* From here on the lease's deadline bounds the wait. */
        connection->timeout_source = sd_event_source_disable_unref(connection->timeout_source);
        lease_open(connection->server->leases, &waiter, request, &connection->peer, owned);
}

static void handle_enter(struct connection *connection, const struct request *request, int *pidfd) {
        int owned = *pidfd;

        if (!query_peer_may_enter(connection->server, connection->peer.uid, now_monotonic_usec())) {
                /* coursenet-enter tries again, for as long as it would wait for its seat. */
                remark(connection, "asks for a seat more often than it may, and has to wait");
                connection_free(connection);
                return;
        }
        *pidfd = -1;
        connection->timeout_source = sd_event_source_disable_unref(connection->timeout_source);
        enter_begin(connection->server, connection, request, &connection->peer, owned);
}

static void handle_hold(struct connection *connection, const struct request *request) {
        const struct lease_waiter waiter = connection_waiter(connection);

        connection->timeout_source = sd_event_source_disable_unref(connection->timeout_source);
        lease_hold(connection->server->leases, &waiter, request);
}

static void handle_stop(struct connection *connection, const struct request *request) {
        unsigned n = lease_stop_all(connection->server->leases, request->user);
        char text[REPLY_TEXT_SIZE];

        log_notice("Root (process %ld) stopped %u lease%s of %s", (long)connection->peer.pid, n,
                n == 1 ? "" : "s", request->user);
        (void)snprintf(text, sizeof(text), "%u", n);
        connection_reply_text(connection, REPLY_DONE, text);
}

static void handle_reloaded(void *userdata, bool good, const char *text) {
        connection_reply_text(userdata, good ? REPLY_DONE : REPLY_FAILED, text);
}

/* A reload goes on when the one who asked hangs up: the answer finds the connection as it is. */
static void wait_for_reload(struct connection *connection) {
        connection->timeout_source = sd_event_source_disable_unref(connection->timeout_source);
        (void)sd_event_source_set_enabled(connection->io_source, SD_EVENT_OFF);
}

static void dispatch(struct connection *connection, const struct request *request, int *pidfd) {
        if (!connection->privileged && request->type != REQUEST_STATUS && request->type != REQUEST_ENTER &&
                request->type != REQUEST_REPORT) {
                connection_reply_text(connection, REPLY_REFUSED, "only root may ask for this");
                return;
        }

        switch ((enum request_type)request->type) {
        case REQUEST_OPEN:
                handle_open(connection, request, pidfd);
                return;
        case REQUEST_CLOSE:
                handle_close(connection, request);
                return;
        case REQUEST_STATUS:
                handle_status(connection);
                return;
        case REQUEST_HOLD:
                handle_hold(connection, request);
                return;
        case REQUEST_STOP:
                handle_stop(connection, request);
                return;
        case REQUEST_RELOAD:
                wait_for_reload(connection);
                reload(connection->server->seats, handle_reloaded, connection);
                return;
        case REQUEST_ENTER:
                handle_enter(connection, request, pidfd);
                return;
        case REQUEST_NOTE:
                fence_note(COURSE_LOGIN_DIRECTORY, request->uid, request->user);
                connection_reply_text(connection, REPLY_DONE, "");
                return;
        case REQUEST_REPORT:
                handle_report(connection, request);
                return;
        case _REQUEST_TYPE_MAX:
                break;
        }
        connection_reply_text(connection, REPLY_REFUSED, "unknown request");
}

/* Takes every descriptor that came along; keeps the first. */
static void take_fds(struct msghdr *message, int *ret_fd) {
        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
                size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < n; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
                        if (*ret_fd < 0)
                                *ret_fd = fd;
                        else
                                (void)close(fd);
                }
        }
}

/* Returns the size of the message; 0: the peer hung up; negative errno. */
static ssize_t receive(int fd, void *buffer, size_t size, int *ret_fd) {
        union {
                char buffer[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        struct iovec iovec = {.iov_base = buffer, .iov_len = size};
        struct msghdr message = {
                .msg_iov = &iovec,
                .msg_iovlen = 1,
                .msg_control = control.buffer,
                .msg_controllen = sizeof(control.buffer),
        };
        ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

        if (n < 0)
                return -errno;
        take_fds(&message, ret_fd);
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
        /* A second message while the first is being answered is none of the protocol's. */
        if (n <= 0 || connection->busy) {
                connection_free(connection);
                return;
        }

        r = request_check(&buffer, (size_t)n);
        if (r < 0) {
                remark(connection, "sent something that is not a request");
                connection_reply_text(connection, REPLY_REFUSED,
                        r == -EPROTO ? "the activator speaks another version of the protocol; is it older "
                                       "than the module?"
                                     : "malformed request");
                return;
        }
        connection->busy = true;
        dispatch(connection, &buffer.request, &pidfd);
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct connection *connection = userdata;

        (void)source;
        (void)fd;
        /* A hang-up too is read, as an end of file or an error: which one makes a difference. */
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                handle_message(connection);
        else if ((events & EPOLLOUT) && connection->report)
                continue_report(connection);
        else if (events & EPOLLOUT)
                send_replies(connection);
        return 0;
}

/* --- accepting -------------------------------------------------------------------------------------------
 */

static bool admit_login(const struct server *server) {
        const struct connection *connection;
        unsigned n = 0;

        DL_FOREACH (server->connections, connection)
                n += connection->privileged;
        if (n < CONNECTIONS_MAX)
                return true;
        log_error("There are " STRINGIFY(CONNECTIONS_MAX) " logins under way; one more is refused");
        return false;
}

/*
 * A program that wants something sends its request at once. So when there is no room, the connection that has
 * been silent for longest is closed: nobody can keep others out by connections that send nothing.
 */
static bool has_room(struct server *server, uid_t key) {
        struct connection *connection, *silent = NULL;
        unsigned n = 0, n_of_user = 0;

        DL_FOREACH (server->connections, connection) {
                if (connection->privileged || connection->lease)
                        continue;
                n++;
                n_of_user += connection->key == key;
                if (!silent && !connection->busy)
                        silent = connection;
        }
        if (n_of_user >= QUERIES_PER_USER_MAX)
                return false;
        if (n < QUERIES_MAX)
                return true;
        if (silent)
                connection_free(silent);
        return silent;
}

static bool admit_query(struct server *server, const struct ucred *peer) {
        if (has_room(server, query_peer_key(server, peer->uid)))
                return true;
        query_log(server, peer->uid, "has too many connections open; a new one is refused");
        return false;
}

static int watch_connection(struct connection *connection) {
        sd_event *event = connection->server->event;
        int r;

        r = sd_event_add_io(event, &connection->io_source, connection->fd, EPOLLIN, handle_io, connection);
        if (r >= 0)
                r = sd_event_source_set_priority(connection->io_source, PRIORITY_REQUEST);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &connection->timeout_source, CLOCK_MONOTONIC,
                        REQUEST_TIMEOUT_USEC, 0, handle_timeout, connection);
        return r;
}

/* Takes fd. */
static void connection_new(struct server *server, int fd, const struct ucred *peer, bool privileged) {
        struct connection *connection = malloc(sizeof(*connection));

        if (!connection) {
                (void)close(fd);
                return;
        }
        *connection = (struct connection){
                .server = server,
                .fd = fd,
                .peer = *peer,
                .key = privileged ? 0 : query_peer_key(server, peer->uid),
                .privileged = privileged,
        };
        DL_APPEND(server->connections, connection);
        if (watch_connection(connection) < 0)
                connection_free(connection);
        else if (!privileged)
                /* A request that has been sent already is read before another connection can take this one's
                 * place. */
                handle_message(connection);
}

static int handle_accept(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct listener *listener = userdata;
        _cleanup_close_ int connection_fd = -1;
        struct ucred peer;

        (void)source;
        (void)events;
        connection_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection_fd < 0) {
                if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                        log_error("Cannot accept a connection: %m");
                return 0;
        }
        if (peer_credentials(connection_fd, &peer) < 0 || (listener->privileged && peer.uid != 0))
                return 0;
        if (!(listener->privileged ? admit_login(listener->server) : admit_query(listener->server, &peer)))
                return 0;

        connection_new(listener->server, connection_fd, &peer, listener->privileged);
        connection_fd = -1;
        return 0;
}

static void free_listener(void *userdata) {
        free(userdata);
}

int server_listen(struct server *server, int fd, bool privileged) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        struct listener *listener = malloc(sizeof(*listener));
        int r;

        if (!listener)
                return -ENOMEM;
        *listener = (struct listener){.server = server, .privileged = privileged};

        r = sd_event_add_io(server->event, &source, fd, EPOLLIN, handle_accept, listener);
        if (r < 0) {
                free(listener);
                return r;
        }
        (void)sd_event_source_set_destroy_callback(source, free_listener);
        (void)sd_event_source_set_io_fd_own(source, true);
        r = sd_event_source_set_priority(source, PRIORITY_REQUEST);
        if (r < 0)
                return r;
        return sd_event_source_set_floating(source, true);
}
