/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warns of schedules that cannot mean what was intended. */

#include "base/course-schedule.h"
#include "base/moment.h"
#include "base/timetable-file.h"
#include "checks.h"
#include "site.h"

/* Borrowed; NULL: nobody has a seat. */
static bool has_seats(const struct site *site, const char *course) {
        const struct site_course *found = site_find_course(site, course);

        return found && found->n_seats > 0;
}

struct check {
        const struct paths *paths;
        const struct site *site;
        struct diagnostics *diagnostics;
};

/* Where the schedule of a course is: a line of the settings, or a timetable. */
static void find_place(const struct check *check, const char *course, char path[static TIMETABLE_PATH_SIZE],
        unsigned *ret_line) {
        *ret_line = settings_line(&check->site->settings, course, "schedule");
        if (*ret_line > 0)
                (void)snprintf(path, TIMETABLE_PATH_SIZE, "%s/" SETTINGS_FILE, check->paths->etc);
        else
                timetable_file_path(check->paths->etc, course, path);
}

static void check_times(const struct check *check, const struct class_times *times, const char *path,
        unsigned line, const char *course) {
        const struct class_time *overlap = class_times_find_overlap(times);
        char start[64];

        if (times->n_items == 0)
                diagnostics_warning(check->diagnostics, path, line,
                        "course %s has a schedule, but no class from now on: every date is past", course);
        if (!overlap)
                return;
        moment_format_minute((uint64_t)overlap->start * USEC_PER_SEC, start, sizeof(start));
        diagnostics_warning(check->diagnostics, path, line,
                "two classes of course %s overlap: the next one begins while that of %s lasts", course,
                start);
}

static void check_course(const struct check *check, const char *course) {
        _cleanup_class_times_ struct class_times times = {0};
        char path[TIMETABLE_PATH_SIZE];
        unsigned line;

        find_place(check, course, path, &line);
        if (!has_seats(check->site, course))
                diagnostics_warning(check->diagnostics, path, line,
                        "course %s has a schedule, but nobody on its roster", course);
        if (course_schedule_load(check->paths, &check->site->settings, course, time(NULL), &times,
                    check->diagnostics) >= 0)
                check_times(check, &times, path, line, course);
}

/* Those with a line in the settings have been checked. */
static int check_timetable(void *userdata, const char *course) {
        const struct check *check = userdata;

        if (settings_line(&check->site->settings, course, "schedule") == 0)
                check_course(check, course);
        return 0;
}

static int check_stranger(void *userdata, const char *name) {
        const struct check *check = userdata;
        char path[TIMETABLE_PATH_SIZE];

        (void)snprintf(path, sizeof(path), "%s/" TIMETABLE_DIRECTORY, check->paths->etc);
        diagnostics_warning(check->diagnostics, path, 0,
                "'%s' is ignored: expected COURSE.ics as the name of a course's timetable", name);
        return 0;
}

void schedule_check(const struct paths *paths, const struct site *site, struct diagnostics *diagnostics) {
        struct check check = {paths, site, diagnostics};

        for (size_t i = 0; i < site->settings.n_courses; i++)
                if (settings_line(&site->settings, site->settings.courses[i].course, "schedule") > 0)
                        check_course(&check, site->settings.courses[i].course);
        (void)timetable_file_each(paths->etc, &site->settings, check_timetable, &check);
        (void)timetable_file_each_stranger(paths->etc, &site->settings, check_stranger, &check);
}
