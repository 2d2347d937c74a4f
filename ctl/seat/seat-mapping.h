/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which seat a user has, computed from settings and roster. */

#include "base/command.h"
#include "plan.h"

struct seat_mapping {
        char user[USER_NAME_SIZE];
        char course[COURSE_SIZE];
        struct bridge_plan bridge;
        struct seat_plan seat;
        struct service_settings services;
        bool has_container;
};

/* What seat_mapping_load() returns for a user whom the name rule does not match. */
enum {
        SEAT_MAPPING_NO_COURSE_USER = 1
};

/*
 * Finds the seat that word names, by its id or by its user, if the scope may know it. Otherwise a message on
 * stderr says why there is none: SEAT_MAPPING_NO_COURSE_USER, or negative errno; then call
 * seat_mapping_complain() for mistakes in the configuration.
 */
int seat_mapping_load(const char *etc, const struct scope *scope, const char *word, struct seat_mapping *ret,
        struct diagnostics *diagnostics);

void seat_mapping_complain(const struct scope *scope, const struct diagnostics *diagnostics);
