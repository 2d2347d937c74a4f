/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Subordinate user ids: a user who has some in /etc/subuid can become them in a user namespace
 * (newuidmap(1)), and what they then do is still done by a course user.
 */

#include "fence-set.h"

struct uid_range {
        uint32_t first, last;
};

/* The empty value is all zero. */
struct uid_ranges {
        struct uid_range *items;
        size_t n_items;
};

void uid_ranges_done(struct uid_ranges *ranges);

/*
 * Adds the ranges of a file that belong to course users, by name, or to accounts in fenced, which is sorted
 * by uid. *ranges are then sorted, and none overlaps or adjoins another. Invalid lines are skipped. A file
 * that does not exist has no ranges. Negative errno; *ranges is untouched then.
 */
int fence_subuid_load(const char *path, const struct settings *settings, const struct accounts *fenced,
        struct uid_ranges *ranges);

#define _cleanup_uid_ranges_ _cleanup_(uid_ranges_done)
