/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl schedule`, and `schedule apply` in schedule-apply.c. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax schedule_syntax;
extern const struct syntax schedule_apply_syntax;

int schedule_command(const struct paths *paths, int argc, char **argv);
int schedule_apply(const struct paths *paths, int argc, char **argv);
