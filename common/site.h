/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Everything that is configured, loaded at once and checked against itself: settings, every roster, every
 * override. The activator writes the seats' wiring from it, coursenetctl checks and shows it.
 */

#include "plan.h"
#include "roster.h"

struct site_course {
        struct roster roster;
        struct bridge_plan bridge;
        struct seat_plan *seats; /* of those on the roster now, in its order; students[i] sits in seats[i] */
        const char **students;   /* borrowed from the roster */
        size_t n_seats;
};

/* The empty value is all zero. */
struct site {
        struct settings settings;
        struct site_course *courses; /* sorted by course */
        size_t n_courses;
};

void site_done(struct site *site);

/* Of a course that is taken out of its site; site_done() calls it for the others. */
void site_course_done(struct site_course *course);

/*
 * Loads the configuration below etc. Negative errno if the settings themselves cannot be used (*ret is
 * untouched then); a course or a seat with a mistake is reported and left out, the others are there. Finding
 * an error is thus a matter of diagnostics->n_errors, not of the return value.
 */
int site_load(const char *etc, struct site *ret, struct diagnostics *diagnostics);

/* NULL if there is no such course. Borrowed. */
const struct site_course *site_find_course(const struct site *site, const char *course);

#define _cleanup_site_ _cleanup_(site_done)
