/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands on single seats, or on all of a course, each in the file of its name; release is in
 * stop-command.c. */

#include "base/arguments.h"
#include "base/command.h"

extern const struct syntax seat_syntax;
extern const struct syntax start_syntax;
extern const struct syntax release_syntax;
extern const struct syntax stop_syntax;
extern const struct syntax teardown_syntax;

int seat_command(const struct paths *paths, int argc, char **argv);
int start_command(const struct paths *paths, int argc, char **argv);
int release_command(const struct paths *paths, int argc, char **argv);
int stop_command(const struct paths *paths, int argc, char **argv);
int teardown_command(const struct paths *paths, int argc, char **argv);
