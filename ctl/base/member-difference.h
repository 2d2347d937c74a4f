/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What this server and another member should have in common and do not, by the digests that both publish. */

#include "hosts-list.h"

enum difference_kind {
        DIFFERENCE_ONLY_HERE,  /* the other one does not share the course */
        DIFFERENCE_ONLY_THERE, /* this one does not */
        DIFFERENCE_SETTINGS,
        DIFFERENCE_ROSTER,
        DIFFERENCE_EXAM_THERE, /* the last change of the exam is not in force on the other one */
        DIFFERENCE_EXAM_HERE,  /* nor here */
};

struct member_difference {
        enum difference_kind kind;
        char course[COURSE_SIZE];
        uint64_t here_usec, there_usec; /* when the files were changed; 0: it is not known */
};

/*
 * Calls back for each difference, sorted by course. There is none while one of the two is not up, or has
 * another version, whose digests are of other things.
 */
void member_differences(const struct listed_member *own, const struct listed_member *other,
        void (*callback)(void *userdata, const struct member_difference *difference), void *userdata);

/* The state of the course's exam that is in force on the member, see exam-state.h; 0: there is none. */
uint64_t member_exam_usec(const struct listed_member *member, const char *course);

/* "settings" or "roster". */
const char *difference_file(enum difference_kind kind);
