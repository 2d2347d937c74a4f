/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* leftover = kill: what still runs in a seat when its last login has ended is ended, too. */

#include "util.h"

/*
 * Ends every process in the network namespace but root's: SIGHUP and SIGTERM, and after a moment SIGKILL.
 * Returns how many there were, or negative errno if they cannot be found.
 */
int leftover_kill(int netns_fd);
