/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "diagnostics.h"

/*
 * Removes all of ours that is in the kernel, also what a crash left behind: for `coursenetctl teardown`, when
 * the units are down. Prints a line on standard output for what it removed. What is not ours stays; what
 * cannot be removed is an error in diagnostics, and the rest is still removed. Negative errno if there was
 * one.
 */
int teardown(const char *etc, struct diagnostics *diagnostics);
