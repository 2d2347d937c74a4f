/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A bar on standard error that shows how much of a long command is done. There is none if standard error is
 * no terminal, is dumb, or NO_COLOR is set.
 */

#include "util.h"

struct progress {
        const char *what; /* of what there are n_all, such as "seats"; borrowed */
        size_t n_all, n_done;
        bool shown;
};

struct progress progress_begin(const char *what, size_t n_all);
void progress_step(struct progress *progress);

/* Clears the bar's line, for a message; the next step draws the bar again. */
void progress_hide(const struct progress *progress);
