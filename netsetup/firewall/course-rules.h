/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The firewall's table of courses, and forwarding on the uplinks. Both follow from which bridges of ours are
 * up, and from the host's default routes and resolvers. They are computed each time and compared or applied
 * as a whole: by netbr@, and by `coursenet-host watch` after another program has changed them. A lock allows
 * one run at a time.
 */

#include "diagnostics.h"
#include "ruleset.h"

/*
 * Applies it for the bridges that are up. Negative errno with at least one error in diagnostics.
 */
int course_rules_refresh(const char *etc, struct diagnostics *diagnostics);

/*
 * The commands that course_rules_refresh() would give to nft now, for the courses and for those in an exam,
 * and the uplinks in them. Changes nothing. The caller frees both; *ret_exams is NULL without an exam.
 */
int course_rules_format(const char *etc, char **ret, char **ret_exams, struct link_names *ret_uplinks,
        struct diagnostics *diagnostics);
