/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the name of the peer's uid, and then asks lease_open() for a lease. */

#include "enter-request.h"
#include "lease/lease-request.h"
#include "lease/lease-table.h"

struct enter {
        struct lease_table *leases;
        struct lease_waiter waiter;
        struct request request;
        struct ucred peer;
        int pidfd;
        struct whois_question *question;
        struct enter **place;
};

void enter_free(struct enter **place) {
        struct enter *enter = *place;

        if (!enter)
                return;
        *place = NULL;
        if (enter->question)
                whois_forget(enter->question);
        close_pointer(&enter->pidfd);
        free(enter);
}

/* The token gets into the lease's record as it is. Without one a repeated request gets a lease of its own. */
static bool has_token(const struct request *request) {
        size_t length = strlen(request->lease);

        return length < TOKEN_SIZE && strspn(request->lease, TOKEN_DIGITS) == length;
}

/* Only these fields come from the peer's request. */
static void fill_request(
        const struct request *request, const struct ucred *peer, const char *name, struct request *ret) {
        request_init(ret, REQUEST_ENTER);
        ret->flags = request->flags & REQUEST_WAIT_CONTAINER;
        ret->timeout_ms = request->timeout_ms;
        ret->uid = peer->uid;
        protocol_copy_text(ret->user, sizeof(ret->user), name);
        protocol_copy_text(ret->service, sizeof(ret->service), ENTER_SERVICE);
        protocol_copy_text(ret->tty, sizeof(ret->tty), request->tty);
        if (has_token(request))
                protocol_copy_text(ret->lease, sizeof(ret->lease), request->lease);
}

static void handle_name(void *userdata, const char *name, const char *reason) {
        struct enter *enter = userdata;
        const struct lease_waiter waiter = enter->waiter;
        struct lease_table *leases = enter->leases;
        const struct ucred peer = enter->peer;
        struct request request;
        int pidfd = -1;

        enter->question = NULL;
        if (name) {
                fill_request(&enter->request, &peer, name, &request);
                pidfd = enter->pidfd;
                enter->pidfd = -1;
        }
        enter_free(enter->place);
        if (name)
                lease_open(leases, &waiter, &request, &peer, pidfd);
        else
                lease_answer_text(&waiter, REPLY_FAILED, reason);
}

/* Takes pidfd. */
static struct enter *enter_new(struct lease_table *leases, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *peer, int pidfd, struct enter **place) {
        struct enter *enter = malloc(sizeof(*enter));

        if (!enter) {
                close_pointer(&pidfd);
                return NULL;
        }
        *enter = (struct enter){
                .leases = leases,
                .waiter = *waiter,
                .request = *request,
                .peer = *peer,
                .pidfd = pidfd,
                .place = place,
        };
        *place = enter;
        return enter;
}

void enter_begin(struct whois *whois, struct lease_table *leases, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *peer, int pidfd, struct enter **place) {
        /* A login's name came from root, so the user database need not be asked. */
        const char *name = lease_table_user_name(leases, peer->uid);
        struct request complete;
        struct enter *enter;

        if (name) {
                fill_request(request, peer, name, &complete);
                lease_open(leases, waiter, &complete, peer, pidfd);
                return;
        }
        enter = enter_new(leases, waiter, request, peer, pidfd, place);
        if (enter && whois_ask(whois, peer->uid, handle_name, enter, &enter->question) >= 0)
                return;
        enter_free(place);
        lease_answer_text(waiter, REPLY_FAILED, "out of memory");
}
