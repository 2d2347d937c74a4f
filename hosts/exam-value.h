/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * exams/COURSE: {"changed": 1, "host": "hosta", "exam": "…", "stopped": "…"}. It is without a lease, and
 * stays when the exam has ended, so that a member that comes back later hears of the end. The texts are those
 * of the files of exam.h; null: there is none. host is the member that has made the change.
 */

#include "exam-state.h"
#include "setting-value.h"

/* The caller frees it. NULL: out of memory. */
char *exam_value_format(const struct exam_state *exam, const char *host);

/*
 * -EBADMSG if the text is no such value: it must be as this version writes it, except for an exam whose end
 * is past. now: seconds since 1970. The course is the caller's.
 */
int exam_value_parse(const char *text, const char *course, uint64_t now, struct exam_state *ret,
        char ret_host[static HOST_MEMBER_NAME_SIZE]);

/* The course of a key below STORE_EXAMS; within key. NULL: it is none. */
const char *exam_key_course(const char *key);
