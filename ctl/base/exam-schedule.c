/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "exam-schedule.h"
#include "complain.h"
#include "course-schedule.h"
#include "exam-file.h"
#include "exam-staff.h"

/* Exams that overlap, or follow each other at once, are one. Those that find no place are of later days. */
static void add_times(const struct class_times *times, struct exam *exam) {
        for (size_t i = 0; i < times->n_items; i++) {
                const struct class_time *each = &times->items[i];
                struct exam_time *last = exam->n_times > 0 ? &exam->times[exam->n_times - 1] : NULL;

                if (last && (uint64_t)each->start <= last->until) {
                        if ((uint64_t)each->end > last->until)
                                last->until = (uint64_t)each->end;
                } else if (exam->n_times < EXAM_TIMES_MAX)
                        exam->times[exam->n_times++] =
                                (struct exam_time){(uint64_t)each->start, (uint64_t)each->end};
        }
}

static time_t find_next(const struct exam *exam, time_t now) {
        for (size_t i = 0; i < exam->n_times; i++) {
                if (exam->times[i].from > (uint64_t)now)
                        return (time_t)exam->times[i].from;
                if (exam->times[i].until > (uint64_t)now)
                        return (time_t)exam->times[i].until;
        }
        return 0;
}

/* The next exam is not stopped because the last one was. */
static int remove_stopped(const char *state, const char *course, time_t now) {
        uint64_t until;
        int r = exam_stopped_load(state, course, &until);

        return r > 0 && until <= (uint64_t)now ? exam_file_remove(state, course, EXAM_STOPPED) : r;
}

static int write_file(const struct paths *paths, const struct settings *settings, struct exam *exam) {
        int r;

        if (exam->n_times == 0)
                return exam_file_remove(paths->state, exam->course, EXAM_SCHEDULED);
        /* The file is the same as long as the times are. */
        exam->since = exam->times[0].from;
        r = exam_allow_list_parse(settings_find_course(settings, exam->course)->exam_allow, exam);
        if (r < 0)
                return r;
        exam_staff_add(settings, exam->course, exam);
        return exam_file_update(paths->state, exam);
}

int exam_schedule_apply(const struct paths *paths, const struct settings *settings, const char *course,
        time_t now, time_t *ret_next) {
        _cleanup_class_times_ struct class_times times = {0};
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        struct exam exam = {0};
        int r = 0;

        *ret_next = 0;
        (void)string_copy(exam.course, sizeof(exam.course), course);
        if (course_exam_exists(settings, course))
                r = course_exam_load(paths->etc, settings, course, now, &times, &findings);
        diagnostics_print(stderr, &findings);
        if (r < 0)
                return r;
        add_times(&times, &exam);
        r = remove_stopped(paths->state, course, now);
        if (r >= 0)
                r = write_file(paths, settings, &exam);
        if (r < 0)
                complain("%s/" EXAM_DIRECTORY "/%s" EXAM_SCHEDULED " cannot be written: %s", paths->state,
                        course, strerror(-r));
        *ret_next = find_next(&exam, now);
        return r < 0 ? r : 0;
}
