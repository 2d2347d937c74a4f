/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer that does not read has what is for it waiting in a queue, up to a limit. */

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utlist.h>

#include "log.h"
#include "message-fd.h"
#include "server.h"

#define CONNECTIONS_MAX 64U
#define QUEUE_MAX 20000U

struct outgoing {
        struct hosts_reply reply;
        int fd;
        struct outgoing *prev, *next;
};

struct hosts_connection {
        struct hosts_server *server;
        int fd;
        sd_event_source *source;
        bool watches;
        struct outgoing *queue; /* a utlist */
        unsigned n_queued;
        struct hosts_connection *prev, *next;
};

static void free_outgoing(struct hosts_connection *connection, struct outgoing *outgoing) {
        DL_DELETE(connection->queue, outgoing);
        connection->n_queued--;
        close_pointer(&outgoing->fd);
        free(outgoing);
}

static void close_connection(struct hosts_connection *connection) {
        struct hosts_server *server = connection->server;
        struct outgoing *outgoing, *next;

        server->gone(server->userdata, connection);
        DL_DELETE(server->connections, connection);
        server->n_connections--;
        DL_FOREACH_SAFE(connection->queue, outgoing, next)
        free_outgoing(connection, outgoing);
        (void)sd_event_source_disable_unref(connection->source);
        (void)close(connection->fd);
        free(connection);
}

/* --- sending --------------------------------------------------------------------------------- */

static int send_one(const struct hosts_connection *connection, const struct outgoing *outgoing) {
        struct iovec iovec = {
                .iov_base = (void *)(uintptr_t)&outgoing->reply, .iov_len = sizeof(outgoing->reply)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;

        message_attach_fd(&message, &room, outgoing->fd);
        return sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Returns whether the connection is still of use. */
static bool send_queue(struct hosts_connection *connection) {
        while (connection->queue) {
                int r = send_one(connection, connection->queue);

                if (r == -EAGAIN)
                        break;
                if (r < 0)
                        return false;
                free_outgoing(connection, connection->queue);
        }
        return sd_event_source_set_io_events(
                       connection->source, connection->queue ? EPOLLIN | EPOLLOUT : EPOLLIN) >= 0;
}

/* A connection that is of no use any longer is closed by the loop, which sees the same error. */
static void break_off(const struct hosts_connection *connection) {
        (void)shutdown(connection->fd, SHUT_RDWR);
}

void hosts_reply_send(struct hosts_connection *connection, const struct hosts_reply *reply, int fd) {
        struct outgoing *outgoing = connection->n_queued < QUEUE_MAX ? malloc(sizeof(*outgoing)) : NULL;

        if (!outgoing) {
                close_pointer(&fd);
                break_off(connection);
                return;
        }
        *outgoing = (struct outgoing){.reply = *reply, .fd = fd};
        DL_APPEND(connection->queue, outgoing);
        connection->n_queued++;
        if (!send_queue(connection))
                break_off(connection);
}

void hosts_connection_watch(struct hosts_connection *connection) {
        connection->watches = true;
}

bool hosts_connection_watches(const struct hosts_connection *connection) {
        return connection->watches;
}

void hosts_push(struct hosts_server *server, const struct hosts_reply *reply) {
        struct hosts_connection *connection;

        DL_FOREACH (server->connections, connection)
                if (connection->watches)
                        hosts_reply_send(connection, reply, -1);
}

/* --- receiving ------------------------------------------------------------------------------- */

/* Returns whether the connection is still of use. */
static bool receive(struct hosts_connection *connection) {
        struct hosts_server *server = connection->server;
        struct hosts_request request;
        ssize_t n;

        /* With MSG_TRUNC n is the size of the message and not of what fits. */
        n = recv(connection->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return false;
        if (hosts_request_check(&request, (size_t)n) < 0) {
                log_warning("A connection is closed, because what came is no request of this version");
                return false;
        }
        server->handle(server->userdata, connection, &request);
        return true;
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct hosts_connection *connection = userdata;
        bool good = true;

        (void)source;
        (void)fd;
        if (events & EPOLLOUT)
                good = send_queue(connection);
        if (good && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                good = receive(connection);
        if (!good)
                close_connection(connection);
        return 0;
}

static bool is_welcome(int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) >= 0 && peer.uid == getuid();
}

static int handle_connect(sd_event_source *source, int listen_fd, uint32_t events, void *userdata) {
        struct hosts_server *server = userdata;
        struct hosts_connection *connection;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void)source;
        (void)events;
        if (fd < 0)
                return 0;
        connection = is_welcome(fd) && server->n_connections < CONNECTIONS_MAX
                             ? calloc(1, sizeof(*connection))
                             : NULL;
        if (!connection) {
                (void)close(fd);
                return 0;
        }
        *connection = (struct hosts_connection){.server = server, .fd = fd};
        if (sd_event_add_io(server->event, &connection->source, fd, EPOLLIN, handle_io, connection) < 0) {
                (void)close(fd);
                free(connection);
                return 0;
        }
        DL_APPEND(server->connections, connection);
        server->n_connections++;
        return 0;
}

/* The mode is 0600 from the start, by the umask. */
static int listen_at(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;
        int r;

        r = string_copy(address.sun_path, sizeof(address.sun_path), path);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void)unlink(path);
        (void)umask(0077);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0)
                return -errno;
        r = fd;
        fd = -1;
        return r;
}

int hosts_server_begin(struct hosts_server *server) {
        int fd = listen_at(server->path);

        if (fd < 0)
                return fd;
        server->fd = fd;
        return sd_event_add_io(server->event, &server->source, fd, EPOLLIN, handle_connect, server);
}

void hosts_server_done(struct hosts_server *server) {
        while (server->connections)
                close_connection(server->connections);
        server->source = sd_event_source_disable_unref(server->source);
        close_pointer(&server->fd);
}
