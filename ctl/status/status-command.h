/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl status`. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax status_syntax;

int status_command(const struct paths *paths, int argc, char **argv);
