/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl for-peer`, which only the activator runs. */

#include "base/command.h"

int for_peer_command(const struct paths *paths, int argc, char **argv);
