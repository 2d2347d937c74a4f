/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The seats of the rosters that COURSE|SEAT|USER on a command line means. */

#include "scope.h"

/* One seat on a roster; all borrowed from the site. */
struct target_seat {
        const struct site_course *course;
        const struct seat_plan *plan;
        const char *student;
};

/* The empty value is all zero. */
struct target {
        struct target_seat *seats;
        size_t n_seats;
};

void target_done(struct target *target);

/* Finds the seats that the word names: all of a course, one seat, or the seat of a user. No seats: the word
 * is not known. -ENOMEM. */
int target_find(const struct site *site, const char *word, struct target *ret);

/*
 * Why a site has no course, or no seat, of that name although its roster may have one: prints the mistakes of
 * its files, or to staff that there are some. Returns false, and prints nothing, if there are none.
 */
bool target_explain(
        const char *etc, const struct settings *settings, const struct scope *scope, const char *word);

#define _cleanup_target_ _cleanup_(target_done)
