/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes the files of exams, see exam.h. */

#include "exam.h"

/*
 * Replaces a file of the exam's course as a whole; it is on the disk then. suffix: "", EXAM_SCHEDULED or
 * EXAM_STOPPED. Negative errno.
 */
int exam_file_write(const char *state, const struct exam *exam, const char *suffix);

/* The file of a schedule, which is touched if it has this text already. Negative errno. */
int exam_file_update(const char *state, const struct exam *exam);

/* Returns 1, 0 if there is no such file, or negative errno. */
int exam_file_remove(const char *state, const char *course, const char *suffix);

/* Calls back for each course that has a file with that suffix. Negative errno, also of the callback. */
int exam_file_each(const char *state, const char *suffix, int (*callback)(void *userdata, const char *course),
        void *userdata);

/* A text instead of an exam, which is replaced as a whole in the same way. Negative errno. */
int exam_file_write_text(const char *state, const char *course, const char *suffix, const char *text);

/*
 * Nobody else who takes the lock changes a file until *ret_fd is closed. waits: not, if it is taken: -EAGAIN.
 * Negative errno.
 */
int exam_file_lock(const char *state, bool waits, int *ret_fd);
