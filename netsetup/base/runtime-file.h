/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files below /run/coursenet: replaced whole or not at all, and only if they change. */

#include <sys/types.h>

#include "util.h"

/* Makes a directory; one that is there already is success, and keeps its mode. */
int runtime_directory_make(const char *path, mode_t mode);

/* Returns 1 if the file was written, 0 if it had this text already, or negative errno. */
int runtime_file_write(const char *path, const char *text, mode_t mode);

/* The whole file, which the caller frees. */
int runtime_file_read(const char *path, char **ret_text);
