/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl exam list`. */

#include <time.h>

#include "base/complain.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "base/table.h"
#include "base/terminal.h"
#include "exam-command.h"
#include "exam-members.h"
#include "exam-share.h"
#include "exam-state.h"

/* --- on which servers it is in force ---------------------------------------------------------- */

struct servers {
        const char *state;
        uint64_t now; /* seconds since 1970 */
        struct settings settings;
        struct hosts_list list;
        bool known; /* coursenet-hosts has answered */
};

static void servers_done(struct servers *servers) {
        settings_done(&servers->settings);
        hosts_list_done(&servers->list);
}

#define _cleanup_servers_ _cleanup_(servers_done)

static bool is_shared(const struct servers *servers, const struct exam *exam) {
        return !exam->scheduled && !exam->broken && exam_is_shared(&servers->settings, exam->course);
}

/* What this server has does not depend on the others, so an error here is none of the command. */
static void ask_others(const struct paths *paths, struct servers *servers) {
        int r = hosts_list_ask(paths->hosts_socket, servers->settings.course_digits, &servers->list);

        servers->known = r >= 0;
        if (r < 0)
                complain("On which other servers the exams are in force is not known: coursenet-hosts "
                         "cannot be reached (%s)",
                        strerror(-r));
        else if (servers->list.cut_off)
                complain("This server is cut off from the others, so what they have is shown as it was "
                         "before.");
}

static void load_servers(const struct paths *paths, const struct exams *exams, struct servers *servers) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};

        servers->state = paths->state;
        if (settings_load(paths->etc, &servers->settings, &ignored) < 0)
                return;
        for (size_t i = 0; i < exams->n_items; i++)
                if (is_shared(servers, &exams->items[i])) {
                        ask_others(paths, servers);
                        return;
                }
}

/* False: the exam is not shared, or it is not known. */
static bool find_members(const struct servers *servers, const struct exam *exam, struct exam_members *ret) {
        struct exam_state state;

        if (!servers->known || !is_shared(servers, exam) ||
                exam_state_load(servers->state, exam->course, servers->now, &state) < 0)
                return false;
        exam_members_find(&servers->list, exam->course, state.changed_usec, ret);
        return true;
}

/* --- for people ------------------------------------------------------------------------------ */

#define ALLOWED_SIZE 256U

static void append(char *text, const char *word) {
        size_t n = strlen(text);

        (void)snprintf(text + n, ALLOWED_SIZE - n, "%s%s", n > 0 ? " " : "", word);
}

static void list_allowed(const struct exam *exam, char ret_text[static ALLOWED_SIZE]) {
        char word[EXAM_ALLOW_TEXT_SIZE];

        ret_text[0] = '\0';
        for (size_t i = 0; i < exam->n_allow; i++) {
                exam_allow_format(&exam->allow[i], word);
                append(ret_text, word);
        }
        for (size_t i = 0; i < exam->n_names; i++)
                append(ret_text, exam->names[i]);
}

static const char *const headings[] = {"COURSE", "EXAM", "FROM", "UNTIL", "BY", "ALLOWED", "SERVERS"};

enum {
        COLUMN_SERVERS = 6,
};

/* Without [hosts], the last one is left out. */
static size_t count_columns(const struct servers *servers) {
        return ELEMENTSOF(headings) - !hosts_configured(&servers->settings);
}

static int add_row(struct libscols_table *table, const struct servers *servers, const struct exam *exam,
        const char *when) {
        char since[32] = "?", until[32] = "-", allowed[ALLOWED_SIZE], where[EXAM_MEMBERS_TEXT_SIZE];
        struct exam_members members;
        bool known;
        int r;

        if (exam->since > 0)
                moment_format_minute(exam->since * USEC_PER_SEC, since, sizeof(since));
        if (exam->until > 0)
                moment_format_minute(exam->until * USEC_PER_SEC, until, sizeof(until));
        list_allowed(exam, allowed);
        known = find_members(servers, exam, &members);
        if (known)
                exam_members_format(&members, where);
        else
                (void)snprintf(where, sizeof(where), "%s", is_shared(servers, exam) ? "?" : "-");
        r = table_add(table,
                (const char *const[]){exam->course, when, since, until, exam->by[0] ? exam->by : "?",
                        allowed[0] ? allowed : "-", where},
                count_columns(servers));
        if (r >= 0 && known && members.n_missing > 0)
                table_color(table, COLUMN_SERVERS, "red");
        return r;
}

static int print_table(const struct servers *servers, const struct exams *exams, const struct exams *planned,
        bool no_legend) {
        _cleanup_table_ struct libscols_table *table = NULL;
        int r;

        r = table_new(headings, count_columns(servers), &table);
        if (r >= 0 && no_legend)
                table_hide_headings(table);
        for (size_t i = 0; i < exams->n_items && r >= 0; i++)
                r = add_row(table, servers, &exams->items[i], "now");
        for (size_t i = 0; i < planned->n_items && r >= 0; i++)
                r = add_row(table, servers, &planned->items[i], "later");
        return r < 0 ? r : table_print(table);
}

/* --- for scripts ----------------------------------------------------------------------------- */

static int put_missing(json_object *object, const struct exam_members *members) {
        json_object *list = json_put_array(object, "missing");

        for (size_t i = 0; list && i < members->n_missing; i++) {
                const struct listed_member *member = members->missing[i];
                json_object *item = json_append_object(list);

                if (!item || json_put_text(item, "host", member->host) < 0 ||
                        json_put(item, "up", json_object_new_boolean(member->up)) < 0)
                        return -ENOMEM;
        }
        return list ? 0 : -ENOMEM;
}

static int put_members(json_object *exam_object, const struct servers *servers, const struct exam *exam) {
        struct exam_members members;
        json_object *object;

        if (!find_members(servers, exam, &members))
                return json_put_text(exam_object, "members", NULL);
        object = json_object_new_object();
        if (!object || json_put(exam_object, "members", object) < 0 ||
                json_put(object, "n", json_object_new_int64((int64_t)members.n)) < 0 ||
                json_put(object, "n_applied", json_object_new_int64((int64_t)members.n_applied)) < 0)
                return -ENOMEM;
        return put_missing(object, &members);
}

static int put_exam(json_object *list, const struct servers *servers, const struct exam *exam) {
        json_object *object = json_append_object(list), *allow, *names;
        char word[EXAM_ALLOW_TEXT_SIZE];
        int r = 0;

        if (!object || json_put_text(object, "course", exam->course) < 0 ||
                json_put_time(object, "since", exam->since * USEC_PER_SEC) < 0 ||
                json_put_time(object, "until", exam->until * USEC_PER_SEC) < 0 ||
                json_put_text(object, "by", exam->by[0] ? exam->by : NULL) < 0 ||
                json_put(object, "broken", json_object_new_boolean(exam->broken)) < 0)
                return -ENOMEM;
        if (hosts_configured(&servers->settings) && put_members(object, servers, exam) < 0)
                return -ENOMEM;
        allow = json_put_array(object, "allow");
        names = json_put_array(object, "allow_names");
        if (!allow || !names)
                return -ENOMEM;
        for (size_t i = 0; i < exam->n_allow && r == 0; i++) {
                exam_allow_format(&exam->allow[i], word);
                r = json_append_text(allow, word);
        }
        for (size_t i = 0; i < exam->n_names && r == 0; i++)
                r = json_append_text(names, exam->names[i]);
        return r;
}

static int put_exams(
        json_object *document, const struct servers *servers, const char *key, const struct exams *exams) {
        json_object *list = json_put_array(document, key);

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < exams->n_items; i++)
                if (put_exam(list, servers, &exams->items[i]) < 0)
                        return -ENOMEM;
        return 0;
}

static int print_json(const struct servers *servers, const struct exams *exams, const struct exams *planned) {
        _cleanup_json_ json_object *document = json_new_document();

        if (!document || put_exams(document, servers, "exams", exams) < 0 ||
                put_exams(document, servers, "planned", planned) < 0)
                return -ENOMEM;
        return json_print(document);
}

/* --------------------------------------------------------------------------------------------- */

/* For a user other than root. */
static int ask(const struct paths *paths, const struct arguments *arguments) {
        if (report_is_for_staff(paths))
                return report_ask(paths, "exam list", arguments);
        complain("Only root and the staff of a course " STAFF_HINT " may see its exams.");
        return EXIT_NO;
}

static void restrict_to(const struct scope *scope, struct exams *exams) {
        size_t n = 0;

        for (size_t i = 0; i < exams->n_items; i++)
                if (scope_has_course(scope, exams->items[i].course))
                        exams->items[n++] = exams->items[i];
        exams->n_items = n;
}

int exam_list(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_exams_ struct exams exams = {0}, planned = {0};
        uint64_t now = (uint64_t)time(NULL);
        _cleanup_servers_ struct servers servers = {.now = now};
        int r;

        if (geteuid() != 0)
                return ask(paths, arguments);
        r = exams_load(paths->state, now, &exams, &diagnostics);
        if (r >= 0)
                r = exams_load_planned(paths->state, now, &planned);
        restrict_to(paths->scope, &exams);
        restrict_to(paths->scope, &planned);
        /* These are about other courses, too. */
        if (scope_is_everything(paths->scope))
                diagnostics_print(stderr, &diagnostics);
        if (r < 0) {
                complain("%s/" EXAM_DIRECTORY " cannot be read: %s", paths->state, strerror(-r));
                return EXIT_NO;
        }
        load_servers(paths, &exams, &servers);
        if (!arguments->json && !arguments->no_pager)
                terminal_open_pager();
        if (arguments->json)
                r = print_json(&servers, &exams, &planned);
        else if (exams.n_items > 0 || planned.n_items > 0)
                r = print_table(&servers, &exams, &planned, arguments->no_legend);
        else
                (void)puts("No course is in an exam.");
        if (r < 0)
                complain("%s", strerror(-r));
        return r < 0 ? EXIT_NO : EXIT_DONE;
}
