/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Exams by schedule: exam = and exam-allow = in the settings become a file of exam.h. */

#include <time.h>

#include "command.h"
#include "settings.h"

/*
 * Writes the times of the course's exams that are not over, before the first of them begins, so that neither
 * its beginning nor a boot during it waits for this program. Without such a time it removes the file.
 * *ret_next is when to do it again; 0: never. Negative errno, after a message: the file stays as it is.
 */
int exam_schedule_apply(const struct paths *paths, const struct settings *settings, const char *course,
        time_t now, time_t *ret_next);
