/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the courses' containers can start: a runtime, and images that the students can read. */

#include "site.h"

void image_check(const char *etc, const struct site *site, struct diagnostics *diagnostics);
