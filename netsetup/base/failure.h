/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reports a step that failed: one sentence, "OBJECT: WHAT: the system's reason", added to the diagnostics
 * that main() prints.
 */

#include "diagnostics.h"

/* Returns error, so that a caller can say `return failure(…)`. */
static inline int failure(struct diagnostics *diagnostics, const char *object, int error, const char *what) {
        diagnostics_error(diagnostics, object, 0, "%s: %s", what, strerror(-error));
        return error;
}
