/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Locks among our own processes, on files that only root can open. */

#include "run-files.h"

/*
 * Waits for the lock on a file below RUN_DIRECTORY, which is made if need be. It is held as long as *ret_fd
 * is open.
 */
int lock_take(const char *path, int *ret_fd);

/* The same, beside others that have it shared. */
int lock_take_shared(const char *path, int *ret_fd);

/* Like lock_take(), but does not wait: -EWOULDBLOCK if somebody has it. */
int lock_try(const char *path, int *ret_fd);
