/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warns of schedules that cannot mean what was intended. */

#include "base/course-schedule.h"
#include "base/moment.h"
#include "checks.h"
#include "site.h"

/* Borrowed; NULL: nobody has a seat. */
static bool has_seats(const struct site *site, const char *course) {
        const struct site_course *found = site_find_course(site, course);

        return found && found->n_seats > 0;
}

static void check_times(const struct class_times *times, const char *path, unsigned line, const char *course,
        struct diagnostics *diagnostics) {
        const struct class_time *overlap = class_times_find_overlap(times);
        char start[64];

        if (times->n_items == 0)
                diagnostics_warning(diagnostics, path, line,
                        "course %s has a schedule, but no class from now on: every date is past", course);
        if (!overlap)
                return;
        moment_format_minute((uint64_t)overlap->start * USEC_PER_SEC, start, sizeof(start));
        diagnostics_warning(diagnostics, path, line,
                "two classes of course %s overlap: the next one begins while that of %s lasts", course,
                start);
}

void schedule_check(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, etc);
        for (size_t i = 0; i < site->settings.n_courses; i++) {
                const char *course = site->settings.courses[i].course;
                unsigned line = settings_line(&site->settings, course, "schedule");
                _cleanup_class_times_ struct class_times times = {0};

                if (!course_schedule_exists(&site->settings, course))
                        continue;
                if (!has_seats(site, course))
                        diagnostics_warning(diagnostics, path, line,
                                "course %s has a schedule, but nobody on its roster", course);
                if (course_schedule_load(etc, &site->settings, course, time(NULL), &times, diagnostics) >= 0)
                        check_times(&times, path, line, course, diagnostics);
        }
}
