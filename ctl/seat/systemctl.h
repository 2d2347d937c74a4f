/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemctl(1), for what has to work when D-Bus does not: as root it reaches systemd without. Arguments are
 * "systemctl" and NULL-terminated.
 */

#include "util.h"

/* Its output goes nowhere. Returns its exit status, or negative errno. */
int systemctl_run(const char *const *arguments);

/* The first word of each line of its output. */
struct unit_names {
        char **names;
        size_t n_names;
};

/* Returns its exit status, with the names if that is 0; or negative errno if it could not be run. */
int systemctl_list(const char *const *arguments, struct unit_names *ret);
void unit_names_done(struct unit_names *names);

#define _cleanup_unit_names_ _cleanup_(unit_names_done)
