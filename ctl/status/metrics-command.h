/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl metrics`: numbers for Prometheus. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax metrics_syntax;

int metrics_command(const struct paths *paths, int argc, char **argv);
