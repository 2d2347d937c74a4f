/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An instance of procfs of this process's own, which is mounted nowhere.
 *
 * The kernel caches the folder sys/net once for each namespace, always under the same name in the same
 * parent. So the first look-up in a new namespace compares it with those of all namespaces in which somebody
 * has looked something up. In an instance of its own, these are only the namespaces of this process.
 */

/*
 * Makes the instance, or replaces it if many namespaces are in its cache. The kernel closes the former one
 * only when no processor uses it any more (RCU), so nobody may wait for the caller. Without an instance, or
 * the right to make one, procfs_open() uses /proc.
 */
void procfs_renew(void);

/* Opens a file of procfs by its path below /proc ("sys/net/..."): a descriptor, or negative errno. */
int procfs_open(const char *path, int flags);
