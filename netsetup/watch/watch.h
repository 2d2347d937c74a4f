/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The program of coursenet-network.service: repairs the network when other programs change it. */

#include "diagnostics.h"

/*
 * Runs until SIGTERM or SIGINT, and then changes nothing. program: the path of coursenet-host, which the jobs
 * run. Negative errno with an error in diagnostics if it cannot watch.
 */
int watch_run(const char *etc, const char *program, struct diagnostics *diagnostics);
