/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl start` takes an administrator's hold on seats, so that they are up before a class begins;
 * `stop` ends every lease of seats. The requests for a course's seats are sent in parallel, so that systemd
 * starts the seats as fast as the machine can.
 */

#include <fcntl.h>

#include "activator-client.h"
#include "base/admin-log.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/json.h"
#include "base/target.h"
#include "seat-command.h"

/* How many requests are under way at once: enough to keep systemd busy, and few enough for its queue and the
 * activator's. */
#define BATCH 32U
#define TIMEOUT_MS 120000U

const struct syntax start_syntax = {
        .usage = "Usage: coursenetctl start [--json] COURSE|SEAT|USER\n"
                 "\n"
                 "Starts a seat, or all seats of a course, and keeps them up until `coursenetctl stop` or "
                 "the\n"
                 "next boot. Logins then do not wait for the seat.\n",
        .options = TAKES_JSON,
        .words_min = 1,
        .words_max = 1,
        .first = WORD_TARGET,
};

const struct syntax stop_syntax = {
        .usage = "Usage: coursenetctl stop [--json] COURSE|SEAT|USER\n"
                 "\n"
                 "Ends every lease of a seat, or of all seats of a course: holds and logins. Students who "
                 "are\n"
                 "logged in get a message on their terminals. Their processes lose the network or are "
                 "killed,\n"
                 "depending on the setting leftover.\n",
        .options = TAKES_JSON,
        .words_min = 1,
        .words_max = 1,
        .first = WORD_UP,
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

/*
 * An activator that was restarted may have carried the request out without an answer, so the request is sent
 * again. Two requests to hold a seat are one hold, and a second stop ends nothing.
 */
static int ask_until_answered(
        const struct paths *paths, const struct request *request, uint64_t deadline, struct reply *ret) {
        int r;

        do
                r = activator_call(paths->activator_socket, request, -1, deadline, ret);
        while (activator_retry(r, deadline));
        return r;
}

/* A request for a hold that is under way. */
struct hold {
        int fd;
        const struct target_seat *seat;
        struct request request;
};

/* What has become of the requests so far. */
struct outcome {
        size_t n_held;
        json_object *document; /* with --json; otherwise NULL */
        json_object *seats;    /* borrowed: the list in the document */
};

static void outcome_done(struct outcome *outcome) {
        json_done(&outcome->document);
}

static int send_hold(const struct paths *paths, const struct site *site, const struct target_seat *seat,
        uint64_t deadline, struct hold *ret) {
        struct request *request = &ret->request;
        int r;

        request_init(request, REQUEST_HOLD);
        request->timeout_ms = TIMEOUT_MS;
        r = name_rule_format(&site->settings.rule, seat->course->bridge.course, seat->student, request->user);
        if (r < 0)
                return r;
        r = activator_connect(paths->activator_socket, deadline);
        if (r < 0)
                return r;

        ret->fd = r;
        ret->seat = seat;
        return activator_send(ret->fd, request, -1, deadline);
}

/* reason: NULL if the seat is held. */
static int put_hold(json_object *seats, const struct hold *hold, const char *reason) {
        json_object *object = json_append_object(seats);

        if (!object || json_put_text(object, "seat", hold->seat->plan->name) < 0 ||
                json_put_text(object, "user", hold->request.user) < 0 ||
                json_put(object, "held", json_object_new_boolean(!reason)) < 0 ||
                json_put_text(object, "reason", reason) < 0)
                return -ENOMEM;
        return 0;
}

/* Prints why a seat is not held. */
static void receive_hold(
        const struct paths *paths, struct hold *hold, uint64_t deadline, struct outcome *outcome) {
        char text[REPLY_TEXT_SIZE + 64];
        const char *reason = NULL;
        struct reply reply;
        int r = activator_receive(hold->fd, &reply, deadline);

        close_pointer(&hold->fd);
        if (activator_retry(r, deadline))
                r = ask_until_answered(paths, &hold->request, deadline, &reply);
        if (r < 0)
                (void)snprintf(text, sizeof(text), "no answer from the activator: %s", strerror(-r));
        else if (reply.type != REPLY_DONE)
                (void)snprintf(text, sizeof(text), "%s", reply.text);
        if (r < 0 || reply.type != REPLY_DONE)
                reason = text;
        outcome->n_held += !reason;
        if (outcome->document && put_hold(outcome->seats, hold, reason) < 0)
                complain("%s", strerror(ENOMEM));
        if (reason)
                complain("%s: %s", hold->request.user, reason);
}

/* Returns an exit code. */
static int hold_batch(const struct paths *paths, const struct site *site, const struct target_seat *seats,
        size_t n, struct outcome *outcome) {
        uint64_t deadline = deadline_after_ms(TIMEOUT_MS);
        struct hold holds[BATCH];
        size_t n_sent = 0;
        int r = 0;

        while (n_sent < n && r >= 0) {
                r = send_hold(paths, site, &seats[n_sent], deadline, &holds[n_sent]);
                n_sent += r >= 0;
        }
        for (size_t i = 0; i < n_sent; i++)
                receive_hold(paths, &holds[i], deadline, outcome);
        return r < 0 ? complain_of_activator(paths->activator_socket, r) : EXIT_DONE;
}

static int begin_outcome(struct outcome *ret) {
        ret->document = json_new_document();
        ret->seats = ret->document ? json_put_array(ret->document, "seats") : NULL;
        return ret->seats ? 0 : -ENOMEM;
}

static void print_held(const struct outcome *outcome, size_t n_seats) {
        if (outcome->document)
                (void)json_print(outcome->document);
        else
                (void)printf("%zu of %zu seat%s %s up and held.\n", outcome->n_held, n_seats, plural(n_seats),
                        outcome->n_held == 1 ? "is" : "are");
}

int start_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_target_ struct target target = {0};
        _cleanup_site_ struct site site = {0};
        _cleanup_(outcome_done) struct outcome outcome = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &start_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        /* Before anything else: users who may not ask may not read the rosters either, and would get a
         * message about those. */
        if (faccessat(AT_FDCWD, paths->activator_socket, W_OK, AT_EACCESS) < 0 && errno == EACCES)
                return complain_of_activator(paths->activator_socket, -EACCES);
        r = find_target(paths, arguments.words[0], &site, &target);
        if (r == EXIT_DONE && arguments.json && begin_outcome(&outcome) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }

        for (size_t i = 0; i < target.n_seats && r == EXIT_DONE; i += BATCH) {
                size_t n = target.n_seats - i < BATCH ? target.n_seats - i : BATCH;

                r = hold_batch(paths, &site, &target.seats[i], n, &outcome);
        }
        if (outcome.n_held > 0 || r == EXIT_DONE)
                admin_log(paths, "start", arguments.words[0], "%zu of %zu seat%s %s up and held",
                        outcome.n_held, target.n_seats, plural(target.n_seats),
                        outcome.n_held == 1 ? "is" : "are");
        if (r != EXIT_DONE)
                return r;

        print_held(&outcome, target.n_seats);
        return outcome.n_held == target.n_seats ? EXIT_DONE : EXIT_NO;
}

static int print_ended(const char *number, bool json) {
        _cleanup_json_ json_object *document = NULL;

        if (!json) {
                (void)printf("%s lease%s ended.\n", number, string_equal(number, "1") ? "" : "s");
                return 0;
        }
        document = json_new_document();
        if (!document || json_put(document, "n_ended", json_object_new_int64(strtoll(number, NULL, 10))) < 0)
                return -ENOMEM;
        return json_print(document);
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
        r = ask_until_answered(paths, &request, deadline_after_ms(TIMEOUT_MS), &reply);
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
        admin_log(paths, "stop", arguments.words[0], "%s lease%s ended", reply.text,
                string_equal(reply.text, "1") ? "" : "s");
        if (print_ended(reply.text, arguments.json) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        return EXIT_DONE;
}
