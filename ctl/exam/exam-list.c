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
#include "exam.h"

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

static int add_row(struct libscols_table *table, const struct exam *exam, const char *when) {
        char since[32] = "?", until[32] = "-", allowed[ALLOWED_SIZE];

        if (exam->since > 0)
                moment_format_minute(exam->since * USEC_PER_SEC, since, sizeof(since));
        if (exam->until > 0)
                moment_format_minute(exam->until * USEC_PER_SEC, until, sizeof(until));
        list_allowed(exam, allowed);
        return table_add(table,
                (const char *const[]){exam->course, when, since, until, exam->by[0] ? exam->by : "?",
                        allowed[0] ? allowed : "-"},
                6);
}

static int print_table(const struct exams *exams, const struct exams *planned, bool no_legend) {
        static const char *const headings[] = {"COURSE", "EXAM", "FROM", "UNTIL", "BY", "ALLOWED"};
        _cleanup_table_ struct libscols_table *table = NULL;
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        if (r >= 0 && no_legend)
                table_hide_headings(table);
        for (size_t i = 0; i < exams->n_items && r >= 0; i++)
                r = add_row(table, &exams->items[i], "now");
        for (size_t i = 0; i < planned->n_items && r >= 0; i++)
                r = add_row(table, &planned->items[i], "later");
        return r < 0 ? r : table_print(table);
}

static int put_exam(json_object *list, const struct exam *exam) {
        json_object *object = json_append_object(list), *allow, *names;
        char word[EXAM_ALLOW_TEXT_SIZE];
        int r = 0;

        if (!object || json_put_text(object, "course", exam->course) < 0 ||
                json_put_time(object, "since", exam->since * USEC_PER_SEC) < 0 ||
                json_put_time(object, "until", exam->until * USEC_PER_SEC) < 0 ||
                json_put_text(object, "by", exam->by[0] ? exam->by : NULL) < 0 ||
                json_put(object, "broken", json_object_new_boolean(exam->broken)) < 0)
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

static int put_exams(json_object *document, const char *key, const struct exams *exams) {
        json_object *list = json_put_array(document, key);

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < exams->n_items; i++)
                if (put_exam(list, &exams->items[i]) < 0)
                        return -ENOMEM;
        return 0;
}

static int print_json(const struct exams *exams, const struct exams *planned) {
        _cleanup_json_ json_object *document = json_new_document();

        if (!document || put_exams(document, "exams", exams) < 0 ||
                put_exams(document, "planned", planned) < 0)
                return -ENOMEM;
        return json_print(document);
}

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
        if (!arguments->json && !arguments->no_pager)
                terminal_open_pager();
        if (arguments->json)
                r = print_json(&exams, &planned);
        else if (exams.n_items > 0 || planned.n_items > 0)
                r = print_table(&exams, &planned, arguments->no_legend);
        else
                (void)puts("No course is in an exam.");
        if (r < 0)
                complain("%s", strerror(-r));
        return r < 0 ? EXIT_NO : EXIT_DONE;
}
