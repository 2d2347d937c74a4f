/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenet-host exam`: the kernel and the name service follow the files of exams. */

#include <stdint.h>

#include "diagnostics.h"

/*
 * Ends exams whose end is past, applies the rules, and resolves the names that are allowed. Names that do not
 * resolve are warnings. Negative errno with at least one error in diagnostics.
 */
int exam_update(const char *etc, struct diagnostics *diagnostics);

/*
 * In how many microseconds that should be done again, because an exam begins or ends, or a name may have
 * other addresses. UINT64_MAX: there is no exam.
 */
uint64_t exam_update_after(void);
