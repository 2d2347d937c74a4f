/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What all courses have in common: the firewall's table of courses, and forwarding on the uplinks. Both
 * follow from which bridges of ours are up, and from the host's default routes and resolvers, so they are
 * computed each time and compared or applied as a whole: for netbr@, and for `coursenet-host watch` when
 * somebody else has changed them. A lock makes it one at a time.
 */

#include "diagnostics.h"
#include "ruleset.h"

/*
 * Applies it for the bridges that are up. Negative errno with at least one error in diagnostics.
 */
int course_rules_refresh(const char *etc, struct diagnostics *diagnostics);

/*
 * The commands that it would apply to the firewall now, and the uplinks in them; changes nothing. The caller
 * frees *ret.
 */
int course_rules_format(
        const char *etc, char **ret, struct link_names *ret_uplinks, struct diagnostics *diagnostics);
