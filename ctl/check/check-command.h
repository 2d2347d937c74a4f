/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl check`. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax check_syntax;

int check_command(const struct paths *paths, int argc, char **argv);
