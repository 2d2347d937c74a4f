/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The times of a course's classes, from schedule = in the settings and from its timetable. Calendar
 * expressions are read by systemd-analyze(1).
 */

#include "class-time.h"
#include "command.h"
#include "settings.h"

/* Whether the course has classes at all. */
bool course_schedule_exists(const char *etc, const struct settings *settings, const char *course);

/*
 * The classes that are not over at the time now, sorted: all that begin within the lead, and the next one
 * after that at least. Negative errno, after an error in diagnostics: the times are not known.
 */
int course_schedule_load(const struct paths *paths, const struct settings *settings, const char *course,
        time_t now, struct class_times *ret, struct diagnostics *diagnostics);

/* The same of exams, from exam = in the settings. */
bool course_exam_exists(const struct settings *settings, const char *course);
int course_exam_load(const char *etc, const struct settings *settings, const char *course, time_t now,
        struct class_times *ret, struct diagnostics *diagnostics);
