/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl check`. */

#include "base/command.h"

int check_command(const struct paths *paths, int argc, char **argv);
