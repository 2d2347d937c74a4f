/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Runs systemctl(1), which, as root, works without D-Bus. Arguments begin with "systemctl" and end with NULL.
 */

#include "util.h"

/* Its output is discarded. Returns its exit status, or negative errno. */
int systemctl_run(const char *const *arguments);

/* The first word of each line of its output. */
struct unit_names {
        char **names;
        size_t n_names;
};

/* Returns its exit status, with the names in *ret if it is 0; negative errno if it could not be run. */
int systemctl_list(const char *const *arguments, struct unit_names *ret);
void unit_names_done(struct unit_names *names);

#define _cleanup_unit_names_ _cleanup_(unit_names_done)
