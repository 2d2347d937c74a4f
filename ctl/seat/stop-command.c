/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl stop` ends every lease of seats; `coursenetctl release` ends the holds on them, and no login.
 */

#include "base/admin-log.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/hold-client.h"
#include "base/hosts-list.h"
#include "base/json.h"
#include "seat-command.h"
#include "seat-target.h"

const struct syntax release_syntax = {
        .usage = "Usage: coursenetctl release [--json] COURSE|SEAT|USER\n"
                 "\n"
                 "Ends the holds on a seat, or on all seats of a course: those of `coursenetctl start` and "
                 "of\n"
                 "the schedule. No login ends. A seat that nobody uses then stops.\n",
        .options = TAKES_JSON,
        .words_min = 1,
        .words_max = 1,
        .first = WORD_UP,
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

struct ending {
        const struct syntax *syntax;
        enum request_type type;
        const char *command, *what; /* what: "lease" */
        const char *ended, *key;    /* for people, and in the JSON */
};

static const struct ending release = {
        &release_syntax, REQUEST_RELEASE, "release", "hold", "released", "n_released"};
static const struct ending stop = {&stop_syntax, REQUEST_STOP, "stop", "lease", "ended", "n_ended"};

static int print_ended(const struct ending *ending, const char *number, bool json) {
        _cleanup_json_ json_object *document = NULL;

        if (!json) {
                (void)printf("%s %s%s %s.\n", number, ending->what, string_equal(number, "1") ? "" : "s",
                        ending->ended);
                return 0;
        }
        document = json_new_document();
        if (!document ||
                json_put(document, ending->key, json_object_new_int64(strtoll(number, NULL, 10))) < 0)
                return -ENOMEM;
        return json_print(document);
}

/* Returns an exit code. */
static int ask(const struct paths *paths, const struct ending *ending, const char *word, struct reply *ret) {
        struct request request;
        int r;

        request_init(&request, ending->type);
        if (string_copy(request.user, sizeof(request.user), word) < 0) {
                complain("'%s' is too long for a course, a seat or a user.", word);
                return EXIT_NO;
        }
        r = hold_client_ask(paths->activator_socket, &request, ret);
        if (r < 0)
                return complain_of_activator(paths->activator_socket, r);
        if (ret->type == REPLY_DONE)
                return EXIT_DONE;
        complain("The activator refused: %s", ret->text);
        return EXIT_NO;
}

/* Returns how many of the seats are live on other servers, after a message for each. */
static size_t tell_elsewhere(const struct paths *paths, const struct ending *ending, const char *word) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_hosts_list_ struct hosts_list list = {0};

        if (settings_load(paths->etc, &settings, &ignored) < 0 || !hosts_configured(&settings) ||
                hosts_list_ask(paths->hosts_socket, settings.course_digits, &list) < 0)
                return 0;
        return hosts_list_tell_elsewhere(&list, word, paths->scope, ending->command, stderr);
}

static int end_leases(const struct paths *paths, const struct ending *ending, int argc, char **argv) {
        _cleanup_target_ struct target target = {0};
        _cleanup_site_ struct site site = {0};
        struct arguments arguments;
        const char *word;
        struct reply reply;
        int r;

        r = arguments_parse(argc, argv, ending->syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        r = seat_target_delegate(paths, ending->command, &arguments);
        if (r >= 0)
                return r;
        word = arguments.words[0];
        if (!seat_target_is_allowed(paths, word))
                return EXIT_NO;
        r = ask(paths, ending, word, &reply);
        /* A student who was removed from the roster may still have had a lease. Only without one, the word
         * may be a typo. */
        if (r == EXIT_DONE && string_equal(reply.text, "0"))
                r = seat_target_find(paths, word, &site, &target);
        if (r != EXIT_DONE)
                return r;
        admin_log(paths, ending->command, word, "%s %s%s %s", reply.text, ending->what,
                string_equal(reply.text, "1") ? "" : "s", ending->ended);
        if (print_ended(ending, reply.text, arguments.json) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        return tell_elsewhere(paths, ending, word) > 0 && string_equal(reply.text, "0") ? EXIT_NO : EXIT_DONE;
}

int release_command(const struct paths *paths, int argc, char **argv) {
        return end_leases(paths, &release, argc, argv);
}

int stop_command(const struct paths *paths, int argc, char **argv) {
        return end_leases(paths, &stop, argc, argv);
}
