/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl start` takes an administrator's hold on seats, so that they are up before a class begins. */

#include "base/admin-log.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/hold-client.h"
#include "base/json.h"
#include "base/progress.h"
#include "seat-command.h"
#include "seat-target.h"

/* The next one waits in the activator while systemd starts the units of the first. With more, a login in
 * between would wait for the units of all of them (docs/performance.md). */
#define AT_ONCE 2U

const struct syntax start_syntax = {
        .usage = "Usage: coursenetctl start [--json] COURSE|SEAT|USER\n"
                 "\n"
                 "Starts a seat, or all seats of a course, and keeps them up until `coursenetctl release`,\n"
                 "`coursenetctl stop` or the next boot. Logins then do not wait for the seat.\n",
        .options = TAKES_JSON,
        .words_min = 1,
        .words_max = 1,
        .first = WORD_TARGET,
};

/* What has become of the requests so far. */
struct outcome {
        const struct target *target;
        const struct request *requests;
        struct progress progress;
        size_t n_held;
        json_object *document; /* with --json; otherwise NULL */
        json_object *seats;    /* borrowed: the list in the document */
};

/* reason: NULL if the seat is held. In the order of the seats, in which the answers need not come. */
static int put_hold(struct outcome *outcome, size_t i, const char *reason) {
        json_object *object = json_put_object_at(outcome->seats, i);

        if (!object || json_put_text(object, "seat", outcome->target->seats[i].plan->name) < 0 ||
                json_put_text(object, "user", outcome->requests[i].user) < 0 ||
                json_put(object, "held", json_object_new_boolean(!reason)) < 0 ||
                json_put_text(object, "reason", reason) < 0)
                return -ENOMEM;
        return 0;
}

/* Prints why a seat is not held. */
static void handle_hold(void *userdata, size_t i, const char *reason) {
        struct outcome *outcome = userdata;

        outcome->n_held += !reason;
        if (outcome->document && put_hold(outcome, i, reason) < 0)
                complain("%s", strerror(ENOMEM));
        if (reason) {
                progress_hide(&outcome->progress);
                complain("%s: %s", outcome->requests[i].user, reason);
        }
        progress_step(&outcome->progress);
}

static int begin_document(struct outcome *outcome) {
        outcome->document = json_new_document();
        outcome->seats = outcome->document ? json_put_array(outcome->document, "seats") : NULL;
        return outcome->seats ? 0 : -ENOMEM;
}

static void print_held(const struct outcome *outcome) {
        size_t n = outcome->target->n_seats;

        if (outcome->document)
                (void)json_print(outcome->document);
        else
                (void)printf("%zu of %zu seat%s %s up and held.\n", outcome->n_held, n, plural(n),
                        outcome->n_held == 1 ? "is" : "are");
}

/* Returns an exit code. */
static int hold_seats(const struct paths *paths, const struct site *site, const struct target *target,
        const struct arguments *arguments) {
        _cleanup_json_ json_object *document = NULL;
        _cleanup_free_ struct request *requests = NULL;
        struct outcome outcome = {.target = target};
        int r = hold_client_prepare(site, target, HOLD_SERVICE, &requests);

        if (r >= 0 && arguments->json)
                r = begin_document(&outcome);
        document = outcome.document;
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        outcome.requests = requests;
        outcome.progress = progress_begin("seats", target->n_seats);
        r = hold_client_run(
                paths->activator_socket, requests, target->n_seats, AT_ONCE, handle_hold, &outcome);
        progress_hide(&outcome.progress);
        if (outcome.n_held > 0 || r >= 0)
                admin_log(paths, "start", arguments->words[0], "%zu of %zu seat%s %s up and held",
                        outcome.n_held, target->n_seats, plural(target->n_seats),
                        outcome.n_held == 1 ? "is" : "are");
        if (r < 0)
                return complain_of_activator(paths->activator_socket, r);
        print_held(&outcome);
        return outcome.n_held == target->n_seats ? EXIT_DONE : EXIT_NO;
}

int start_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_target_ struct target target = {0};
        _cleanup_site_ struct site site = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &start_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        /* Before anything else: who may not ask may not read the rosters either, and would get a message
         * about those. */
        r = seat_target_delegate(paths, "start", &arguments);
        if (r >= 0)
                return r;
        r = seat_target_find(paths, arguments.words[0], &site, &target);
        return r == EXIT_DONE ? hold_seats(paths, &site, &target, &arguments) : r;
}
