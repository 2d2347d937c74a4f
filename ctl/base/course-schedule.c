/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads lines such as "    Next elapse: Mon 2026-10-26 08:00:00 UTC" of systemd-analyze calendar. */

#include "course-schedule.h"
#include "child.h"
#include "class-hours.h"
#include "timetable-file.h"

/* A range begins once a day at most: yesterday, today, tomorrow, and one behind that. */
#define STARTS "5"

/* --- starts ---------------------------------------------------------------------------------- */

/* The caller closes *ret_output. Negative errno; -EINVAL: systemd does not understand the expression. */
static int run(const char *expression, time_t base, FILE **ret_output) {
        char time[48];
        const char *const arguments[] = {
                "systemd-analyze", "calendar", "--iterations=" STARTS, time, "--", expression, NULL};
        const struct child_streams streams = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        int r, status;

        (void)snprintf(time, sizeof(time), "--base-time=@%lld", (long long)base);
        r = child_read(arguments, &streams, &status, ret_output);
        if (r < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
                return r;
        (void)fclose(*ret_output);
        *ret_output = NULL;
        return -EINVAL;
}

/* "Mon 2026-10-26 08:00:00 UTC\n", behind the colon. In another zone, the next line has the same in UTC. */
static bool parse_start(const char *line, time_t *ret) {
        const char *text = strstr(line, ": ");
        struct tm tm = {0};

        if (!text)
                return false;
        text = strptime(text + 2, "%a %Y-%m-%d %H:%M:%S UTC", &tm);
        if (!text || *text != '\n')
                return false;
        *ret = timegm(&tm);
        return true;
}

/* --- ends ------------------------------------------------------------------------------------ */

static void set_zone(const char *zone) {
        if (zone)
                (void)setenv("TZ", zone, 1);
        else
                (void)unsetenv("TZ");
        tzset();
}

/* The end of a class that starts then, by the clocks of its zone: they may have changed in between. */
static time_t find_end(const struct class_hours *hours, time_t start) {
        const char *set = getenv("TZ");
        _cleanup_free_ char *kept = set ? strdup(set) : NULL;
        struct tm tm = {0};
        time_t end;

        if (hours->zone[0])
                set_zone(hours->zone);
        (void)localtime_r(&start, &tm);
        tm.tm_hour = (int)(hours->end_seconds / 3600);
        tm.tm_min = (int)(hours->end_seconds / 60 % 60);
        tm.tm_sec = (int)(hours->end_seconds % 60);
        tm.tm_mday += hours->next_day;
        tm.tm_isdst = -1;
        end = mktime(&tm);
        if (hours->zone[0])
                set_zone(kept);
        return end;
}

/* --- the setting ----------------------------------------------------------------------------- */

static int add_range(const struct class_hours *hours, time_t now, struct class_times *times) {
        _cleanup_fclose_ FILE *output = NULL;
        char line[256];
        time_t start;
        int r = run(hours->start, now - CLASS_MAX_SECONDS - 3600, &output);

        while (r >= 0 && fgets(line, sizeof(line), output))
                if (parse_start(line, &start)) {
                        time_t end = find_end(hours, start);

                        if (end > now && end > start)
                                r = class_times_add(times, start, end, NULL);
                }
        return r;
}

static const char *schedule_of(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own ? own->schedule : "";
}

static const char *exam_of(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own ? own->exam : "";
}

/* name: of the setting that has the text. */
static int add_setting(const char *etc, const struct settings *settings, const char *course, const char *name,
        const char *text, time_t now, struct class_times *times, struct diagnostics *diagnostics) {
        unsigned line = settings_line(settings, course, name);
        const char *rest = text;
        struct class_hours hours;
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, etc);
        while (class_hours_next(&rest, &hours) > 0) {
                int r = add_range(&hours, now, times);

                if (r == -EINVAL)
                        diagnostics_error(diagnostics, path, line,
                                "%s: systemd does not understand '%s', see systemd.time(7)", name,
                                hours.start);
                else if (r < 0)
                        diagnostics_error(diagnostics, path, line,
                                "%s: systemd-analyze cannot be asked for '%s': %s", name, hours.start,
                                strerror(-r));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- both ------------------------------------------------------------------------------------ */

bool course_schedule_exists(const char *etc, const struct settings *settings, const char *course) {
        return schedule_of(settings, course)[0] != '\0' || timetable_file_exists(etc, course);
}

int course_schedule_load(const struct paths *paths, const struct settings *settings, const char *course,
        time_t now, struct class_times *ret, struct diagnostics *diagnostics) {
        _cleanup_class_times_ struct class_times times = {0};
        int r = add_setting(paths->etc, settings, course, "schedule", schedule_of(settings, course), now,
                &times, diagnostics);

        if (r >= 0)
                r = timetable_file_load(paths, course, now, &times, diagnostics);
        if (r < 0)
                return r;
        class_times_sort(&times);
        *ret = times;
        times = (struct class_times){0};
        return 0;
}

bool course_exam_exists(const struct settings *settings, const char *course) {
        return exam_of(settings, course)[0] != '\0';
}

int course_exam_load(const char *etc, const struct settings *settings, const char *course, time_t now,
        struct class_times *ret, struct diagnostics *diagnostics) {
        _cleanup_class_times_ struct class_times times = {0};
        int r = add_setting(
                etc, settings, course, "exam", exam_of(settings, course), now, &times, diagnostics);

        if (r < 0)
                return r;
        class_times_sort(&times);
        *ret = times;
        times = (struct class_times){0};
        return 0;
}
