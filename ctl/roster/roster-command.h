/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl roster`, and its parts, which get parsed arguments and return exit codes. */

#include "base/arguments.h"
#include "base/command.h"

int roster_command(const struct paths *paths, int argc, char **argv);

/* Its subcommands, by number; NULL: i is too large. */
const char *roster_part_name(size_t i);
const struct syntax *roster_part_syntax(size_t i);

int roster_list(const struct paths *paths, const struct arguments *arguments);
int roster_add_names(const struct paths *paths, const struct arguments *arguments);
int roster_remove_names(const struct paths *paths, const struct arguments *arguments);
int roster_import(const struct paths *paths, const struct arguments *arguments);
