/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl history`: shows who had which address, and when. */

#include <inttypes.h>

#include "base/arguments.h"
#include "base/calendar.h"
#include "base/complain.h"
#include "base/json.h"
#include "base/lease-list.h"
#include "base/moment.h"
#include "base/report-client.h"
#include "base/table.h"
#include "base/terminal.h"
#include "history-command.h"
#include "history-hosts.h"
#include "lease-journal.h"

const struct syntax history_syntax = {
        .usage = "Usage: coursenetctl history [--json] [--at TIME | --since TIME --until TIME]\n"
                 "                            [--hosts [--directory DIR]] [--no-legend] [--no-pager]\n"
                 "                            [ADDRESS|COURSE|SEAT|USER]\n"
                 "\n"
                 "Shows who had which address and when, with a line for each login, from the journal.\n"
                 "With --at, shows only leases of that time: a day, a minute or a second. With --since or\n"
                 "--until, or both, shows those that existed in between.\n"
                 "With --hosts, also from the journals of other servers that are collected on this one, in\n"
                 "DIR or " HISTORY_COLLECTED ".\n"
                 "\n"
                 "TIME: " MOMENT_FORMS ".\n"
                 "--since and --until also take what systemd.time(7) describes: yesterday, '2 hours ago'.\n",
        .options = TAKES_JSON | TAKES_AT | TAKES_TIMES | TAKES_LEGEND | TAKES_PAGER | TAKES_HOSTS |
                   TAKES_DIRECTORY,
        .words_max = 1,
        .first = WORD_TARGET,
};

struct question {
        const char *word;               /* NULL: anything */
        const char *at, *since, *until; /* as on the command line; NULL: any time */
        struct span span;
        bool no_legend;
        bool partial; /* the caller may not see all courses */
        bool hosts;   /* of other servers, too */
};

static size_t count_shown(const struct lease_journal *journal, const struct question *question) {
        struct past_lease *lease, *next;
        size_t n = 0;

        HASH_ITER (hh, journal->history.leases, lease, next)
                n += past_lease_within(lease, &question->span);
        return n;
}

/* --- for people ------------------------------------------------------------------------------ */

static const char *const headings[] = {"ADDRESS", "USER", "SINCE", "UNTIL", "SERVICE", "FROM", "HOST"};

/* Without --hosts, the last one is left out. */
static size_t n_columns(const struct question *question) {
        return ELEMENTSOF(headings) - !question->hosts;
}

static const char *or_dash(const char *text) {
        return text[0] ? text : "-";
}

static void format_end(const struct past_lease *lease, char *text, size_t size) {
        char until[32];

        moment_format(lease->until_usec, until, sizeof(until));
        if (lease->end == LEASE_END_NONE || lease->end == LEASE_END_UNKNOWN)
                (void)snprintf(text, size, "%s", lease->end == LEASE_END_NONE ? "now" : "not known");
        else
                (void)snprintf(text, size, "%s%s", until,
                        lease->end == LEASE_END_TAKEN  ? " (taken)"
                        : lease->end == LEASE_END_BOOT ? " (host down)"
                                                       : "");
}

static int add_row(
        struct libscols_table *table, const struct past_lease *lease, const struct question *question) {
        char since[32], until[64];

        moment_format(lease->since_usec, since, sizeof(since));
        format_end(lease, until, sizeof(until));
        return table_add(table,
                (const char *const[]){or_dash(lease->address), or_dash(lease->user), since, until,
                        or_dash(lease->service), or_dash(lease->remote_host), or_dash(lease->host)},
                n_columns(question));
}

static int print_table(const struct lease_journal *journal, const struct question *question) {
        _cleanup_table_ struct libscols_table *table = NULL;
        struct past_lease *lease, *next;
        int r;

        r = table_new(headings, n_columns(question), &table);
        if (r >= 0 && question->no_legend)
                table_hide_headings(table);
        HASH_ITER (hh, journal->history.leases, lease, next)
                if (r >= 0 && past_lease_within(lease, &question->span))
                        r = add_row(table, lease, question);
        return r < 0 ? r : table_print(table);
}

/* --- for scripts ----------------------------------------------------------------------------- */

static const char *const end_names[] = {
        [LEASE_END_NONE] = NULL,
        [LEASE_END_LOGOUT] = "logout",
        [LEASE_END_TAKEN] = "taken",
        [LEASE_END_BOOT] = "host-down",
        [LEASE_END_UNKNOWN] = "unknown",
};

static int put_or_null(json_object *object, const char *key, const char *text) {
        return json_put_text(object, key, text[0] ? text : NULL);
}

static int put_lease(json_object *leases, const struct past_lease *lease, bool hosts) {
        json_object *object = json_append_object(leases);

        if (!object)
                return -ENOMEM;
        if (json_put_text(object, "id", lease->id) < 0 || put_or_null(object, "user", lease->user) < 0 ||
                put_or_null(object, "seat", lease->seat) < 0 ||
                put_or_null(object, "address", lease->address) < 0 ||
                put_or_null(object, "address6", lease->address6) < 0 ||
                put_or_null(object, "service", lease->service) < 0 ||
                put_or_null(object, "remote_host", lease->remote_host) < 0 ||
                json_put_time(object, "since", lease->since_usec) < 0 ||
                json_put_time(object, "until", lease->until_usec) < 0 ||
                json_put_text(object, "end", end_names[lease->end]) < 0 ||
                (hosts && put_or_null(object, "host", lease->host) < 0))
                return -ENOMEM;
        return 0;
}

/* How far each server's journal reaches, of those that are collected. */
static int put_hosts(json_object *document, const struct collected *collected) {
        json_object *hosts = json_put_array(document, "hosts");

        for (size_t i = 0; hosts && i < collected->n_machines; i++) {
                json_object *object = json_append_object(hosts);

                if (!object || put_or_null(object, "host", collected->machines[i].name) < 0 ||
                        json_put_time(object, "journal_begins", collected->machines[i].begins_usec) < 0 ||
                        json_put_time(object, "journal_ends", collected->machines[i].ends_usec) < 0)
                        return -ENOMEM;
        }
        return hosts ? 0 : -ENOMEM;
}

static int print_json(const struct lease_journal *journal, const struct question *question) {
        _cleanup_json_ json_object *document = json_new_document();
        struct past_lease *lease, *next;
        json_object *leases;
        int r = 0;

        if (!document || json_put_time(document, "journal_begins", journal->begins_usec) < 0)
                return -ENOMEM;
        leases = json_put_array(document, "leases");
        if (!leases || (question->hosts && put_hosts(document, &journal->collected) < 0))
                return -ENOMEM;
        HASH_ITER (hh, journal->history.leases, lease, next)
                if (r >= 0 && past_lease_within(lease, &question->span))
                        r = put_lease(leases, lease, question->hosts);
        return r < 0 ? r : json_print(document);
}

/* --- messages -------------------------------------------------------------------------------- */

/* Tells how old the journal is, because "not known" must not look like "nothing happened". */
static void report_reach(const struct lease_journal *journal, const struct question *question) {
        const char *why =
                journal->persistent ? "" : " (it is kept in memory only: see journald.conf(5), Storage=)";
        char begins[32];

        moment_format(journal->begins_usec, begins, sizeof(begins));
        if (question->span.from_usec < journal->begins_usec)
                complain("%s begins at %s; what happened before is not known%s.",
                        question->hosts ? "This server's journal" : "The journal", begins, why);
}

static void report_none(const struct question *question) {
        char time[256] = "";
        const char *where = question->partial ? " in the courses of which you are staff" : "";

        if (question->at)
                (void)snprintf(time, sizeof(time), " at %s", question->at);
        else if (question->since || question->until)
                (void)snprintf(time, sizeof(time), "%s%s%s%s", question->since ? " since " : "",
                        question->since ? question->since : "", question->until ? " until " : "",
                        question->until ? question->until : "");
        if (question->word)
                complain("The journal has no lease of '%s'%s%s.", question->word, where, time);
        else
                complain("The journal has no lease%s%s.", where, time);
}

static int read_failed(int r) {
        if (r == -EACCES && geteuid() == 0)
                complain("There is no system journal on this machine. See journald.conf(5), Storage=");
        else if (r == -EACCES)
                complain("Only root, the course's staff " STAFF_HINT
                         " and the group systemd-journal may see who had which address.");
        else
                complain("The journal cannot be read: %s", strerror(-r));
        return EXIT_NO;
}

/* Returns an exit code. */
static int answer(const struct lease_journal *journal, const struct question *question,
        const struct arguments *arguments) {
        bool any = count_shown(journal, question) > 0;
        int r = 0;

        if (!arguments->json && !arguments->no_pager)
                terminal_open_pager();
        if (arguments->json)
                r = print_json(journal, question);
        else if (any)
                r = print_table(journal, question);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        if (!any)
                report_none(question);
        if (!any || question->at || question->since)
                report_reach(journal, question);
        return any ? EXIT_DONE : EXIT_NO;
}

static uint64_t now_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000U;
}

/* The leases that the activator had before the journal was read. The end of a lease may not have been logged.
 */
struct live {
        struct lease_list list;
        bool known; /* the list is there */
        uint64_t usec;
        struct history_hosts hosts;
};

static void live_done(struct live *live) {
        lease_list_done(&live->list);
        history_hosts_done(&live->hosts);
}

static bool is_live(void *userdata, const struct past_lease *lease) {
        const struct live *live = userdata;
        const char *id = lease->id;
        sd_id128_t boot;

        if (sd_id128_get_boot(&boot) < 0 || !sd_id128_equal(boot, lease->boot))
                return history_hosts_may_be_live(&live->hosts, lease);
        if (!live->known)
                return true;
        for (size_t i = 0; i < live->list.n_leases; i++)
                if (string_equal(live->list.leases[i].lease, id))
                        return true;
        for (size_t i = 0; i < live->list.n_lingering; i++)
                if (string_equal(live->list.lingering[i].lease, id))
                        return true;
        return false;
}

/* Only root may ask for all leases; other users get what the journal says. */
static void load_live(const struct paths *paths, struct live *ret) {
        char reason[REPLY_TEXT_SIZE];

        ret->usec = now_usec();
        ret->known = geteuid() == 0 &&
                     lease_list_load(paths->activator_socket, &ret->list, reason, sizeof(reason)) >= 0;
}

/* Returns an exit code. */
static int parse_at(struct question *question) {
        if (moment_parse(question->at, time(NULL), &question->span) < 0) {
                complain("'%s' is not a time; expected " MOMENT_FORMS, question->at);
                return EXIT_USAGE;
        }
        if (question->span.from_usec > now_usec()) {
                complain("'%s' is in the future: for another day than today, give the date", question->at);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

/* Returns an exit code. text: NULL leaves *usec as it is. */
static int parse_end(const char *text, uint64_t *usec) {
        int r = text ? calendar_parse(text, usec) : 0;

        if (r == -EINVAL) {
                complain("'%s' is not a time; see systemd.time(7)", text);
                return EXIT_USAGE;
        }
        if (r < 0) {
                complain("systemd-analyze, which reads '%s', cannot be run: %s", text, strerror(-r));
                return EXIT_NO;
        }
        return EXIT_DONE;
}

/* Returns an exit code. */
static int parse_times(struct question *question) {
        int r;

        if (question->at && (question->since || question->until)) {
                complain("--at says the whole time, so there is no --since or --until with it.");
                return EXIT_USAGE;
        }
        if (question->at)
                return parse_at(question);
        r = parse_end(question->since, &question->span.from_usec);
        return r == EXIT_DONE ? parse_end(question->until, &question->span.to_usec) : r;
}

/* Lets root read the journal. systemd-analyze is run here, not by root. */
static int ask(const struct paths *paths, const struct question *question, struct arguments *arguments) {
        char since[32], until[32];

        if (question->hosts) {
                complain("Only root and the group systemd-journal may read the journals of other servers. "
                         "Without "
                         "--hosts, history shows the leases of your courses on this server.");
                return EXIT_NO;
        }
        (void)snprintf(since, sizeof(since), "@%" PRIu64, question->span.from_usec / USEC_PER_SEC);
        (void)snprintf(until, sizeof(until), "@%" PRIu64, question->span.to_usec / USEC_PER_SEC);
        arguments->since = arguments->since ? since : NULL;
        arguments->until = arguments->until ? until : NULL;
        return report_ask(paths, "history", arguments);
}

/* NULL: of this server only. */
static const char *directory_of(const struct arguments *arguments) {
        if (arguments->directory)
                return arguments->directory;
        return arguments->hosts ? HISTORY_COLLECTED : NULL;
}

int history_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_lease_journal_ struct lease_journal journal = {0};
        struct question question = {.span = {.to_usec = UINT64_MAX}};
        _cleanup_(live_done) struct live live = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &history_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        question.at = arguments.at;
        question.since = arguments.since;
        question.until = arguments.until;
        question.no_legend = arguments.no_legend;
        question.hosts = directory_of(&arguments) != NULL;
        question.partial = paths->scope && !paths->scope->every_course;
        question.word = arguments.n_words > 0 ? arguments.words[0] : NULL;
        r = parse_times(&question);
        if (r != EXIT_DONE)
                return r;

        load_live(paths, &live);
        r = lease_journal_read(question.word, paths->scope, &journal);
        if (r == -EACCES && report_is_for_staff(paths))
                return ask(paths, &question, &arguments);
        if (r < 0)
                return read_failed(r);
        if (question.hosts) {
                history_hosts_load(paths, directory_of(&arguments), now_usec(), &live.hosts);
                r = history_hosts_read(&live.hosts, question.word, paths->scope, &journal);
                if (r != EXIT_DONE)
                        return r;
        }
        lease_history_end_unseen(&journal.history, live.usec, is_live, &live);
        r = answer(&journal, &question, &arguments);
        history_hosts_report(&live.hosts, &journal, &question.span);
        return r;
}
