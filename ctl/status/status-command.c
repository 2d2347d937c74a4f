/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl status`: shows which seats are up, who uses them, since when and from where. */

#include "status-command.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/report-client.h"
#include "base/table.h"
#include "base/target.h"
#include "base/terminal.h"
#include "base/traffic.h"
#include "status-summary.h"
#include "status-view.h"
#include "status-watch.h"

const struct syntax status_syntax = {
        .usage = "Usage: coursenetctl status [--hosts] [--json] [--no-legend] [--no-pager] "
                 "[COURSE|SEAT|USER]\n"
                 "       coursenetctl status --watch [COURSE|SEAT|USER]\n"
                 "\n"
                 "Shows the seats that are up, and every login that uses one. Root sees all seats, staff of "
                 "a\n"
                 "course see its seats, other users see their own. A seat without a login is kept by a "
                 "process\n"
                 "that its student left running, will stop soon, or was started with `coursenetctl start`.\n"
                 "With --watch, root sees the seats and their traffic, which change until ^C.\n"
                 "With --hosts, root and staff also see the seats that are live on the servers that share\n"
                 "courses.\n",
        .options = TAKES_HOSTS | TAKES_JSON | TAKES_LEGEND | TAKES_PAGER | TAKES_WATCH,
        .words_max = 1,
        .first = WORD_TARGET,
};

/* --- for people ------------------------------------------------------------------------------ */

static const char *const headings[] = {
        "COURSE",
        "SEAT",
        "USER",
        "ADDRESS",
        "STATE",
        "CONTAINER",
        "SERVICE",
        "FROM",
        "SINCE",
        "ADDRESS6",
        "HOST",
};

/* Without --hosts, the last one is left out. */
static size_t count_columns(const struct status_view *view) {
        return ELEMENTSOF(headings) - !view->hosts.own[0];
}

/* Columns in which a failure is. */
enum {
        COLUMN_STATE = 4,
        COLUMN_CONTAINER = 5,
};

/* lease is NULL for a seat without a login, which a process that its student left running may keep. */
static const char *service_of(const struct snapshot_seat *seat, const struct reply *lease) {
        if (lease)
                return lease->service;
        return seat->kept ? "kept" : "-";
}

static const char *origin_of(const struct snapshot_seat *seat, const struct reply *lease) {
        if (!lease)
                return seat->kept ? seat->kept->text : "-";
        if (lease->remote_host[0])
                return lease->remote_host;
        return lease->tty[0] ? lease->tty : "-";
}

/* lease: as above. */
static int add_row(struct libscols_table *table, const struct status_view *view,
        const struct snapshot_seat *seat, const struct reply *lease) {
        char address[ADDRESS_TEXT_SIZE] = "-", address6[ADDRESS6_TEXT_SIZE] = "-", since[32] = "-";
        int r;

        if (seat->has_address)
                address_format(&seat->address, address);
        if (address6_is_set(&seat->address6))
                address6_format(&seat->address6, address6);
        if (lease)
                moment_format_minute(lease->since_usec, since, sizeof(since));
        else if (seat->claim)
                moment_format_minute(seat->claim->since_usec, since, sizeof(since));

        r = table_add(table,
                (const char *const[]){seat->course, seat->seat, seat->user[0] ? seat->user : "-", address,
                        seat->state, seat->claim ? "-" : seat->container, service_of(seat, lease),
                        origin_of(seat, lease), since, address6, status_view_host(view, seat)},
                count_columns(view));
        if (r >= 0 && !string_equal(seat->state, "up"))
                table_color(table, COLUMN_STATE, string_equal(seat->state, "failed") ? "red" : "yellow");
        if (r >= 0 && string_equal(seat->container, "failed"))
                table_color(table, COLUMN_CONTAINER, "red");
        return r;
}

static int print_table(const struct status_view *view, bool no_legend) {
        _cleanup_table_ struct libscols_table *table = NULL;
        int r;

        r = table_new(headings, count_columns(view), &table);
        if (r >= 0 && no_legend)
                table_hide_headings(table);
        for (size_t i = 0; i < view->snapshot.n_seats && r >= 0; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat))
                        continue;
                if (seat->n_leases == 0 || seat->kept)
                        r = add_row(table, view, seat, NULL);
                for (size_t j = 0; j < seat->n_leases && r >= 0; j++)
                        r = add_row(table, view, seat, &seat->leases[j]);
        }
        return r < 0 ? r : table_print(table);
}

/* If a course's bridge fails, none of its seats is up to show it. */
static void report_bridges(const struct status_view *view) {
        for (size_t i = 0; i < view->units.n_units; i++) {
                const struct unit *unit = &view->units.units[i];

                if (unit->kind == UNIT_BRIDGE && unit->state == UNIT_FAILED &&
                        scope_has_course(view->scope, unit->instance) &&
                        (!view->word || string_equal(view->word, unit->instance)))
                        (void)printf(
                                "%sThe bridge of course %s has failed.%s See: systemctl status netbr@%s\n",
                                terminal_red(), unit->instance, terminal_normal(), unit->instance);
        }
}

/* The services of such a user run in the host's own network, which nobody would expect. */
static void report_managers(const struct status_view *view) {
        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (status_view_shows(view, seat) && status_view_find_manager(seat) == USER_MANAGER_OUTSIDE)
                        (void)printf(
                                "%sThe systemd manager of %s started before the seat and runs outside of "
                                "it.%s See: loginctl user-status %s\n",
                                terminal_yellow(), seat->user, terminal_normal(), seat->user);
        }
}

static void report_kept(const struct status_view *view) {
        char until[32];

        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat) || !seat->kept)
                        continue;
                moment_format_minute(seat->kept->since_usec, until, sizeof(until));
                (void)printf("Seat %s is kept for %s until %s at most, by '%s' (process %ld in %s)\n",
                        seat->seat, seat->user, until, seat->kept->text, (long)seat->kept->pid,
                        seat->kept->tty);
        }
}

static void report_containers(const struct status_view *view) {
        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (status_view_shows(view, seat) && seat->container_reason[0])
                        (void)printf("%sThe container of seat %s has failed%s: %s\n", terminal_red(),
                                seat->seat, terminal_normal(), seat->container_reason);
        }
}

static void report_exams(const struct status_view *view) {
        char until[32];

        for (size_t i = 0; i < view->exams.n_items; i++) {
                const struct exam *exam = &view->exams.items[i];

                if (!scope_has_course(view->scope, exam->course) ||
                        (view->word && !string_equal(view->word, exam->course)))
                        continue;
                if (exam->until > 0)
                        moment_format_minute(exam->until * USEC_PER_SEC, until, sizeof(until));
                (void)printf("Course %s is in an exam%s%s%s. See: coursenetctl exam list\n", exam->course,
                        exam->scheduled ? " by schedule" : "", exam->until > 0 ? " until " : "",
                        exam->until > 0 ? until : "");
        }
}

/* Of one seat only: each is a question to systemd. */
static void report_usage(const struct status_view *view) {
        char text[USAGE_TEXT_SIZE];
        struct usage usage;

        for (size_t i = 0; status_view_count(view) == 1 && i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat) || !status_view_find_usage(seat, &usage))
                        continue;
                usage_format(&usage, text);
                if (text[0])
                        (void)printf("%s uses %s.\n", seat->user, text);
        }
}

/* A seat that is down here may be live on another server. Returns whether one is. */
static bool report_elsewhere(const struct paths *paths, const struct status_view *view) {
        const struct settings *settings = &view->site.settings;
        _cleanup_hosts_list_ struct hosts_list list = {0};

        return !view->own_user[0] && view->word && hosts_configured(settings) &&
               hosts_list_ask(paths->hosts_socket, settings->course_digits, &list) >= 0 &&
               hosts_list_tell_elsewhere(&list, view->word, view->scope, "status", stdout) > 0;
}

/* coursenet-hosts answers root only. */
static void report_none(const struct status_view *view) {
        const char *here = hosts_configured(&view->site.settings) ? " on this server" : "";

        if (view->own_user[0])
                (void)printf("Your seat is not up%s.%s\n", here,
                        here[0] ? " Where it is: coursenetctl seat \"$USER\"" : "");
        else
                (void)printf("No %sseat is up%s.\n", view->word ? "such " : "", here);
}

static int print_for_people(const struct paths *paths, const struct status_view *view, bool no_legend) {
        if (!view->own_user[0])
                report_bridges(view);
        report_exams(view);
        if (status_view_count(view) > 0) {
                if (!view->own_user[0] && !no_legend)
                        status_summary_print(view, "");
                report_managers(view);
                report_kept(view);
                report_containers(view);
                if (view->word || view->own_user[0])
                        report_usage(view);
                return print_table(view, no_legend);
        }
        if (!view->hosts.own[0] && report_elsewhere(paths, view))
                return 0;
        report_none(view);
        return 0;
}

/* --- for scripts ----------------------------------------------------------------------------- */

static int put_lease(json_object *leases, const struct reply *lease) {
        bool has_pid = lease->pid > 0; /* an administrator's hold has no process */
        json_object *object = json_append_object(leases);
        char since[32];
        int r;

        if (!object)
                return -ENOMEM;
        moment_format_utc(lease->since_usec, since, sizeof(since));

        if (json_put_text(object, "id", lease->lease) < 0 ||
                json_put_text(object, "service", lease->service) < 0)
                return -ENOMEM;
        r = has_pid ? json_put(object, "pid", json_object_new_int(lease->pid))
                    : json_put_text(object, "pid", NULL);
        if (r < 0 || json_put_text(object, "since", since) < 0 ||
                json_put_text(object, "tty", lease->tty[0] ? lease->tty : NULL) < 0 ||
                json_put_text(object, "remote_host", lease->remote_host[0] ? lease->remote_host : NULL) < 0)
                return -ENOMEM;
        return 0;
}

/* The process without a login that keeps the seat, or null. */
static int put_kept(json_object *seat, const struct reply *kept) {
        json_object *object = kept ? json_object_new_object() : NULL;
        char until[32];

        if (!kept)
                return json_put_text(seat, "kept", NULL);
        if (!object || json_put(seat, "kept", object) < 0)
                return -ENOMEM;
        moment_format_utc(kept->since_usec, until, sizeof(until));
        if (json_put(object, "pid", json_object_new_int(kept->pid)) < 0 ||
                json_put_text(object, "command", kept->text) < 0 ||
                json_put_text(object, "unit", kept->tty) < 0 || json_put_text(object, "until", until) < 0)
                return -ENOMEM;
        return 0;
}

static int put_counter(json_object *seat, const char *key, const uint64_t *number) {
        return number ? json_put(seat, key, json_object_new_uint64(*number)) : json_put_text(seat, key, NULL);
}

/* Null if the cable is not there, or in a network namespace that is not this one. */
static int put_traffic(json_object *seat, const char *name) {
        struct seat_plan names;
        struct traffic traffic;
        bool known;

        seat_plan_name(name, &names);
        known = traffic_read(NETWORK_DIRECTORY, names.link, &traffic) >= 0;
        if (put_counter(seat, "receive_bytes", known ? &traffic.receive_bytes : NULL) < 0 ||
                put_counter(seat, "transmit_bytes", known ? &traffic.transmit_bytes : NULL) < 0)
                return -ENOMEM;
        return 0;
}

static const char *const manager_names[] = {
        [USER_MANAGER_NONE] = "none",
        [USER_MANAGER_IN_SEAT] = "seat",
        [USER_MANAGER_OUTSIDE] = "outside",
        [USER_MANAGER_UNKNOWN] = NULL,
};

static int put_seat(json_object *seats, const struct status_view *view, const struct snapshot_seat *seat) {
        char address[ADDRESS_TEXT_SIZE], address6[ADDRESS6_TEXT_SIZE], netns[64];
        json_object *object = json_append_object(seats), *leases;
        struct usage usage;
        int r = 0;

        if (!object)
                return -ENOMEM;
        if (seat->has_address)
                address_format(&seat->address, address);
        address6_format(&seat->address6, address6);
        (void)snprintf(netns, sizeof(netns), NETNS_DIRECTORY "/%s", seat->netns);

        if (json_put_text(object, "seat", seat->seat) < 0 ||
                json_put_text(object, "user", seat->user[0] ? seat->user : NULL) < 0 ||
                json_put_text(object, "address", seat->has_address ? address : NULL) < 0 ||
                json_put_text(object, "address6", address6_is_set(&seat->address6) ? address6 : NULL) < 0 ||
                json_put_text(object, "namespace", netns) < 0 ||
                json_put_text(object, "state", seat->state) < 0 ||
                json_put_text(object, "container", seat->container) < 0 ||
                json_put_text(object, "container_reason",
                        seat->container_reason[0] ? seat->container_reason : NULL) < 0 ||
                json_put_text(object, "manager", manager_names[status_view_find_manager(seat)]) < 0)
                return -ENOMEM;

        if (view->hosts.own[0] && (json_put_text(object, "host", status_view_host(view, seat)) < 0 ||
                                          json_put_time(object, "claimed_since",
                                                  seat->claim ? seat->claim->since_usec : 0) < 0))
                return -ENOMEM;
        if (put_traffic(object, seat->seat) < 0 ||
                usage_put(object, status_view_find_usage(seat, &usage) ? &usage : NULL) < 0 ||
                put_kept(object, seat->kept) < 0)
                return -ENOMEM;
        leases = json_put_array(object, "leases");
        if (!leases)
                return -ENOMEM;
        for (size_t i = 0; i < seat->n_leases && r >= 0; i++)
                r = put_lease(leases, &seat->leases[i]);
        return r;
}

/* Null, or the exam that the course is in. */
static int put_exam(json_object *course, const struct exam *exam) {
        json_object *object = exam ? json_object_new_object() : NULL;

        if (!exam)
                return json_put_text(course, "exam", NULL);
        if (!object || json_put(course, "exam", object) < 0)
                return -ENOMEM;
        if (json_put_time(object, "since", exam->since * USEC_PER_SEC) < 0 ||
                json_put_time(object, "until", exam->until * USEC_PER_SEC) < 0 ||
                json_put_text(object, "by", exam->by[0] ? exam->by : NULL) < 0)
                return -ENOMEM;
        return 0;
}

/* Returns the new course's array of seats, borrowed. NULL: out of memory. */
static json_object *put_course(const struct status_view *view, json_object *courses, const char *course) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        json_object *object = json_append_object(courses);
        char gateway[ADDRESS_TEXT_SIZE];
        struct bridge_plan bridge;
        bool planned;

        if (!object)
                return NULL;
        planned = bridge_plan_load(view->etc, &view->site.settings, course, &bridge, &ignored) >= 0;
        if (planned)
                address_format(&bridge.address, gateway);
        else
                bridge_plan_name(course, &bridge);

        if (json_put_text(object, "course", course) < 0 || json_put_text(object, "bridge", bridge.name) < 0 ||
                json_put_text(object, "gateway", planned ? gateway : NULL) < 0 ||
                put_exam(object, exams_find(&view->exams, course)) < 0)
                return NULL;
        return json_put_array(object, "seats");
}

static int print_json(const struct status_view *view) {
        _cleanup_json_ json_object *document = json_new_document();
        json_object *courses, *seats = NULL;
        const char *course = "";

        courses = document ? json_put_array(document, "courses") : NULL;
        if (!courses)
                return -ENOMEM;

        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat))
                        continue;
                if (!string_equal(seat->course, course)) {
                        seats = put_course(view, courses, seat->course);
                        course = seat->course;
                }
                if (!seats || put_seat(seats, view, seat) < 0)
                        return -ENOMEM;
        }
        return json_print(document);
}

static int watch(const struct paths *paths, const struct arguments *arguments) {
        if (arguments->json || arguments->hosts || isatty(STDOUT_FILENO) != 1) {
                complain("--watch is for a terminal, and for this server alone. Scripts can use: "
                         "coursenetctl status --json");
                return EXIT_USAGE;
        }
        /* Each redraw would be a request that the activator logs. */
        if (geteuid() != 0) {
                complain("Only root can run status --watch.");
                return EXIT_NO;
        }
        return status_watch(paths, arguments->n_words > 0 ? arguments->words[0] : NULL);
}

int status_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_status_view_ struct status_view view = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &status_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (arguments.watch)
                return watch(paths, &arguments);
        if (report_is_for_staff(paths))
                return report_ask(paths, arguments.hosts ? "status --hosts" : "status", &arguments);
        /* coursenet-hosts answers root only. */
        if (arguments.hosts && geteuid() != 0) {
                complain("Only root and the staff of a course " STAFF_HINT
                         " can run status --hosts. Where your seat is live: coursenetctl seat \"$USER\"");
                return EXIT_NO;
        }

        r = status_view_load(paths, arguments.n_words > 0 ? arguments.words[0] : NULL, &view);
        if (r == EXIT_DONE && arguments.hosts)
                r = status_view_add_hosts(paths, &view);
        if (r != EXIT_DONE)
                return r;
        r = view.word ? status_view_knows_word(&view) : true;
        if (r == 0 && view.own_user[0]) {
                complain("Only root and the course's staff " STAFF_HINT " may see the seats of others.");
                return EXIT_NO;
        }
        if (r == 0) {
                if (!target_explain(view.etc, &view.site.settings, view.scope, view.word))
                        complain("'%s' is neither a course, nor a seat, nor a user on a roster.", view.word);
                return EXIT_NO;
        }

        if (!arguments.json && !arguments.no_pager)
                terminal_open_pager();
        if (r > 0)
                r = arguments.json ? print_json(&view) : print_for_people(paths, &view, arguments.no_legend);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        return EXIT_DONE;
}
