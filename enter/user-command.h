/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command that coursenet-enter executes. Only for a process without privileges. */

#include "command-line.h"
#include "own-seat.h"

/* What the choice depends on, apart from the options; strings are borrowed. */
struct surroundings {
        const char *seat; /* "12310" */
        const char
                *original; /* SSH_ORIGINAL_COMMAND: the client's command under sshd's ForceCommand; or NULL */
        const char *shell; /* absolute; the user's, for --seat */
        const char *runtime; /* absolute; apptainer or singularity, for the container */
};

/* An argument vector and its program: a path, or a name to be searched in PATH. */
struct user_command {
        const char *program;
        char **arguments; /* the caller frees the array; the strings are borrowed; ends with NULL */
        char name[64];    /* storage for a string without another owner */
};

/* Pure, except for -ENOMEM. *ret must not be moved, because its strings may be in it. */
int user_command_plan(const struct command_line *options, const struct surroundings *surroundings,
        struct user_command *ret);

/* Sets the variables of the seat and executes the command. Returns an exit code, after it has said why. */
int user_command_run(const struct command_line *options, const struct own_seat *seat);
