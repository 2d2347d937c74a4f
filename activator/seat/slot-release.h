/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Frees the slot of a container's start when the start is over: see run-files.h. */

#include "run-files.h"
#include "seats.h"

/* systemd reports that a job of the unit has ended, with any result. userdata: the struct seats. */
void slots_job_removed(void *userdata, const char *job, const char *unit, const char *result);
