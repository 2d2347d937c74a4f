/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sends the request and copies the answer to standard output and standard error. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "activator-client.h"
#include "complain.h"
#include "report-client.h"
#include "scope.h"
#include "terminal.h"

/* Longer than the activator allows a report and those before it in the queue. */
#define REPORT_TIMEOUT_MS 90000U
#define CHANGE_TIMEOUT_MS 600000U
#define CHUNK_SIZE 65536U

/* How long to retry when the activator hangs up. */
#define RETRY_TIMEOUT_MS 20000U

bool report_is_for_staff(const struct paths *paths) {
        _cleanup_scope_ struct scope scope = {0};

        if (geteuid() == 0)
                return false;
        scope_find_own(paths->etc, &scope);
        return scope_is_staff(&scope);
}

static int make_request(
        enum request_type type, const char *command, const struct arguments *arguments, struct request *ret) {
        request_init(ret, type);
        ret->flags = (arguments->json ? REQUEST_JSON : 0U) | (arguments->no_legend ? REQUEST_NO_LEGEND : 0U);
        if (string_copy(ret->service, sizeof(ret->service), command) < 0 ||
                (arguments->n_words > 0 &&
                        string_copy(ret->user, sizeof(ret->user), arguments->words[0]) < 0) ||
                (arguments->at && string_copy(ret->tty, sizeof(ret->tty), arguments->at) < 0) ||
                (arguments->since &&
                        string_copy(ret->remote_host, sizeof(ret->remote_host), arguments->since) < 0) ||
                (arguments->until && string_copy(ret->lease, sizeof(ret->lease), arguments->until) < 0))
                return -ENAMETOOLONG;
        return 0;
}

/* The activator may need time before its answer, but not in the middle of it. */
static int copy(int fd, FILE *stream, size_t size) {
        static char chunk[CHUNK_SIZE];

        while (size > 0) {
                ssize_t n = recv(fd, chunk, size < sizeof(chunk) ? size : sizeof(chunk), 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -ECONNRESET;
                (void)fwrite(chunk, 1, (size_t)n, stream);
                size -= (size_t)n;
        }
        return 0;
}

static int receive(int fd, const struct request *request, struct reply *ret) {
        bool change = request->type == REQUEST_CHANGE;
        int r = activator_receive(fd, ret, deadline_after_ms(change ? CHANGE_TIMEOUT_MS : REPORT_TIMEOUT_MS));

        if (r >= 0 && ret->type == REPLY_REPORT)
                r = copy(fd, stdout, ret->address);
        if (r >= 0 && ret->type == REPLY_REPORT)
                r = copy(fd, stderr, ret->prefix);
        return r;
}

/* The caller closes *ret_fd; -1: there is no text. */
static int make_text(const char *text, int *ret_fd) {
        size_t size = text ? strlen(text) : 0;
        _cleanup_close_ int fd = -1;

        *ret_fd = -1;
        if (!text)
                return 0;
        fd = memfd_create("coursenet-change", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (size > CHANGE_TEXT_MAX)
                return -EFBIG;
        if (write(fd, text, size) != (ssize_t)size || fcntl(fd, F_ADD_SEALS, CHANGE_TEXT_SEALS) < 0)
                return -EIO;
        *ret_fd = fd;
        fd = -1;
        return 0;
}

static int try(const char *path, const struct request *request, int text, struct reply *ret) {
        uint64_t deadline = deadline_after_ms(REPORT_TIMEOUT_MS);
        _cleanup_close_ int fd = activator_connect(path, deadline);
        int r;

        if (fd < 0) {
                r = fd;
                fd = -1;
                return r;
        }
        r = activator_send(fd, request, text, deadline);
        return r < 0 ? r : receive(fd, request, ret);
}

/* A program that serves many users, such as a hub, may send many requests at once. */
static int call(const char *path, const struct request *request, int text, struct reply *ret) {
        uint64_t deadline = deadline_after_ms(RETRY_TIMEOUT_MS);
        int r;

        do {
                *ret = (struct reply){0};
                r = try(path, request, text, ret);
                /* After the answer has begun, a part of it may be printed already. */
        } while (ret->type == 0 && activator_retry(r, deadline));
        return r;
}

static int ask(const struct paths *paths, enum request_type type, const char *command,
        const struct arguments *arguments, const char *text) {
        _cleanup_close_ int text_fd = -1;
        struct request request;
        struct reply reply;
        int r;

        if (make_request(type, command, arguments, &request) < 0) {
                complain("The argument '%s' is too long.",
                        arguments->at ? arguments->at : arguments->words[0]);
                return EXIT_NO;
        }
        r = make_text(text, &text_fd);
        if (r < 0) {
                complain("The request cannot be made: %s", strerror(-r));
                return EXIT_NO;
        }
        if (type == REQUEST_REPORT && !arguments->json && !arguments->no_pager)
                terminal_open_pager();
        r = call(paths->query_socket, &request, text_fd, &reply);
        if (r < 0)
                return complain_of_activator(paths->query_socket, r);
        if (reply.type != REPLY_REPORT) {
                complain("The activator refused: %s", reply.text);
                return EXIT_NO;
        }
        return reply.pid;
}

int report_ask(const struct paths *paths, const char *command, const struct arguments *arguments) {
        return ask(paths, REQUEST_REPORT, command, arguments, NULL);
}

int report_ask_change(
        const struct paths *paths, const char *command, const struct arguments *arguments, const char *text) {
        return ask(paths, REQUEST_CHANGE, command, arguments, text);
}
