/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl history`. */

#include "base/command.h"

int history_command(const struct paths *paths, int argc, char **argv);
