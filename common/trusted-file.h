/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads files that decide what root does, such as the configuration. They must be regular files that only
 * root can have written.
 */

#include "file-identity.h"

/* Enough for the roster of any university; a limit, so that a mistake cannot fill the memory. */
#define TRUSTED_FILE_SIZE_MAX (1024U * 1024U)

/*
 * Reads a whole file. The last path component may not be a symbolic link; the file must be regular, owned by
 * root, not writable by group or others, at most TRUSTED_FILE_SIZE_MAX bytes and free of NUL bytes.
 *
 * On success *ret_text is a NUL-terminated copy that the caller frees. On failure returns negative errno
 * (-ENOENT: there is no such file) and *ret_reason says in a static sentence fragment what was expected.
 */
int trusted_file_read(const char *path, char **ret_text, const char **ret_reason);

/* As trusted_file_read(). *ret_identity tells later whether the file is still the one that was read. */
int trusted_file_read_identified(
        const char *path, char **ret_text, const char **ret_reason, struct file_identity *ret_identity);
