/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keeps some requests under way: when one is answered, the next is sent. */

#include <poll.h>
#include <pwd.h>

#include "activator-client.h"
#include "complain.h"
#include "hold-client.h"

#define AT_ONCE_MAX 64U

/* Those that are under way. */
struct window {
        struct pollfd sockets[AT_ONCE_MAX];
        size_t places[AT_ONCE_MAX]; /* in the array of requests */
        uint64_t deadlines[AT_ONCE_MAX];
        size_t n;
};

int hold_client_prepare(
        const struct site *site, const struct target *target, const char *service, struct request **ret) {
        struct request *requests = calloc(target->n_seats + 1, sizeof(*requests));

        if (!requests)
                return -ENOMEM;
        for (size_t i = 0; i < target->n_seats; i++) {
                const struct target_seat *seat = &target->seats[i];
                const struct passwd *account;
                int r;

                request_init(&requests[i], REQUEST_HOLD);
                requests[i].timeout_ms = HOLD_TIMEOUT_MS;
                (void)string_copy(requests[i].service, sizeof(requests[i].service), service);
                r = name_rule_format(
                        &site->settings.rule, seat->course->bridge.course, seat->student, requests[i].user);
                if (r < 0) {
                        free(requests);
                        return r;
                }
                /* Without an account nothing runs as the student, and the seat comes up even so. */
                account = getpwnam(requests[i].user);
                requests[i].uid = account ? account->pw_uid : 0;
        }
        *ret = requests;
        return 0;
}

static int ask_until(
        const char *socket, const struct request *request, uint64_t deadline, struct reply *ret) {
        int r;

        do
                r = activator_call(socket, request, -1, deadline, ret);
        while (activator_retry(r, deadline));
        return r;
}

int hold_client_ask(const char *socket, const struct request *request, struct reply *ret) {
        return ask_until(socket, request, deadline_after_ms(HOLD_TIMEOUT_MS), ret);
}

static int send_one(const char *socket, const struct request *request, size_t place, struct window *window) {
        uint64_t deadline = deadline_after_ms(HOLD_TIMEOUT_MS);
        int fd = activator_connect(socket, deadline), r;

        if (fd < 0)
                return fd;
        r = activator_send(fd, request, -1, deadline);
        /* An activator that ends has taken the connection; the answer is asked for again. */
        if (r < 0 && r != -EPIPE && r != -ECONNRESET) {
                (void)close(fd);
                return r;
        }
        window->sockets[window->n] = (struct pollfd){.fd = fd, .events = POLLIN};
        window->places[window->n] = place;
        window->deadlines[window->n++] = deadline;
        return 0;
}

/* Takes the request out of the window. */
static void receive_one(const char *socket, const struct request *requests, struct window *window, size_t i,
        hold_callback_t callback, void *userdata) {
        uint64_t deadline = window->deadlines[i];
        size_t place = window->places[i];
        char text[REPLY_TEXT_SIZE + 64];
        struct reply reply;
        int r = activator_receive(window->sockets[i].fd, &reply, deadline);

        (void)close(window->sockets[i].fd);
        window->n--;
        window->sockets[i] = window->sockets[window->n];
        window->places[i] = window->places[window->n];
        window->deadlines[i] = window->deadlines[window->n];
        if (activator_retry(r, deadline))
                r = ask_until(socket, &requests[place], deadline, &reply);
        if (r < 0)
                (void)snprintf(text, sizeof(text), "no answer from the activator: %s", strerror(-r));
        else
                (void)snprintf(text, sizeof(text), "%s", reply.text);
        callback(userdata, place, r < 0 || reply.type != REPLY_DONE ? text : NULL);
}

/* Those that are answered; after the time of one, all of them, because receiving ends at the deadline. */
static void receive_some(const char *socket, const struct request *requests, struct window *window,
        hold_callback_t callback, void *userdata) {
        int n = poll(window->sockets, window->n, (int)HOLD_TIMEOUT_MS);

        for (size_t i = window->n; i-- > 0;)
                if (n <= 0 || window->sockets[i].revents)
                        receive_one(socket, requests, window, i, callback, userdata);
}

int hold_client_run(const char *socket, const struct request *requests, size_t n, unsigned at_once,
        hold_callback_t callback, void *userdata) {
        struct window window = {0};
        size_t n_sent = 0;
        int r = 0;

        while (window.n > 0 || (r >= 0 && n_sent < n)) {
                while (r >= 0 && n_sent < n && window.n < at_once && window.n < AT_ONCE_MAX) {
                        r = send_one(socket, &requests[n_sent], n_sent, &window);
                        n_sent += r >= 0;
                }
                if (window.n > 0)
                        receive_some(socket, requests, &window, callback, userdata);
        }
        return r;
}
