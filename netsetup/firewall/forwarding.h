/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Forwarding between the courses' bridges and the uplinks, and nowhere else. The kernel decides by the link
 * on which a packet arrives, so both have to forward. A record says which switches coursenet has turned on,
 * and these are turned off when no course is up. Links that forward already are not changed.
 *
 * IPv4 has a switch for each link. IPv6 has one since Linux 6.17 (force_forwarding). Before that there is one
 * for the whole host. While that one is on, a link accepts router advertisements only if its accept_ra is 2,
 * so links with 1 are set to 2 first: otherwise the host would lose its own default route.
 *
 * Forwarding also lets through packets that have nothing to do with seats. The firewall drops them: see
 * opened in ruleset.h.
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
 * Computes which switches are turned on by us, or have to be: opened4, opened6, opened6_all. Changes nothing.
 * Courses and uplinks are the caller's. Negative errno if a switch or the record cannot be read: a rule that
 * depends on it would be wrong.
 */
int forwarding_plan(
        const struct forwarding_paths *paths, struct forwarding *forwarding, struct diagnostics *diagnostics);

/*
 * Switches off what was switched on before and is not in the plan any more. The rules against other packets
 * are removed only after that, so a switch that cannot be turned off is an error.
 */
int forwarding_close(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics);

/* Switches on what the plan says. Call it after the firewall has the rules against other packets. */
int forwarding_open(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics);
