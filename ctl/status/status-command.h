/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl status`. */

#include "base/command.h"

int status_command(const struct paths *paths, int argc, char **argv);
