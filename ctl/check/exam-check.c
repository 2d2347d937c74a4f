/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warns of exams by schedule that cannot mean what was intended. */

#include "base/course-schedule.h"
#include "checks.h"
#include "exam.h"
#include "site.h"

static void check_times(const char *etc, const char *path, const struct site *site, const char *course,
        struct diagnostics *diagnostics) {
        unsigned line = settings_line(&site->settings, course, "exam");
        const struct site_course *found = site_find_course(site, course);
        _cleanup_class_times_ struct class_times times = {0};

        if (!found || found->n_seats == 0)
                diagnostics_warning(
                        diagnostics, path, line, "course %s has an exam, but nobody on its roster", course);
        if (course_exam_load(etc, &site->settings, course, time(NULL), &times, diagnostics) >= 0 &&
                times.n_items == 0)
                diagnostics_warning(diagnostics, path, line,
                        "course %s has no exam from now on: every date is past", course);
}

static void check_allowed(const char *path, const struct settings *settings,
        const struct course_settings *course, struct diagnostics *diagnostics) {
        unsigned line = settings_line(settings, course->course, "exam-allow");
        struct exam exam = {0};

        if (course->exam_allow[0] && !course->exam[0])
                diagnostics_warning(diagnostics, path, line,
                        "exam-allow has no effect: course %s has no exam in the settings", course->course);
        (void)exam_allow_list_parse(course->exam_allow, &exam);
        if (exam.n_names > 0 && settings->dns.source == DNS_OFF)
                diagnostics_warning(diagnostics, path, line,
                        "names in exam-allow have no effect with dns = off: allow the addresses instead");
}

void exam_check(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, etc);
        for (size_t i = 0; i < site->settings.n_courses; i++) {
                const struct course_settings *course = &site->settings.courses[i];

                check_allowed(path, &site->settings, course, diagnostics);
                if (course_exam_exists(&site->settings, course->course))
                        check_times(etc, path, site, course->course, diagnostics);
        }
}
