/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl roster list`: the students on the roster of a course, or all courses. */

#include "base/complain.h"
#include "base/json.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "base/table.h"
#include "base/terminal.h"
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
        char address6[ADDRESS6_TEXT_SIZE]; /* empty: none */
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
        if (plan && address6_is_set(&plan->address6))
                address6_format(&plan->address6, ret->address6);
}

static bool is_student(const struct roster_line *line) {
        return line->student[0] != '\0' && !line->removed;
}

static int print_table(const struct site *site, const struct site_course *course, bool no_legend) {
        static const char *const headings[] = {"NAME", "SEAT", "ADDRESS", "USER"};
        _cleanup_table_ struct libscols_table *table = NULL;
        struct row row;
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        if (r >= 0 && no_legend)
                table_hide_headings(table);
        for (size_t i = 0; i < course->roster.n_lines && r >= 0; i++) {
                const struct roster_line *line = &course->roster.lines[i];

                if (!is_student(line))
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
                json_put_text(student, "address", row.planned ? row.address : NULL) < 0 ||
                json_put_text(student, "address6", row.address6[0] ? row.address6 : NULL) < 0)
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

                if (is_student(line))
                        r = append_json(site, course, line, students);
        }
        return r < 0 ? r : json_print(document);
}

/* --- all courses ----------------------------------------------------------------------------- */

static size_t count_students(const struct site_course *course) {
        size_t n = 0;

        for (size_t i = 0; i < course->roster.n_lines; i++)
                n += is_student(&course->roster.lines[i]);
        return n;
}

static int print_courses_table(const struct site *site, bool no_legend) {
        static const char *const headings[] = {"COURSE", "STUDENTS", "BRIDGE", "GATEWAY"};
        _cleanup_table_ struct libscols_table *table = NULL;
        char number[32], gateway[ADDRESS_TEXT_SIZE];
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        if (r >= 0 && no_legend)
                table_hide_headings(table);
        for (size_t i = 0; i < site->n_courses && r >= 0; i++) {
                const struct site_course *course = &site->courses[i];

                (void)snprintf(number, sizeof(number), "%zu", count_students(course));
                address_format(&course->bridge.address, gateway);
                r = table_add(table,
                        (const char *const[]){course->bridge.course, number, course->bridge.name, gateway},
                        ELEMENTSOF(headings));
        }
        return r < 0 ? r : table_print(table);
}

static int append_course(const struct site_course *course, json_object *courses) {
        json_object *object = json_append_object(courses);
        char gateway[ADDRESS_TEXT_SIZE];

        address_format(&course->bridge.address, gateway);
        if (!object || json_put_text(object, "course", course->bridge.course) < 0 ||
                json_put(object, "n_students", json_object_new_int64((int64_t)count_students(course))) < 0 ||
                json_put_text(object, "bridge", course->bridge.name) < 0 ||
                json_put_text(object, "gateway", gateway) < 0)
                return -ENOMEM;
        return 0;
}

static int print_courses_json(const struct site *site) {
        _cleanup_json_ json_object *document = json_new_document();
        json_object *courses = document ? json_put_array(document, "courses") : NULL;

        if (!courses)
                return -ENOMEM;
        for (size_t i = 0; i < site->n_courses; i++)
                if (append_course(&site->courses[i], courses) < 0)
                        return -ENOMEM;
        return json_print(document);
}

/* --- the command ----------------------------------------------------------------------------- */

static int refuse(void) {
        complain("Only root and the course's staff " STAFF_HINT " may see who is in a course.");
        return EXIT_NO;
}

/* For a user other than root. */
static int ask(const struct paths *paths, const struct arguments *arguments) {
        return report_is_for_staff(paths) ? report_ask(paths, "roster list", arguments) : refuse();
}

/* Returns an exit code; word: as on the command line. *ret is borrowed from the site. */
static int find_course(const struct paths *paths, const struct site *site, const char *word,
        const struct diagnostics *diagnostics, const struct site_course **ret) {
        *ret = site_find_course(site, word);
        if (*ret)
                return EXIT_DONE;
        if (!scope_has_course(paths->scope, word))
                return refuse();
        /* These are about other courses, too. */
        if (scope_is_everything(paths->scope))
                diagnostics_print(stderr, diagnostics);
        complain(
                "Course %s has no usable roster. Create one: coursenetctl roster import %s FILE", word, word);
        return EXIT_NO;
}

int roster_list(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const char *word = arguments->n_words > 0 ? arguments->words[0] : NULL;
        const struct site_course *course = NULL;
        _cleanup_site_ struct site site = {0};
        int r;

        if (geteuid() != 0)
                return ask(paths, arguments);
        if (site_load(paths->etc, &site, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                return EXIT_NO;
        }
        scope_restrict(paths->scope, &site);
        r = word ? find_course(paths, &site, word, &diagnostics, &course) : EXIT_DONE;
        if (r != EXIT_DONE)
                return r;

        if (site.n_courses == 0 && !arguments->json && !paths->scope)
                complain("No course has a roster. To create one: coursenetctl roster import COURSE FILE");
        else if (!arguments->json && !arguments->no_pager)
                terminal_open_pager();
        if (course)
                r = arguments->json ? print_json(&site, course)
                                    : print_table(&site, course, arguments->no_legend);
        else
                r = arguments->json ? print_courses_json(&site)
                                    : print_courses_table(&site, arguments->no_legend);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        if (diagnostics.n_errors > 0)
                complain("The configuration has mistakes. Run: coursenetctl check");
        return EXIT_DONE;
}
