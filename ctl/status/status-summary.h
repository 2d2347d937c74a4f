/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The first line of `coursenetctl status`: how much there is. */

#include "status-view.h"

/* end: is printed before the newline. */
void status_summary_print(const struct status_view *view, const char *end);
