/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl roster list`: the students on the roster of a course. */

#include "base/complain.h"
#include "base/json.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "base/table.h"
#include "roster-command.h"
#include "site.h"

/*
 * The plan of the seat of a roster line. NULL: a mistake in the configuration prevents it.
 */
static const struct seat_plan *find_plan(const struct site_course *course, const struct roster_line *line) {
        for (size_t i = 0; i < course->n_seats; i++)
                if (course->seats[i].id.number == line->seat)
                        return &course->seats[i];
        return NULL;
}

struct row {
        char user[USER_NAME_SIZE];
        char seat[SEAT_ID_SIZE];
        char address[ADDRESS_TEXT_SIZE];
        bool planned;
};

static void fill_row(const struct site *site, const struct site_course *course,
        const struct roster_line *line, struct row *ret) {
        const struct seat_plan *plan = find_plan(course, line);
        struct seat_id id = {.number = line->seat};

        *ret = (struct row){.planned = plan};
        (void)string_copy(id.course, sizeof(id.course), course->bridge.course);
        seat_id_format(&id, ret->seat);
        (void)name_rule_format(&site->settings.rule, id.course, line->student, ret->user);
        if (plan)
                address_format(&plan->address, ret->address);
}

static int print_table(const struct site *site, const struct site_course *course) {
        static const char *const headings[] = {"NAME", "SEAT", "ADDRESS", "USER"};
        _cleanup_table_ struct libscols_table *table = NULL;
        struct row row;
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        for (size_t i = 0; i < course->roster.n_lines && r >= 0; i++) {
                const struct roster_line *line = &course->roster.lines[i];

                if (line->student[0] == '\0' || line->removed)
                        continue;
                fill_row(site, course, line, &row);
                r = table_add(table,
                        (const char *const[]){
                                line->student, row.seat, row.planned ? row.address : "?", row.user},
                        ELEMENTSOF(headings));
        }
        return r < 0 ? r : table_print(table);
}

static int append_json(const struct site *site, const struct site_course *course,
        const struct roster_line *line, json_object *students) {
        json_object *student = json_append_object(students);
        struct row row;

        if (!student)
                return -ENOMEM;
        fill_row(site, course, line, &row);
        if (json_put_text(student, "name", line->student) < 0 ||
                json_put_text(student, "user", row.user) < 0 ||
                json_put_text(student, "seat", row.seat) < 0 ||
                json_put_text(student, "address", row.planned ? row.address : NULL) < 0)
                return -ENOMEM;
        return 0;
}

static int print_json(const struct site *site, const struct site_course *course) {
        _cleanup_json_ json_object *document = json_new_document();
        json_object *students;
        int r = 0;

        if (!document || json_put_text(document, "course", course->bridge.course) < 0)
                return -ENOMEM;
        students = json_put_array(document, "students");
        if (!students)
                return -ENOMEM;

        for (size_t i = 0; i < course->roster.n_lines && r >= 0; i++) {
                const struct roster_line *line = &course->roster.lines[i];

                if (line->student[0] != '\0' && !line->removed)
                        r = append_json(site, course, line, students);
        }
        return r < 0 ? r : json_print(document);
}

static int refuse(void) {
        complain("Only root and the course's staff " STAFF_HINT " may see who is in a course.");
        return EXIT_NO;
}

/* For a user other than root. */
static int ask(const struct paths *paths, const struct arguments *arguments) {
        return report_is_for_staff(paths) ? report_ask(paths, "roster", arguments) : refuse();
}

int roster_list(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};
        const struct site_course *course;
        int r;

        if (geteuid() != 0)
                return ask(paths, arguments);
        if (site_load(paths->etc, &site, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                return EXIT_NO;
        }
        scope_restrict(paths->scope, &site);
        course = site_find_course(&site, arguments->words[0]);
        if (!course && !scope_has_course(paths->scope, arguments->words[0]))
                return refuse();
        if (!course) {
                /* These are about other courses, too. */
                if (scope_is_everything(paths->scope))
                        diagnostics_print(stderr, &diagnostics);
                complain("Course %s has no usable roster. Create one: coursenetctl roster import %s FILE",
                        arguments->words[0], arguments->words[0]);
                return EXIT_NO;
        }

        r = arguments->json ? print_json(&site, course) : print_table(&site, course);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        if (diagnostics.n_errors > 0)
                complain("The configuration has mistakes. Run: coursenetctl check");
        return EXIT_DONE;
}
