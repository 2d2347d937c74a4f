/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl hosts`, `drain` and `undrain`: the servers that share courses with this one. */

#include "base/command-parts.h"

extern const struct command_parts hosts_parts;
extern const struct syntax drain_syntax, undrain_syntax;

int hosts_command(const struct paths *paths, int argc, char **argv);
int drain_command(const struct paths *paths, int argc, char **argv);
int undrain_command(const struct paths *paths, int argc, char **argv);

/* The subcommands of hosts: each returns an exit code. */
int hosts_status(const struct paths *paths, const struct arguments *arguments);
