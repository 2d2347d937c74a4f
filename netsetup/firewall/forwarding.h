/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Forwarding between the courses' bridges and the uplinks, and nowhere else. The kernel looks at the link
 * that a packet comes in by, so both have to forward. What was switched on here is written down, and switched
 * off again when no course is up; what forwards already is left alone.
 *
 * IPv4 has a switch for each link. IPv6 has one since Linux 6.17 (force_forwarding). Before that there is one
 * for the whole host; with it on, a link takes router advertisements only if its accept_ra is 2, so that is
 * set first where it was 1: a host must not lose its own default route by having guests.
 *
 * The firewall closes what forwarding opens to others: see opened in ruleset.h.
 */

#include "diagnostics.h"
#include "ruleset.h"

struct forwarding_paths {
        const char *root;  /* /proc/sys */
        const char *state; /* what was switched on, a line for each */
};

struct forwarding {
        const struct bridge_plan *courses; /* borrowed */
        size_t n_courses;
        struct link_names uplinks;
        struct link_names opened4, opened6;
        bool opened6_all;
        struct link_names accept_ra; /* those whose accept_ra was 1 */
};

/*
 * Fills in what is, or has to be, switched on by us: opened4, opened6, opened6_all. Changes nothing. Courses
 * and uplinks are the caller's.
 */
void forwarding_plan(const struct forwarding_paths *paths, struct forwarding *forwarding);

/*
 * Switches off what was switched on before and is no longer in the plan. The rules that keep others out are
 * removed only after that, so a switch that cannot be turned is an error.
 */
int forwarding_close(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics);

/* Switches on what the plan says: after the firewall has closed what that opens to others. */
int forwarding_open(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics);
