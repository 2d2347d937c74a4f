/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Timetables of courses in iCalendar: schedule.d/COURSE.ics, root's. coursenet-calendar(8) reads them, as a
 * process of its own.
 */

#include "class-time.h"
#include "command.h"
#include "diagnostics.h"
#include "settings.h"

#define TIMETABLE_PATH_SIZE 512U

/* Classes after that are not looked for. */
#define TIMETABLE_SECONDS (3 * 366 * 86400L)

void timetable_file_path(const char *etc, const char *course, char ret[static TIMETABLE_PATH_SIZE]);

bool timetable_file_exists(const char *etc, const char *course);

/* Calls back for each course with a timetable, in order, until it returns a negative errno, and returns that.
 */
typedef int (*timetable_file_visit_t)(void *userdata, const char *course);
int timetable_file_each(
        const char *etc, const struct settings *settings, timetable_file_visit_t visit, void *userdata);

/* The same for each name in the folder that is no course's. */
int timetable_file_each_stranger(
        const char *etc, const struct settings *settings, timetable_file_visit_t visit, void *userdata);

/*
 * Adds the classes that are not over at the time now. No timetable is no error. Negative errno, after an
 * error in diagnostics: the classes are not known.
 */
int timetable_file_load(const struct paths *paths, const char *course, time_t now, struct class_times *times,
        struct diagnostics *diagnostics);
