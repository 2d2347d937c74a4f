/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What coursenet-enter becomes. Only for a process that has no privileges any more. */

#include "command-line.h"
#include "own-seat.h"

/* What the choice depends on beside the options; strings are borrowed. */
struct surroundings {
        const char *seat; /* "12310" */
        const char
                *original; /* SSH_ORIGINAL_COMMAND: what sshd was asked for, under a ForceCommand; or NULL */
        const char *shell; /* absolute; the user's, for --seat */
        const char *runtime; /* absolute; apptainer or singularity, for the container */
};

/* An argument vector and the program to run it by: a path, or a name to look for in PATH. */
struct user_command {
        const char *program;
        char **arguments; /* the array is the caller's to free, the strings are borrowed; ends with NULL */
        char name[64];    /* where a string has no other owner */
};

/* Pure but for memory: -ENOMEM. *ret must stay where it is. */
int user_command_plan(const struct command_line *options, const struct surroundings *surroundings,
        struct user_command *ret);

/* Sets the variables of the seat and executes the command. Returns an exit code, after it has said why. */
int user_command_run(const struct command_line *options, const struct own_seat *seat);
