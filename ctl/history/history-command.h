/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl history`. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax history_syntax;

int history_command(const struct paths *paths, int argc, char **argv);
