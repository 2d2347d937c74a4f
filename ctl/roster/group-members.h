/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is in a group of the user database, which may be a directory behind the network. A child process asks,
 * because getgrnam() has no time limit.
 */

#include "util.h"

/* The empty value is all zero. */
struct group_members {
        char **names; /* user names, as the database writes them */
        size_t n_names;
};

void group_members_done(struct group_members *members);

/*
 * Adds the members of a group. Those whose primary group it is are not among them. -ENOENT: the database
 * knows no such group, or cannot be asked, which are often the same answer. -ETIMEDOUT: it has not
 * answered in time. Other negative errno: what it says, or -ENOMEM. Then *members may have some of the names.
 */
int group_members_add(const char *group, unsigned timeout_ms, struct group_members *members);

#define _cleanup_group_members_ _cleanup_(group_members_done)
