/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the peer may was decided by the child that printed the grant. */

#include "grant-answer.h"
#include "base/log.h"
#include "capture-request.h"
#include "lease/lease-log.h"
#include "seat-namespace.h"

/* The log has everything, and the student is told what others do. does: "captures the packets of". */
static void announce(const struct connection *connection, struct lease_table *leases,
        const struct seat_grant *grant, const char *id, const char *does, const char *program) {
        char name[USER_NAME_SIZE + 16], text[2 * USER_NAME_SIZE];

        if (grant->peer[0])
                (void)string_copy(name, sizeof(name), grant->peer);
        else
                (void)snprintf(name, sizeof(name), "user %u", (unsigned)connection->peer.uid);
        log_explained(id, SD_NOTICE, "%s %s seat %s of %s", name, does, grant->seat, grant->user);
        if (grant->own)
                return;
        (void)snprintf(
                text, sizeof(text), "\r\n%s %s your seat %s, with %s.\r\n", name, does, grant->seat, program);
        lease_tell_seat(leases, grant->seat, text);
}

void grant_answer_capture(struct connection *connection, struct lease_table *leases, uid_t key,
        const struct seat_grant *grant) {
        _cleanup_close_ int fd = -1;
        const char *reason;
        struct reply reply;

        fd = capture_connect(key, grant, &reason);
        if (fd < 0) {
                connection_remark(
                        connection, "cannot capture seat %s: %s: %s", grant->seat, reason, strerror(-fd));
                connection_reply_text(connection, fd == -EBUSY ? REPLY_REFUSED : REPLY_FAILED, reason);
                return;
        }
        announce(connection, leases, grant, MESSAGE_CAPTURE, "captures the packets of", "coursenet-capture");
        reply_init(&reply, REPLY_DONE);
        connection_reply_fd(connection, &reply, fd);
}

/* A visit is no lease: the seat stops with the student's logout, and the visitor loses the network with it.
 */
void grant_answer_visit(
        struct connection *connection, struct lease_table *leases, const struct seat_grant *grant) {
        _cleanup_close_ int fd = -1;
        const char *failed;
        struct reply reply;

        fd = seat_namespace_open(grant->seat, &failed);
        if (fd < 0) {
                connection_reply_text(connection, REPLY_FAILED, "the seat is not up");
                return;
        }
        announce(connection, leases, grant, MESSAGE_VISIT, "has entered the network of", "coursenet-enter");
        reply_init(&reply, REPLY_DONE);
        reply.address = grant->address;
        (void)string_copy(reply.course, sizeof(reply.course), grant->course);
        (void)string_copy(reply.seat, sizeof(reply.seat), grant->seat);
        connection_reply_fd(connection, &reply, fd);
}
