/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* leftover = kill: processes that still run in a seat after its last login has ended are killed. */

#include "util.h"

/*
 * Ends every process in the network namespace but root's: SIGHUP and SIGTERM, and after a moment SIGKILL.
 * Returns how many there were, or negative errno if they cannot be found.
 */
int leftover_kill(int netns_fd);
