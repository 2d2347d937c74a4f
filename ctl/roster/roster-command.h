/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl roster`, and its parts, which get parsed arguments and return exit codes. */

#include "base/command-parts.h"

int roster_command(const struct paths *paths, int argc, char **argv);

extern const struct command_parts roster_parts;

int roster_list(const struct paths *paths, const struct arguments *arguments);
int roster_add_names(const struct paths *paths, const struct arguments *arguments);
int roster_remove_names(const struct paths *paths, const struct arguments *arguments);
int roster_sync(const struct paths *paths, const struct arguments *arguments);
int roster_import(const struct paths *paths, const struct arguments *arguments);
