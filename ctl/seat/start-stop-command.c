/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl start` takes an administrator's hold on seats, so that they are up before a class begins;
 * `stop` ends every lease of seats. The requests for a course's seats are sent in parallel, so that systemd
 * starts the seats as fast as the machine can.
 */

#include <fcntl.h>

#include "activator-client.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/target.h"
#include "seat-command.h"

/* How many requests are under way at once: enough to keep systemd busy, and few enough for its queue and the
 * activator's. */
#define BATCH 32U
#define TIMEOUT_MS 120000U

static const struct syntax start_syntax = {
        .usage = "Usage: coursenetctl start COURSE|SEAT|USER\n"
                 "\n"
                 "Starts a seat, or all seats of a course, and keeps them up until `coursenetctl stop` or "
                 "the\n"
                 "next boot. Logins then do not wait for the seat.\n",
        .words_min = 1,
        .words_max = 1,
};

static const struct syntax stop_syntax = {
        .usage = "Usage: coursenetctl stop COURSE|SEAT|USER\n"
                 "\n"
                 "Ends every lease of a seat, or of all seats of a course: holds and logins. Students who "
                 "are\n"
                 "logged in get a message on their terminals. Their processes lose the network or are "
                 "killed,\n"
                 "depending on the setting leftover.\n",
        .words_min = 1,
        .words_max = 1,
};

/* Returns an exit code. *target borrows from *site. */
static int find_target(
        const struct paths *paths, const char *word, struct site *site, struct target *target) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        if (site_load(paths->etc, site, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                return EXIT_NO;
        }
        if (target_find(site, word, target) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        if (target->n_seats == 0) {
                complain("'%s' is neither a course, nor a seat, nor a user on a roster.", word);
                return EXIT_NO;
        }
        return EXIT_DONE;
}

/* A request for a hold that is under way. */
struct hold {
        int fd;
        char user[USER_NAME_SIZE];
};

static int send_hold(const struct paths *paths, const struct site *site, const struct target_seat *seat,
        uint64_t deadline, struct hold *ret) {
        struct request request;
        int r;

        request_init(&request, REQUEST_HOLD);
        request.timeout_ms = TIMEOUT_MS;
        r = name_rule_format(&site->settings.rule, seat->course->bridge.course, seat->student, request.user);
        if (r < 0)
                return r;
        r = activator_connect(paths->activator_socket, deadline);
        if (r < 0)
                return r;

        *ret = (struct hold){.fd = r};
        (void)string_copy(ret->user, sizeof(ret->user), request.user);
        return activator_send(ret->fd, &request, -1, deadline);
}

/* True if the seat is held; otherwise prints why not. */
static bool receive_hold(struct hold *hold, uint64_t deadline) {
        struct reply reply;
        int r = activator_receive(hold->fd, &reply, deadline);

        close_pointer(&hold->fd);
        if (r < 0)
                complain("%s: no answer from the activator: %s", hold->user, strerror(-r));
        else if (reply.type != REPLY_DONE)
                complain("%s: %s", hold->user, reply.text);
        return r >= 0 && reply.type == REPLY_DONE;
}

/* Returns an exit code; adds to *n_held. */
static int hold_batch(const struct paths *paths, const struct site *site, const struct target_seat *seats,
        size_t n, size_t *n_held) {
        uint64_t deadline = deadline_after_ms(TIMEOUT_MS);
        struct hold holds[BATCH];
        size_t n_sent = 0;
        int r = 0;

        while (n_sent < n && r >= 0) {
                r = send_hold(paths, site, &seats[n_sent], deadline, &holds[n_sent]);
                n_sent += r >= 0;
        }
        for (size_t i = 0; i < n_sent; i++)
                *n_held += receive_hold(&holds[i], deadline);
        return r < 0 ? complain_of_activator(paths->activator_socket, r) : EXIT_DONE;
}

int start_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_target_ struct target target = {0};
        _cleanup_site_ struct site site = {0};
        struct arguments arguments;
        size_t n_held = 0;
        int r;

        r = arguments_parse(argc, argv, &start_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        /* Before anything else: users who may not ask may not read the rosters either, and would get a
         * message about those. */
        if (faccessat(AT_FDCWD, paths->activator_socket, W_OK, AT_EACCESS) < 0 && errno == EACCES)
                return complain_of_activator(paths->activator_socket, -EACCES);
        r = find_target(paths, arguments.words[0], &site, &target);

        for (size_t i = 0; i < target.n_seats && r == EXIT_DONE; i += BATCH) {
                size_t n = target.n_seats - i < BATCH ? target.n_seats - i : BATCH;

                r = hold_batch(paths, &site, &target.seats[i], n, &n_held);
        }
        if (r != EXIT_DONE)
                return r;

        (void)printf("%zu of %zu seat%s %s up and held.\n", n_held, target.n_seats, plural(target.n_seats),
                n_held == 1 ? "is" : "are");
        return n_held == target.n_seats ? EXIT_DONE : EXIT_NO;
}

int stop_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_target_ struct target target = {0};
        _cleanup_site_ struct site site = {0};
        struct arguments arguments;
        struct request request;
        struct reply reply;
        int r;

        r = arguments_parse(argc, argv, &stop_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;

        request_init(&request, REQUEST_STOP);
        if (string_copy(request.user, sizeof(request.user), arguments.words[0]) < 0) {
                complain("'%s' is too long for a course, a seat or a user.", arguments.words[0]);
                return EXIT_NO;
        }
        r = activator_call(paths->activator_socket, &request, -1, deadline_after_ms(TIMEOUT_MS), &reply);
        if (r < 0)
                return complain_of_activator(paths->activator_socket, r);
        if (reply.type != REPLY_DONE) {
                complain("The activator refused: %s", reply.text);
                return EXIT_NO;
        }

        /* A student who was removed from the roster may still have had a lease. Only without one, the word
         * may be a typo. */
        if (string_equal(reply.text, "0")) {
                r = find_target(paths, arguments.words[0], &site, &target);
                if (r != EXIT_DONE)
                        return r;
        }
        (void)printf("%s lease%s ended.\n", reply.text, string_equal(reply.text, "1") ? "" : "s");
        return EXIT_DONE;
}
