/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Child processes that run another program. */

#include <stdio.h>
#include <sys/wait.h>

#include "util.h"

/* Where a child's standard descriptors go. */
struct child_streams {
        int input, output, error; /* a descriptor, borrowed; or one of these: */
};

enum {
        CHILD_INHERIT = -1, /* where ours goes */
        CHILD_NULL = -2,    /* /dev/null */
};

#define CHILD_INHERITS ((struct child_streams){CHILD_INHERIT, CHILD_INHERIT, CHILD_INHERIT})

/*
 * Starts a program: arguments[0], which is searched for in PATH unless it has a slash; NULL ends the
 * arguments. environment: NULL is ours. No signal is blocked in the child. *ret_pid is the caller's to wait
 * for. Negative errno.
 */
int child_spawn(const char *const *arguments, const struct child_streams *streams, char *const *environment,
        pid_t *ret_pid);

/* The same of the program in file, whatever arguments[0] calls it. */
int child_spawn_file(const char *file, const char *const *arguments, const struct child_streams *streams,
        char *const *environment, pid_t *ret_pid);

/* Waits for the child's end, however long it takes. *ret_status is as waitpid(2) has it. Negative errno. */
int child_wait(pid_t pid, int *ret_status);

/*
 * Runs a program to its end and gives back what it printed, from the beginning; the caller closes
 * *ret_output. Of streams, input and error count. *ret_status is as waitpid(2) has it. Negative errno.
 */
int child_read(const char *const *arguments, const struct child_streams *streams, int *ret_status,
        FILE **ret_output);
