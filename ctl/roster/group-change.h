/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the members of a course's groups change of its roster. Pure: it looks nothing up and writes nothing.
 */

#include "group-members.h"
#include "roster.h"

/* The empty value is all zero. */
struct group_change {
        char (*joined)[USER_NAME_SIZE]; /* students who get a seat, by name */
        size_t n_joined;
        char (*left)[USER_NAME_SIZE]; /* students who lose theirs */
        size_t n_left;
        size_t n_seated; /* students who have one now */
};

void group_change_done(struct group_change *change);

/*
 * Compares the members with the students on the roster. Members who are no course users of this course by the
 * site's rule, such as its staff, get no seat; notes has a warning of them, and of members whose names
 * differ from that of another student in capitals only. -ENOMEM.
 */
int group_change_find(const struct settings *settings, const struct roster *roster,
        const struct group_members *members, const char *path, struct group_change *ret,
        struct diagnostics *notes);

/* Whether so many students would lose their seats that the directory must be mistaken. */
bool group_change_suspicious(const struct group_change *change);

#define _cleanup_group_change_ _cleanup_(group_change_done)
