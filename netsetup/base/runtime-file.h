/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files below /run/coursenet: replaced whole or not at all, and only if they change. */

#include <stdint.h>
#include <sys/types.h>

#include "run-files.h"
#include "util.h"

/* Makes a directory; one that is there already is success, and keeps its mode. */
int runtime_directory_make(const char *path, mode_t mode);

/* Returns 1 if the file was written, 0 if it had this text already, or negative errno. */
int runtime_file_write(const char *path, const char *text, mode_t mode);

/* Removes the file, and an unfinished one that a killed process has left. */
void runtime_file_remove(const char *path);

/* The whole file, which the caller frees. */
int runtime_file_read(const char *path, char **ret_text);

/* --- locks among our own processes, on files that only root can open --------------------------------------
 */

/*
 * Waits for the lock on a file below RUN_DIRECTORY, which is made if need be. It is held as long as *ret_fd
 * is open.
 */
int runtime_lock_take(const char *path, int *ret_fd);

/* The same, beside others that have it shared. */
int runtime_lock_take_shared(const char *path, int *ret_fd);

/* Like runtime_lock_take(), but does not wait: -EWOULDBLOCK if somebody has it. */
int runtime_lock_try(const char *path, int *ret_fd);

/*
 * One lock of many on the same file, each of which has a number: those of other numbers are independent. The
 * file needs no clean-up when a number is not used any more. Without wait as runtime_lock_try().
 */
int runtime_lock_take_number(const char *path, uint64_t number, bool wait, int *ret_fd);
