/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl exam`, and its parts, which get parsed arguments and return exit codes. */

#include "base/arguments.h"
#include "base/command.h"

int exam_command(const struct paths *paths, int argc, char **argv);

/* Its subcommands, by number; NULL: i is too large. */
const char *exam_part_name(size_t i);
const struct syntax *exam_part_syntax(size_t i);

int exam_start(const struct paths *paths, const struct arguments *arguments);
int exam_stop(const struct paths *paths, const struct arguments *arguments);
int exam_list(const struct paths *paths, const struct arguments *arguments);
