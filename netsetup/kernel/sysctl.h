/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Kernel settings of the caller's network namespace, as files: what `sysctl` shows. A path is written with
 * slashes ("net/ipv4/conf/eth0.100/forwarding"), since interface names may have dots in them.
 */

#include <stddef.h>

#define SYSCTL_ROOT "/proc/sys"

/*
 * Reads a setting below root (SYSCTL_ROOT, or a test's folder) as text, without its newline. -ENOENT if there
 * is no such setting (or no such interface), -EMSGSIZE if it does not fit into size bytes with a NUL.
 */
int sysctl_read(const char *root, const char *path, char *ret_text, size_t size);

/*
 * Writes a setting. -ENOENT as above, -EROFS if the file system is read-only, or the kernel's own error if it
 * rejects the text.
 */
int sysctl_write(const char *root, const char *path, const char *text);
