/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes the files of exams, see exam.h. */

#include "exam.h"

/* Replaces the course's file as a whole; it is on the disk then. Negative errno. */
int exam_file_write(const char *state, const struct exam *exam);

/* Returns 1, 0 if there is no such file, or negative errno. */
int exam_file_remove(const char *state, const char *course);
