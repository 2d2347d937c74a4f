/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What only the kernel knows, and only root may look at: `coursenet-net check`, whose findings come back. */

#include "diagnostics.h"

/* Runs program (an absolute path) and adds what it finds, or an error that says why nothing can be said. */
void live_check(const char *program, struct diagnostics *diagnostics);
