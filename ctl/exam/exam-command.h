/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `coursenetctl exam`, and its parts, which get parsed arguments and return exit codes. For staff, the
 * activator runs them: for-peer.c.
 */

#include "base/command-parts.h"

int exam_command(const struct paths *paths, int argc, char **argv);

extern const struct command_parts exam_parts;

int exam_start(const struct paths *paths, const struct arguments *arguments);
int exam_stop(const struct paths *paths, const struct arguments *arguments);
int exam_list(const struct paths *paths, const struct arguments *arguments);
