/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What coursenetctl says to people on stderr. */

#include "console.h"

/* "coursenetctl: TEXT" and a newline. */
#define complain(...) console_complain("coursenetctl", __VA_ARGS__)

/*
 * Says why the activator at that socket could not be asked. Returns EXIT_NO if the caller has no right to the
 * socket, because that is no sign of a daemon that is down; else EXIT_UNREACHABLE.
 */
int complain_of_activator(const char *socket, int error);

/* "s" for all numbers but 1. */
const char *plural(size_t n);
