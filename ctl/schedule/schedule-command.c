/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl schedule` shows the class of each course that is now or next. It is computed. */

#include "schedule-command.h"
#include "base/complain.h"
#include "base/course-schedule.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/timetable-file.h"

const struct syntax schedule_syntax = {
        .usage =
                "Usage: coursenetctl schedule [--json] [--no-legend] [--no-pager] [COURSE]\n"
                "       coursenetctl schedule apply [COURSE]\n"
                "\n"
                "Shows when the seats of courses are held next for a class (schedule = in the settings, and\n"
                "timetables in /etc/coursenet/schedule.d). apply holds or releases them now; units of "
                "systemd run it.\n",
        .options = TAKES_JSON | TAKES_LEGEND | TAKES_PAGER,
        .words_max = 1,
        .first = WORD_COURSE,
};

/* --- each course ----------------------------------------------------------------------------- */

struct view {
        const struct paths *paths;
        const char *wanted; /* the course, or NULL for all */
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

/* The file that the class is from. */
static void find_file(const struct view *view, const char *course, const struct class_time *class,
        char ret[static TIMETABLE_PATH_SIZE]) {
        if (class->name)
                timetable_file_path(view->paths->etc, course, ret);
        else
                (void)snprintf(ret, TIMETABLE_PATH_SIZE, "%s/" SETTINGS_FILE, view->paths->etc);
}

/* held is null if the times are not known. */
static int show_json(
        struct view *view, const char *course, const struct class_moment *moment, time_t lead, bool known) {
        json_object *object = json_append_object(view->courses);
        const struct class_time *class = moment->class;
        char file[TIMETABLE_PATH_SIZE];

        if (!object || json_put_text(object, "course", course) < 0)
                return -ENOMEM;
        if (known ? json_put(object, "wanted", json_object_new_boolean(moment->wanted)) < 0
                  : json_object_object_add(object, "wanted", NULL) != 0)
                return -ENOMEM;
        if (put_time(object, "hold", moment->start > 0 ? moment->start - lead : 0) < 0 ||
                put_time(object, "start", moment->start) < 0 || put_time(object, "end", moment->end) < 0)
                return -ENOMEM;
        if (class)
                find_file(view, course, class, file);
        if (json_put_text(object, "file", class ? file : NULL) < 0 ||
                json_put_text(object, "name", class && class->name && class->name[0] ? class->name : NULL) <
                        0)
                return -ENOMEM;
        return put_time(object, "next_change", moment->next_change);
}

static int show_row(
        struct view *view, const char *course, const struct class_moment *moment, time_t lead, bool known) {
        const struct class_time *class = moment->class;
        char hold[64], start[64], end[64], file[TIMETABLE_PATH_SIZE] = "";

        format_time(moment->start > 0 ? moment->start - lead : 0, hold, sizeof(hold));
        format_time(moment->start, start, sizeof(start));
        format_time(moment->end, end, sizeof(end));
        if (class)
                find_file(view, course, class, file);
        return table_add(view->table,
                (const char *const[]){course,
                        !known              ? "not known"
                        : moment->wanted    ? "now"
                        : moment->start > 0 ? "later"
                                            : "never",
                        hold, start, end, file[0] ? strrchr(file, '/') + 1 : "",
                        class && class->name ? class->name : ""},
                7);
}

static int show_course(struct view *view, const char *course) {
        time_t lead = settings_for_course(view->settings, course)->schedule_lead_seconds;
        _cleanup_class_times_ struct class_times times = {0};
        struct class_moment moment = {0};
        bool known;

        if ((view->wanted && !string_equal(view->wanted, course)) ||
                !course_schedule_exists(view->paths->etc, view->settings, course))
                return 0;
        view->n_shown++;
        known = course_schedule_load(
                        view->paths, view->settings, course, view->now, &times, view->diagnostics) >= 0;
        if (known)
                moment = class_times_at(&times, view->now, lead);
        return view->courses ? show_json(view, course, &moment, lead, known)
                             : show_row(view, course, &moment, lead, known);
}

static int show_timetable(void *userdata, const char *course) {
        struct view *view = userdata;

        return settings_find_course(view->settings, course) ? 0 : show_course(view, course);
}

/* Courses that the settings name, and those that have only a timetable. */
static int show_all(struct view *view) {
        const struct settings *settings = view->settings;
        int r = 0;

        for (size_t i = 0; i < settings->n_courses && r >= 0; i++)
                r = show_course(view, settings->courses[i].course);
        return r >= 0 ? timetable_file_each(view->paths->etc, settings, show_timetable, view) : r;
}

/* --- the command ----------------------------------------------------------------------------- */

static int show_text(struct view *view, const struct arguments *arguments) {
        static const char *const headings[] = {
                "COURSE", "HELD", "HOLD FROM", "CLASS FROM", "UNTIL", "FILE", "NAME"};
        _cleanup_table_ struct libscols_table *table = NULL;
        int r = table_new(headings, ELEMENTSOF(headings), &table);

        view->table = table;
        if (r >= 0 && arguments->no_legend)
                table_hide_headings(table);
        if (r >= 0)
                r = show_all(view);
        if (!arguments->no_pager)
                terminal_open_pager();
        return r >= 0 && view->n_shown > 0 ? table_print(table) : r;
}

static int show_document(struct view *view) {
        _cleanup_json_ json_object *document = json_new_document();
        int r;

        view->courses = document ? json_put_array(document, "courses") : NULL;
        r = view->courses ? show_all(view) : -ENOMEM;
        return r >= 0 ? json_print(document) : r;
}

static int show(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics configuration = {0}, findings = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct view view = {
                .paths = paths,
                .wanted = arguments->n_words > 0 ? arguments->words[0] : NULL,
                .settings = &settings,
                .now = time(NULL),
                .diagnostics = &findings,
        };
        int r;

        if (settings_load(paths->etc, &settings, &configuration) < 0) {
                diagnostics_print(stderr, &configuration);
                complain("The settings have mistakes; see: coursenetctl check");
                return EXIT_NO;
        }
        r = arguments->json ? show_document(&view) : show_text(&view, arguments);
        diagnostics_print(stderr, &findings);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        if (view.n_shown == 0 && !arguments->json)
                complain(view.wanted ? "Course %s has no schedule. Set one: schedule = in "
                                       "/etc/coursenet/" SETTINGS_FILE
                                       ", or its timetable: /etc/coursenet/" TIMETABLE_DIRECTORY "/%s.ics"
                                     : "No course has a schedule.",
                        view.wanted ? view.wanted : "", view.wanted ? view.wanted : "");
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
