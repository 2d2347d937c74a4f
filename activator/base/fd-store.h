/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * PID 1 keeps the openers' pidfds for us over a crash or a restart (FileDescriptorStoreMax= of the unit),
 * each under the id of its lease. Without the store, as in a program started from a shell, these do nothing.
 */

#include "util.h"

/* fd is borrowed: systemd gets a duplicate. */
void fd_store_keep(const char *lease_id, int fd);
void fd_store_drop(const char *lease_id);
