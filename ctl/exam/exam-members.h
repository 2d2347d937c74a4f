/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* On which of the servers that share a course its exam is in force. */

#include "base/hosts-list.h"

/* Of the servers in members = of this one. */
struct exam_members {
        size_t n, n_applied;
        const struct listed_member *missing[HOSTS_MAX]; /* borrowed: those without it */
        size_t n_missing;
};

/* changed_usec: of the exam's state, see exam-state.h. A server that has a later state counts, too. */
void exam_members_find(
        const struct hosts_list *list, const char *course, uint64_t changed_usec, struct exam_members *ret);

#define EXAM_MEMBERS_TEXT_SIZE 512U

/* "3 of 3", "1 of 3, not on hostb, hostc (down)". */
void exam_members_format(const struct exam_members *members, char ret_text[static EXAM_MEMBERS_TEXT_SIZE]);
