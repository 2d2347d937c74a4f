/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that bound how many containers start at once, see SLOT_DIRECTORY. */

#include "manager.h"

/* Makes those that are not there. */
int slots_prepare(void);
