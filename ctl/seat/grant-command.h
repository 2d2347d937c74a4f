/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Decides whether a user may do something with a seat: REQUEST_CAPTURE, REQUEST_VISIT. For coursenetctl
 * for-peer only.
 */

#include "base/command.h"

/*
 * argv is "capture" or "visit", "--", and perhaps a seat or a user; without it, the caller's own seat is
 * meant. Prints a struct seat_grant if the caller may do that with the seat, and a sentence on stderr
 * otherwise.
 */
int grant_command(const struct paths *paths, int argc, char **argv);
