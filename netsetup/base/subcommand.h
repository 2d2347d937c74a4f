/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of coursenet-net and coursenet-host: a table of subcommands, each run to its exit status.
 */

#include "diagnostics.h"

/* The configuration that every subcommand reads. */
#define ETC_DIRECTORY "/etc/coursenet"

/*
 * id is the course or the seat, NULL for a subcommand that takes none. Returns the exit status or negative
 * errno; what went wrong is added to diagnostics.
 */
typedef int (*subcommand_run_t)(const char *id, struct diagnostics *diagnostics);

struct subcommand {
        const char *object;
        const char *verb; /* NULL: the object is the whole subcommand */
        subcommand_run_t run;
        bool takes_id; /* of a course or a seat; the others concern all of them */
        bool notifies; /* tells systemd that its work is done, see notify_done() in subcommand.c */
};

/*
 * Runs the subcommand that argv names and prints what went wrong on standard error. -h, --help and help print
 * usage. Returns the exit status of the program: 2 if no subcommand has these arguments.
 */
int subcommand_main(int argc, char **argv, const struct subcommand *subcommands, size_t n, const char *usage);
