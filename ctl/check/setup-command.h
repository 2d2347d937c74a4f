/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl setup`. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax setup_syntax;
int setup_command(const struct paths *paths, int argc, char **argv);
