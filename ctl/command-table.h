/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The subcommands of coursenetctl, in the order in which its help lists them. */

#include "base/arguments.h"
#include "base/command.h"

struct command {
        const char *name;
        int (*run)(const struct paths *paths, int argc, char **argv);
        const struct syntax *syntax;       /* NULL: it has parts */
        const struct command_parts *parts; /* NULL: it has none */
        const char *synopsis, *summary;
};

/* NULL: i is too large. */
const struct command *command_table_get(size_t i);

/* NULL: there is no such command. */
const struct command *command_table_find(const char *name);
