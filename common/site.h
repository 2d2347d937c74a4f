/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The whole configuration: settings, all rosters, all overrides, checked against each other. The activator
 * writes the seats' wiring from it, coursenetctl checks and shows it.
 */

#include "plan.h"
#include "roster.h"

struct site_course {
        struct roster roster;
        struct bridge_plan bridge;
        struct seat_plan *seats; /* of students on the roster, in its order; students[i] has seats[i] */
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

/* For a course that was moved out of its site. site_done() calls it for all courses of a site. */
void site_course_done(struct site_course *course);

/*
 * Loads the configuration below etc. Negative errno if the settings themselves cannot be used; *ret is then
 * untouched. A course or a seat with a mistake is left out and reported in diagnostics, and the result is
 * still 0: diagnostics->n_errors says whether there was an error.
 */
int site_load(const char *etc, struct site *ret, struct diagnostics *diagnostics);

/* NULL if there is no such course. Borrowed. */
const struct site_course *site_find_course(const struct site *site, const char *course);

#define _cleanup_site_ _cleanup_(site_done)
