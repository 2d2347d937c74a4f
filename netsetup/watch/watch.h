/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What coursenet-network.service runs: it keeps the network as it is planned when others change it. */

#include "diagnostics.h"

/*
 * Runs until SIGTERM or SIGINT, and leaves everything as it is then. program: the path of coursenet-host,
 * which does the work. Negative errno with an error in diagnostics if it cannot watch.
 */
int watch_run(const char *etc, const char *program, struct diagnostics *diagnostics);
