/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a peer's uid to its name, and on to lease_open(). */

#include "enter-request.h"
#include "lease/lease.h"
#include "whois.h"

struct enter {
        struct server *server;
        struct connection *connection;
        struct request request;
        struct ucred peer;
        int pidfd;
        struct whois_question *question;
};

void enter_free(struct enter *enter) {
        if (!enter)
                return;
        if (enter->question)
                whois_forget(enter->question);
        close_pointer(&enter->pidfd);
        free(enter);
}

/* A login's name came from root: nobody needs to be asked again. NULL: there is none. */
static const char *find_name(const struct server *server, uid_t uid) {
        struct lease *lease, *next;

        HASH_ITER (hh, server->leases->leases, lease, next)
                if (lease->record.uid == uid && !lease->record.hold && lease->state == LEASE_ACTIVE)
                        return lease->record.user;
        return NULL;
}

/* What of the request is the peer's to say; the rest is ours. */
static void fill_request(
        const struct request *request, const struct ucred *peer, const char *name, struct request *ret) {
        request_init(ret, REQUEST_ENTER);
        ret->flags = request->flags & REQUEST_WAIT_CONTAINER;
        ret->timeout_ms = request->timeout_ms;
        ret->uid = peer->uid;
        protocol_copy_text(ret->user, sizeof(ret->user), name);
        protocol_copy_text(ret->service, sizeof(ret->service), ENTER_SERVICE);
        protocol_copy_text(ret->tty, sizeof(ret->tty), request->tty);
}

static void handle_name(void *userdata, const char *name, const char *reason) {
        struct enter *enter = userdata;
        struct connection *connection = enter->connection;
        const struct lease_waiter waiter = connection_waiter(connection);
        struct request request;
        int pidfd = enter->pidfd;

        enter->question = NULL;
        enter->pidfd = -1;
        connection_set_enter(connection, NULL);
        if (name) {
                fill_request(&enter->request, &enter->peer, name, &request);
                lease_open(enter->server->leases, &waiter, &request, &enter->peer, pidfd);
        } else {
                close_pointer(&pidfd);
                connection_reply_text(connection, REPLY_FAILED, reason);
        }
        enter_free(enter);
}

/* Takes pidfd. */
static struct enter *enter_new(struct server *server, struct connection *connection,
        const struct request *request, const struct ucred *peer, int pidfd) {
        struct enter *enter = malloc(sizeof(*enter));

        if (!enter) {
                close_pointer(&pidfd);
                return NULL;
        }
        *enter = (struct enter){
                .server = server,
                .connection = connection,
                .request = *request,
                .peer = *peer,
                .pidfd = pidfd,
        };
        return enter;
}

void enter_begin(struct server *server, struct connection *connection, const struct request *request,
        const struct ucred *peer, int pidfd) {
        const char *name = find_name(server, peer->uid);
        const struct lease_waiter waiter = connection_waiter(connection);
        struct request complete;
        struct enter *enter;

        if (name) {
                fill_request(request, peer, name, &complete);
                lease_open(server->leases, &waiter, &complete, peer, pidfd);
                return;
        }
        enter = enter_new(server, connection, request, peer, pidfd);
        if (!enter || whois_ask(server, peer->uid, handle_name, enter, &enter->question) < 0) {
                enter_free(enter);
                connection_reply_text(connection, REPLY_FAILED, "out of memory");
                return;
        }
        connection_set_enter(connection, enter);
}
