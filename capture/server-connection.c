/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The activator lets root decide (coursenetctl for-peer), whose sentence comes back if the answer is no. */

#include "server-connection.h"
#include "activator-client.h"
#include "command-line.h"
#include "report-lines.h"

/* A user database that hangs ends the child of the activator after 20 s, and others may be before it. */
#define TIMEOUT_MS 60000U

static int exchange(const struct request *request, struct reply *ret, int *ret_fd, int *ret_connection) {
        uint64_t deadline = deadline_after_ms(TIMEOUT_MS);
        _cleanup_close_ int connection = activator_connect(QUERY_SOCKET, deadline);
        int r = connection;

        if (r >= 0)
                r = activator_send(connection, request, -1, deadline);
        if (r >= 0)
                r = activator_receive_fd(connection, ret, ret_fd, deadline);
        if (r < 0)
                return r;
        *ret_connection = connection;
        connection = -1;
        return 0;
}

static int report_unreachable(int error) {
        if (error == -ETIMEDOUT)
                complain("The activator did not answer in time. Please try again.");
        else if (error == -ECONNRESET || error == -EPIPE)
                complain("The activator closed the connection. You may have too many requests under way: "
                         "try again later.");
        else if (error == -EBADMSG || error == -EPROTO)
                complain("The activator is of another version. Please tell an administrator to restart it.");
        else
                complain("The activator cannot be reached (" QUERY_SOCKET "): %s.", strerror(-error));
        return EXIT_UNREACHABLE;
}

int server_connection_open(const char *seat, int *ret_fd) {
        uint64_t deadline = deadline_after_ms(TIMEOUT_MS);
        _cleanup_close_ int connection = -1;
        struct request request;
        struct reply reply;
        int fd = -1, r;

        request_init(&request, REQUEST_CAPTURE);
        (void)string_copy(request.service, sizeof(request.service), "capture");
        if (seat && string_copy(request.user, sizeof(request.user), seat) < 0) {
                complain("'%s' is too long for a seat or a user.", seat);
                return EXIT_NO;
        }
        do
                r = exchange(&request, &reply, &fd, &connection);
        while (activator_retry(r, deadline));
        if (r < 0)
                return report_unreachable(r);
        if (reply.type == REPLY_DONE && fd >= 0) {
                *ret_fd = fd;
                return EXIT_DONE;
        }
        close_pointer(&fd);
        if (reply.type == REPLY_REPORT)
                report_lines_print(connection, "coursenet-capture");
        else
                complain("There is no capture: %s.", reply.text);
        return EXIT_NO;
}
