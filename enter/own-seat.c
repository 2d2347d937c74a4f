/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends the activator a request with a pidfd of this process and gets a reply with the namespace. The request
 * for one's own seat does not name a seat, because the activator knows who asks.
 */

#include <sys/pidfd.h>
#include <sys/socket.h>

#include "activator-client.h"
#include "capability.h"
#include "command-line.h"
#include "number.h"
#include "own-seat.h"
#include "report-lines.h"

#define TIMEOUT_SEAT_MS 20000U
#define TIMEOUT_CONTAINER_MS 60000U

/* The user database may take 20 s. */
#define TIMEOUT_VISIT_MS 60000U

/* What exchange() may return in addition to negative errno. */
#define EXCHANGE_IMPOSTOR 1

void own_seat_done(struct own_seat *seat) {
        close_pointer(&seat->namespace_fd);
}

/* The terminal, if any, on which the user gets a message when an administrator stops the seat. */
static void fill_tty(struct request *request) {
        char name[ORIGIN_SIZE];

        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (ttyname_r(fd, name, sizeof(name)) == 0) {
                        protocol_copy_text(request->tty, sizeof(request->tty), name);
                        return;
                }
}

/* The uid that a user namespace shows for uids that it does not map, such as root's. */
#define OVERFLOW_UID 65534U

/* systemd made the socket as root, so if it does not belong to root, somebody has replaced it. */
static bool is_impostor(int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return true;
        return peer.uid != 0 && !(peer.uid == OVERFLOW_UID && capability_in_user_namespace());
}

static int exchange(
        const struct request *request, int pidfd, uint64_t deadline, struct reply *ret_reply, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        int r;

        r = activator_connect(QUERY_SOCKET, deadline);
        if (r < 0)
                return r;
        fd = r;
        if (is_impostor(fd))
                return EXCHANGE_IMPOSTOR;
        r = activator_send(fd, request, pidfd, deadline);
        if (r < 0)
                return r;
        r = activator_receive_fd(fd, ret_reply, ret_fd, deadline);
        if (r >= 0 && ret_reply->type == REPLY_REPORT)
                report_lines_print(fd, "coursenet-enter");
        return r;
}

static int ask(const struct request *request, int pidfd, struct reply *ret_reply, int *ret_fd) {
        uint64_t deadline = deadline_after_ms(request->timeout_ms);
        int r;

        do
                r = exchange(request, pidfd, deadline, ret_reply, ret_fd);
        while (activator_retry(r, deadline));
        return r;
}

static int report_unreachable(int error) {
        switch (error) {
        case EXCHANGE_IMPOSTOR:
                complain("The program that listens at " QUERY_SOCKET " is not the activator.");
                break;
        case -ETIMEDOUT:
                complain("The activator did not answer in time. Please try again.");
                break;
        case -ECONNRESET:
        case -EPIPE:
                complain("The activator closed the connection. You may have too many requests under way; "
                         "please try again later.");
                break;
        case -EBADMSG:
        case -EPROTO:
                complain("The activator is of another version. Please tell an administrator to restart it.");
                break;
        case -EACCES:
        case -EPERM:
                complain("You may not ask the activator (" QUERY_SOCKET "): %s.", strerror(-error));
                return EXIT_NO;
        default:
                complain("The activator cannot be reached (" QUERY_SOCKET "): %s.", strerror(-error));
        }
        return EXIT_UNREACHABLE;
}

static int report_refusal(const struct request *request, const struct reply *reply) {
        /* Its lines have been printed. */
        if (reply->type == REPLY_REPORT)
                return EXIT_NO;
        if (request->type == REQUEST_VISIT) {
                complain("Cannot enter the network of %s: %s.", request->user, reply->text);
                return EXIT_NO;
        }
        switch ((enum reply_type)reply->type) {
        case REPLY_NO_SEAT:
        case REPLY_NO_NAME:
                complain("You have no seat: %s.", reply->text);
                break;
        case REPLY_REFUSED:
                complain("Refused: %s.", reply->text);
                break;
        case REPLY_NOT_HERE:
                complain("%s", reply->text);
                break;
        case REPLY_TIMEOUT:
                complain("Your seat did not come up in time: %s.", reply->text);
                break;
        case REPLY_NO_CONTAINER:
                complain(
                        "Your seat came up, but its container did not: %s. coursenet-enter --seat enters the "
                        "network alone.",
                        reply->text);
                break;
        default:
                complain("Your seat did not come up: %s. Please tell an administrator.", reply->text);
        }
        return EXIT_NO;
}

/* The reply's texts become names and variables, so they are checked, although root sent them. */
static bool reply_names_seat(const struct reply *reply) {
        size_t length = strlen(reply->course);

        return digits_only(reply->course) && length < COURSE_SIZE && digits_only(reply->seat) &&
               strlen(reply->seat) < SEAT_ID_SIZE && strlen(reply->seat) > length &&
               string_starts_with(reply->seat, reply->course) && reply->address != 0;
}

/* Takes fd. */
static int take_answer(
        const struct request *request, const struct reply *reply, int fd, struct own_seat *ret) {
        _cleanup_close_ int owned = fd;

        if (reply->type != REPLY_DONE)
                return report_refusal(request, reply);
        if (fd < 0 || !reply_names_seat(reply)) {
                complain("The activator's answer has an invalid seat.");
                return EXIT_NO;
        }
        *ret = (struct own_seat){.address = reply->address, .namespace_fd = fd};
        (void)string_copy(ret->course, sizeof(ret->course), reply->course);
        (void)string_copy(ret->name, sizeof(ret->name), reply->seat);
        owned = -1;
        return 0;
}

/* Sends the request with a pidfd of this process. Returns an exit code. */
static int open_seat(const struct request *request, struct own_seat *ret) {
        _cleanup_close_ int pidfd = -1;
        struct reply reply;
        int fd = -1, r;

        pidfd = pidfd_open(getpid(), 0);
        if (pidfd < 0) {
                complain("Cannot open a pidfd: %m.");
                return EXIT_NO;
        }
        r = ask(request, pidfd, &reply, &fd);
        return r != 0 ? report_unreachable(r) : take_answer(request, &reply, fd, ret);
}

int own_seat_open(bool container, struct own_seat *ret) {
        struct request request;
        int r;

        request_init(&request, REQUEST_ENTER);
        request.flags = container ? REQUEST_WAIT_CONTAINER : 0;
        request.timeout_ms = container ? TIMEOUT_CONTAINER_MS : TIMEOUT_SEAT_MS;
        fill_tty(&request);
        r = activator_draw_token(request.lease);
        if (r < 0) {
                complain("Cannot draw a random number: %s.", strerror(-r));
                return EXIT_NO;
        }
        return open_seat(&request, ret);
}

int own_seat_visit(const char *student, struct own_seat *ret) {
        struct request request;

        request_init(&request, REQUEST_VISIT);
        request.timeout_ms = TIMEOUT_VISIT_MS;
        (void)string_copy(request.service, sizeof(request.service), "visit");
        if (string_copy(request.user, sizeof(request.user), student) < 0) {
                complain("'%s' is too long for a student or a seat.", student);
                return EXIT_NO;
        }
        return open_seat(&request, ret);
}
