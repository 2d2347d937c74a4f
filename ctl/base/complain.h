/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sentences of coursenetctl on stderr. */

#include "console.h"

/* "coursenetctl: TEXT" and a newline. */
#define complain(...) console_complain("coursenetctl", __VA_ARGS__)

/*
 * Prints why the activator at that socket did not answer. Returns EXIT_NO if the caller has no right to use
 * the socket, because the activator may well be running then; otherwise EXIT_UNREACHABLE.
 */
int complain_of_activator(const char *socket, int error);

/* "s" for all numbers but 1. */
const char *plural(size_t n);
