/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl graph`: a picture of what is up. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax graph_syntax;

int graph_command(const struct paths *paths, int argc, char **argv);
