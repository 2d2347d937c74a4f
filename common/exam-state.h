/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What commands have said last of the exam of a spread course, which is the same on all members: the exam by
 * hand, and which exam by schedule was ended. These are the files of exam.h. Beside them, exam/123.changed
 * has when that was said, as a time that grows with each change on any member. Of two states the one with the
 * later time counts.
 *
 * An exam whose end is past counts as none, so that its end is no change.
 */

#include "exam.h"

struct exam_state {
        char course[COURSE_SIZE];
        uint64_t changed_usec; /* CLOCK_REALTIME; 0: nobody has said anything */
        bool on;               /* there is an exam by hand */
        bool broken;           /* its file has a mistake, so what it should be is not known */
        struct exam exam;      /* if it is on, and not broken */
        uint64_t stopped;      /* the end of the exam by schedule that was ended; 0: none */
        char stopped_by[EXAM_BY_SIZE];
};

/* now: seconds since 1970. Negative errno. */
int exam_state_load(const char *state, const char *course, uint64_t now, struct exam_state *ret);

/* Whether both say the same, whenever they were said. Negative errno: -ENOMEM. */
int exam_state_compare(const struct exam_state *one, const struct exam_state *other, bool *ret_same);

/* Writes the files, with exam_file_lock(). Negative errno; it has to be done again then. */
int exam_state_write(const char *state, const struct exam_state *exam_state);

/* Notes that the files of a course have been changed now; with exam_file_lock(). Negative errno. */
int exam_state_touch(const char *state, const char *course);

/* Whether the exam of that course was ever shared. */
bool exam_state_exists(const char *state, const char *course);
