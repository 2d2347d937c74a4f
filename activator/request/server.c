/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepts connections, or refuses them when there are too many. */

#include <utlist.h>

#include "base/event.h"
#include "base/log.h"
#include "base/peer.h"
#include "lease/lease-table.h"
#include "server.h"

/*
 * How many connections there may be. Those of query.sock, which any user may open, count until they have a
 * lease: then the limits of leases count.
 */
#define CONNECTIONS_MAX 1024
#define QUERIES_MAX 128U
#define QUERIES_PER_USER_MAX 8U

/* For how long nothing is accepted if the activator or the kernel has too little for one more connection. */
#define ACCEPT_PAUSE_USEC (USEC_PER_SEC / 10)

struct listener {
        struct server *server;
        sd_event_source *accept, *pause;
        bool privileged;
};

void server_init(struct server *server, sd_event *event, struct lease_table *leases, struct seats *seats) {
        struct services *services = &server->services;

        *server = (struct server){.event = event};
        services->leases = leases;
        services->seats = seats;
        services->peers = (struct query_peers){.has_lease = lease_table_has_user, .userdata = leases};
        services->log = (struct query_log){.event = event, .peers = &services->peers};
        whois_init(&services->whois, event, &services->log);
        peer_reports_init(&services->reports, event, &services->log, &services->peers);
}

void server_done(struct server *server) {
        while (server->connections)
                connection_free(server->connections);
        whois_done(&server->services.whois);
        peer_reports_done(&server->services.reports);
        query_log_done(&server->services.log);
        query_peers_done(&server->services.peers);
}

static bool admit_login(const struct server *server) {
        const struct connection *connection;
        unsigned n = 0;

        DL_FOREACH (server->connections, connection)
                n += connection->privileged;
        if (n < CONNECTIONS_MAX)
                return true;
        log_explained(MESSAGE_TOO_MANY_LOGINS, SD_ERR,
                "There are " STRINGIFY(CONNECTIONS_MAX) " logins under way; one more is refused");
        return false;
}

/*
 * A real client sends its request at once. So when there is no room, the connection that has been silent for
 * longest is closed, and a user cannot keep others out by connections that send nothing.
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
        if (has_room(server, query_peer_key(&server->services.peers, peer->uid)))
                return true;
        query_log(&server->services.log, peer->uid, "has too many connections open; a new one is refused");
        return false;
}

/* Takes fd. */
static void add(struct server *server, int fd, const struct ucred *peer, bool privileged) {
        const struct connection connection = {
                .list = &server->connections,
                .event = server->event,
                .log = &server->services.log,
                .handle_request = dispatch_request,
                .userdata = &server->services,
                .fd = fd,
                .peer = *peer,
                .key = privileged ? 0 : query_peer_key(&server->services.peers, peer->uid),
                .privileged = privileged,
        };

        connection_add(&connection);
}

static int handle_pause(sd_event_source *source, uint64_t usec, void *userdata) {
        struct listener *listener = userdata;

        (void)source;
        (void)usec;
        return sd_event_source_set_enabled(listener->accept, SD_EVENT_ON);
}

/* The connection waits in the socket. Without a pause the loop would accept, and fail, as fast as it can. */
static void pause_listening(struct listener *listener) {
        int r = sd_event_source_set_time_relative(listener->pause, ACCEPT_PAUSE_USEC);

        if (r >= 0)
                r = sd_event_source_set_enabled(listener->pause, SD_EVENT_ONESHOT);
        if (r >= 0)
                (void)sd_event_source_set_enabled(listener->accept, SD_EVENT_OFF);
}

static int handle_accept(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct listener *listener = userdata;
        _cleanup_close_ int connection_fd = -1;
        struct ucred peer;

        (void)source;
        (void)events;
        connection_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection_fd < 0) {
                if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                        log_error("Cannot accept a connection: %m; it waits");
                        pause_listening(listener);
                }
                return 0;
        }
        if (peer_credentials(connection_fd, &peer) < 0 || (listener->privileged && peer.uid != 0))
                return 0;
        if (!(listener->privileged ? admit_login(listener->server) : admit_query(listener->server, &peer)))
                return 0;

        add(listener->server, connection_fd, &peer, listener->privileged);
        connection_fd = -1;
        return 0;
}

static void free_listener(void *userdata) {
        free(userdata);
}

int server_listen(struct server *server, int fd, bool privileged) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *accept = NULL, *pause = NULL;
        struct listener *listener = malloc(sizeof(*listener));
        int r;

        if (!listener)
                return -ENOMEM;
        *listener = (struct listener){.server = server, .privileged = privileged};

        /* Here, because a timer needs a descriptor, of which there may be none when it is needed. */
        r = sd_event_add_time(server->event, &pause, CLOCK_MONOTONIC, UINT64_MAX, 0, handle_pause, listener);
        if (r >= 0)
                r = sd_event_add_io(server->event, &accept, fd, EPOLLIN, handle_accept, listener);
        if (r < 0) {
                free(listener);
                return r;
        }
        (void)sd_event_source_set_destroy_callback(accept, free_listener);
        (void)sd_event_source_set_io_fd_own(accept, true);
        /* Borrowed: the event loop has both, and frees them at its end. */
        listener->accept = accept;
        listener->pause = pause;
        r = sd_event_source_set_floating(pause, true);
        if (r >= 0)
                r = sd_event_source_set_priority(accept, PRIORITY_REQUEST);
        return r < 0 ? r : sd_event_source_set_floating(accept, true);
}
