/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records of leases, one small INI file each below /run/coursenet/state, so that a restarted activator knows
 * whose the leases in PID 1 are. They are text because a newer version must be able to read an older one's.
 */

#include "lease/lease.h"

/* Makes a directory, 0700. */
int state_prepare(const char *directory);

/* Writes the lease's record, whole or not at all. */
int state_save(const char *directory, const struct lease *lease);

void state_remove(const char *directory, const char *lease_id);

/*
 * Fills the lease's fields from the record of its id. -ENOENT: there is none; -EBADMSG: it cannot be used;
 * -ESTALE: it is of another boot.
 */
int state_load(const char *directory, const char *lease_id, struct lease *lease);

/* Calls with the id of every record there is. Stops at the first negative return and returns that. */
int state_list(const char *directory, int (*callback)(void *userdata, const char *lease_id), void *userdata);

/* What a lease's id may look like; anything else in the directory is none of ours. */
bool lease_id_valid(const char *id);
