/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Checks which peer may send which request, and passes each request to the part that answers it. No other
 * file decides that.
 */

#include "dispatch.h"
#include "base/event.h"
#include "base/log.h"
#include "fence-note.h"
#include "grant-answer.h"
#include "lease/lease-request.h"
#include "lease/lease-table.h"
#include "reload.h"

static void handle_open(
        struct services *services, struct connection *connection, const struct request *request, int *pidfd) {
        const struct lease_waiter waiter = connection_waiter(connection);
        int owned = *pidfd;

        *pidfd = -1;
        /* In any case, because a login that goes on without a seat must be fenced. */
        fence_note(COURSE_LOGIN_DIRECTORY, request->uid, request->user);
        /* From here on the lease's deadline bounds the wait. */
        connection_wait(connection);
        lease_open(services->leases, &waiter, request, &connection->peer, owned);
}

static void handle_close(
        struct services *services, struct connection *connection, const struct request *request) {
        /* A close without a lease is a success: it may come twice, or after an administrator's stop. */
        lease_close(services->leases, request, connection->peer.pid);
        connection_reply_text(connection, REPLY_DONE, "");
}

struct status {
        const struct connection *connection;
        struct reply *replies;
        size_t n;
};

static void add_status(struct lease *lease, void *userdata) {
        struct status *status = userdata;

        if (status->connection->privileged || lease_uid(lease) == status->connection->peer.uid)
                status->n += lease_fill_status(lease, &status->replies[status->n]);
}

/* Root sees every lease over activator.sock; everybody else, and over query.sock also root, their own. */
static void handle_status(struct services *services, struct connection *connection) {
        struct status status = {.connection = connection};

        status.replies = calloc(lease_table_size(services->leases) + 1, sizeof(*status.replies));
        if (!status.replies) {
                connection_reply_text(connection, REPLY_FAILED, "out of memory");
                return;
        }
        lease_table_each(services->leases, add_status, &status);
        reply_init(&status.replies[status.n++], REPLY_DONE);
        connection_reply_all(connection, status.replies, status.n);
}

static void handle_hold(
        struct services *services, struct connection *connection, const struct request *request) {
        const struct lease_waiter waiter = connection_waiter(connection);

        connection_wait(connection);
        lease_hold(services->leases, &waiter, request);
}

static void reply_number(struct connection *connection, unsigned n) {
        char text[REPLY_TEXT_SIZE];

        (void)snprintf(text, sizeof(text), "%u", n);
        connection_reply_text(connection, REPLY_DONE, text);
}

static void handle_stop(
        struct services *services, struct connection *connection, const struct request *request) {
        unsigned n = lease_stop_all(services->leases, request->user);

        log_notice("Root (process %ld) stopped %u lease%s of %s", (long)connection->peer.pid, n,
                n == 1 ? "" : "s", request->user);
        reply_number(connection, n);
}

static void handle_release(
        struct services *services, struct connection *connection, const struct request *request) {
        unsigned n = lease_release_all(services->leases, request->user, request->service);

        log_notice("Root (process %ld) released %u hold%s of %s", (long)connection->peer.pid, n,
                n == 1 ? "" : "s", request->user);
        reply_number(connection, n);
}

static void handle_reloaded(void *userdata, bool good, const char *text) {
        connection_reply_text(userdata, good ? REPLY_DONE : REPLY_FAILED, text);
}

/* A reload continues when its peer hangs up, so the answer must find the connection. */
static void handle_reload(struct services *services, struct connection *connection) {
        connection_wait(connection);
        connection_ignore_peer(connection);
        reload(services->seats, handle_reloaded, connection);
}

static void handle_enter(
        struct services *services, struct connection *connection, const struct request *request, int *pidfd) {
        const struct lease_waiter waiter = connection_waiter(connection);
        int owned = *pidfd;

        if (!query_peer_may_enter(&services->peers, connection->peer.uid, now_monotonic_usec())) {
                /* coursenet-enter retries for as long as it would wait for its seat. */
                connection_remark(connection, "asks for a seat more often than it may, and has to wait");
                connection_free(connection);
                return;
        }
        *pidfd = -1;
        connection_wait(connection);
        enter_begin(&services->whois, services->leases, &waiter, request, &connection->peer, owned,
                &connection->enter);
}

static void handle_note(struct connection *connection, const struct request *request) {
        fence_note(COURSE_LOGIN_DIRECTORY, request->uid, request->user);
        connection_reply_text(connection, REPLY_DONE, "");
}

static void handle_report_reply(void *userdata, const struct reply *reply) {
        struct connection *connection = userdata;

        if (connection->report)
                connection_send_report(connection, reply);
        else
                connection_reply(connection, reply);
}

/* The grant that the child has printed. False: there is none, and the peer has been answered. */
static bool take_grant(struct connection *connection, const struct reply *reply, struct seat_grant *ret) {
        bool granted = connection->report && reply->pid == 0;

        if (!granted)
                handle_report_reply(connection, reply);
        else if (report_read_grant(connection->report, ret) >= 0)
                return true;
        else
                connection_reply_text(connection, REPLY_FAILED, "coursenetctl is of another version");
        return false;
}

static void handle_capture(void *userdata, const struct reply *reply) {
        struct connection *connection = userdata;
        struct services *services = connection->userdata;
        struct seat_grant grant;

        if (take_grant(connection, reply, &grant))
                grant_answer_capture(connection, services->leases,
                        query_peer_key(&services->peers, connection->peer.uid), &grant);
}

static void handle_visit(void *userdata, const struct reply *reply) {
        struct connection *connection = userdata;
        struct services *services = connection->userdata;
        struct seat_grant grant;

        if (take_grant(connection, reply, &grant))
                grant_answer_visit(connection, services->leases, &grant);
}

static report_callback_t find_report_handler(enum request_type type) {
        switch (type) {
        case REQUEST_CAPTURE:
                return handle_capture;
        case REQUEST_VISIT:
                return handle_visit;
        default:
                return handle_report_reply;
        }
}

/*
 * The report has its own time limit. Changes, captures and visits cost more than a report, so they have the
 * pace of coursenet-enter.
 */
static void handle_report(
        struct services *services, struct connection *connection, const struct request *request, int text) {
        int r;

        if (request->type != REQUEST_REPORT &&
                !query_peer_may_enter(&services->peers, connection->peer.uid, now_monotonic_usec())) {
                connection_remark(connection, "asks for changes, captures or visits more often than it may");
                connection_reply_text(connection, REPLY_REFUSED,
                        "these are too many requests at once; try again in a minute");
                return;
        }
        connection_wait(connection);
        r = report_begin(&services->reports, connection->fd, request, &connection->peer, text,
                find_report_handler((enum request_type)request->type), connection, &connection->report);
        if (r < 0)
                connection_reply_text(connection, REPLY_FAILED, strerror(-r));
}

static bool is_for_everybody(const struct request *request) {
        return request->type == REQUEST_STATUS || request->type == REQUEST_ENTER ||
               request->type == REQUEST_REPORT || request->type == REQUEST_CHANGE ||
               request->type == REQUEST_CAPTURE || request->type == REQUEST_VISIT;
}

void dispatch_request(
        void *userdata, struct connection *connection, const struct request *request, int *pidfd) {
        struct services *services = userdata;

        if (!connection->privileged && !is_for_everybody(request)) {
                connection_reply_text(connection, REPLY_REFUSED, "only root may ask for this");
                return;
        }

        switch ((enum request_type)request->type) {
        case REQUEST_OPEN:
                handle_open(services, connection, request, pidfd);
                return;
        case REQUEST_CLOSE:
                handle_close(services, connection, request);
                return;
        case REQUEST_STATUS:
                handle_status(services, connection);
                return;
        case REQUEST_HOLD:
                handle_hold(services, connection, request);
                return;
        case REQUEST_STOP:
                handle_stop(services, connection, request);
                return;
        case REQUEST_RELOAD:
                handle_reload(services, connection);
                return;
        case REQUEST_ENTER:
                handle_enter(services, connection, request, pidfd);
                return;
        case REQUEST_NOTE:
                handle_note(connection, request);
                return;
        case REQUEST_RELEASE:
                handle_release(services, connection, request);
                return;
        case REQUEST_REPORT:
        case REQUEST_CHANGE:
        case REQUEST_CAPTURE:
        case REQUEST_VISIT:
                handle_report(services, connection, request, *pidfd);
                return;
        case _REQUEST_TYPE_MAX:
                break;
        }
        connection_reply_text(connection, REPLY_REFUSED, "unknown request");
}
