/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Commands that have subcommands: `roster`, `exam`. */

#include "arguments.h"
#include "command.h"

struct command_part {
        const char *name;
        int (*run)(const struct paths *paths, const struct arguments *arguments); /* returns an exit code */
        struct syntax syntax;
};

struct command_parts {
        const char *command; /* "roster" */
        const char *usage;   /* printed for help, and when there is no such part */
        const char *names;   /* of all parts, for a message: "list, add, remove or import" */
        const struct command_part *items;
        size_t n_items;
};

/* Runs the part that argv[1] names. Returns an exit code. */
int command_parts_run(const struct command_parts *parts, const struct paths *paths, int argc, char **argv);
