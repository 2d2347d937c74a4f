/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl schedule` shows the class of each course that is now or next. It is computed. */

#include "schedule-command.h"
#include "base/complain.h"
#include "base/course-schedule.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/table.h"
#include "base/terminal.h"
#include "site.h"

const struct syntax schedule_syntax = {
        .usage =
                "Usage: coursenetctl schedule [--json] [--no-legend] [--no-pager] [COURSE]\n"
                "       coursenetctl schedule apply [COURSE]\n"
                "\n"
                "Shows when the seats of courses are held next for a class (schedule = in the settings, and\n"
                "timetables). apply holds or releases them now; units of systemd run it.\n",
        .options = TAKES_JSON | TAKES_LEGEND | TAKES_PAGER,
        .words_max = 1,
        .first = WORD_COURSE,
};

/* --- each course ----------------------------------------------------------------------------- */

struct view {
        const char *etc, *wanted; /* wanted: the course, or NULL for all */
        const struct settings *settings;
        time_t now;
        struct diagnostics *diagnostics;
        struct libscols_table *table;
        json_object *courses;
        size_t n_shown;
};

static void format_time(time_t time, char *text, size_t size) {
        text[0] = '\0';
        if (time > 0)
                moment_format_minute((uint64_t)time * USEC_PER_SEC, text, size);
}

static int put_time(json_object *object, const char *key, time_t time) {
        return json_put_time(object, key, (uint64_t)time * USEC_PER_SEC);
}

/* held is null if the times are not known. */
static int show_json(
        struct view *view, const char *course, const struct class_moment *moment, time_t lead, bool known) {
        json_object *object = json_append_object(view->courses);

        if (!object || json_put_text(object, "course", course) < 0)
                return -ENOMEM;
        if (known ? json_put(object, "wanted", json_object_new_boolean(moment->wanted)) < 0
                  : json_object_object_add(object, "wanted", NULL) != 0)
                return -ENOMEM;
        if (put_time(object, "hold", moment->start > 0 ? moment->start - lead : 0) < 0 ||
                put_time(object, "start", moment->start) < 0 || put_time(object, "end", moment->end) < 0)
                return -ENOMEM;
        return put_time(object, "next_change", moment->next_change);
}

static int show_row(
        struct view *view, const char *course, const struct class_moment *moment, time_t lead, bool known) {
        char hold[64], start[64], end[64];

        format_time(moment->start > 0 ? moment->start - lead : 0, hold, sizeof(hold));
        format_time(moment->start, start, sizeof(start));
        format_time(moment->end, end, sizeof(end));
        return table_add(view->table,
                (const char *const[]){course,
                        !known              ? "not known"
                        : moment->wanted    ? "now"
                        : moment->start > 0 ? "later"
                                            : "never",
                        hold, start, end},
                5);
}

static int show_course(struct view *view, const char *course) {
        time_t lead = settings_for_course(view->settings, course)->schedule_lead_seconds;
        _cleanup_class_times_ struct class_times times = {0};
        struct class_moment moment = {0};
        bool known;

        if ((view->wanted && !string_equal(view->wanted, course)) ||
                !course_schedule_exists(view->settings, course))
                return 0;
        view->n_shown++;
        known = course_schedule_load(
                        view->etc, view->settings, course, view->now, &times, view->diagnostics) >= 0;
        if (known)
                moment = class_times_at(&times, view->now, lead);
        return view->courses ? show_json(view, course, &moment, lead, known)
                             : show_row(view, course, &moment, lead, known);
}

/* Courses of the rosters, and those that only the settings name. */
static int show_all(struct view *view, const struct site *site) {
        int r = 0;

        for (size_t i = 0; i < site->settings.n_courses && r >= 0; i++)
                r = show_course(view, site->settings.courses[i].course);
        for (size_t i = 0; i < site->n_courses && r >= 0; i++)
                if (!settings_find_course(&site->settings, site->courses[i].bridge.course))
                        r = show_course(view, site->courses[i].bridge.course);
        return r;
}

/* --- the command ----------------------------------------------------------------------------- */

static int show_text(struct view *view, const struct site *site, const struct arguments *arguments) {
        static const char *const headings[] = {"COURSE", "HELD", "HOLD FROM", "CLASS FROM", "UNTIL"};
        _cleanup_table_ struct libscols_table *table = NULL;
        int r = table_new(headings, ELEMENTSOF(headings), &table);

        view->table = table;
        if (r >= 0 && arguments->no_legend)
                table_hide_headings(table);
        if (r >= 0)
                r = show_all(view, site);
        if (!arguments->no_pager)
                terminal_open_pager();
        return r >= 0 && view->n_shown > 0 ? table_print(table) : r;
}

static int show_document(struct view *view, const struct site *site) {
        _cleanup_json_ json_object *document = json_new_document();
        int r;

        view->courses = document ? json_put_array(document, "courses") : NULL;
        r = view->courses ? show_all(view, site) : -ENOMEM;
        return r >= 0 ? json_print(document) : r;
}

/* Rosters that the caller may not read have no schedule of their own that they could. */
static int load_site(const struct paths *paths, struct site *site, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        int r;

        if (geteuid() == 0)
                return site_load(paths->etc, site, diagnostics);
        r = settings_load(paths->etc, &site->settings, &ignored);
        return r;
}

static int show(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics configuration = {0}, findings = {0};
        _cleanup_site_ struct site site = {0};
        struct view view = {
                .etc = paths->etc,
                .wanted = arguments->n_words > 0 ? arguments->words[0] : NULL,
                .now = time(NULL),
                .diagnostics = &findings,
        };
        int r;

        if (load_site(paths, &site, &configuration) < 0) {
                diagnostics_print(stderr, &configuration);
                complain("The settings have mistakes; see: coursenetctl check");
                return EXIT_NO;
        }
        view.settings = &site.settings;
        r = arguments->json ? show_document(&view, &site) : show_text(&view, &site, arguments);
        diagnostics_print(stderr, &findings);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        if (view.n_shown == 0 && !arguments->json)
                complain(view.wanted ? "Course %s has no schedule. Set one: schedule = in "
                                       "/etc/coursenet/" SETTINGS_FILE
                                     : "No course has a schedule.",
                        view.wanted ? view.wanted : "");
        return findings.n_errors > 0 || (view.wanted && view.n_shown == 0) ? EXIT_NO : EXIT_DONE;
}

int schedule_command(const struct paths *paths, int argc, char **argv) {
        struct arguments arguments;
        int r;

        if (argc > 1 && string_equal(argv[1], "apply"))
                return schedule_apply(paths, argc - 1, argv + 1);
        r = arguments_parse(argc, argv, &schedule_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        return show(paths, &arguments);
}
