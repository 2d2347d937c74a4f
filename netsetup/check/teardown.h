/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "diagnostics.h"

/*
 * Removes everything of coursenet in the kernel, including what a crash left behind: for `coursenetctl
 * teardown`, after the units have stopped. Prints a line on standard output for each thing that it removed.
 * What is not ours stays. What cannot be removed is an error in diagnostics, and the rest is still removed.
 * Negative errno if there was an error.
 */
int teardown(const char *etc, struct diagnostics *diagnostics);
