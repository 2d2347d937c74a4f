/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Folders below /run/coursenet that one program writes and another one reads. */

#define RUN_DIRECTORY "/run/coursenet"

/*
 * The activator notes each course user who logs in, as a file that has the uid for its name (fence-note.h).
 * The fence reads them.
 */
#define COURSE_LOGIN_DIRECTORY RUN_DIRECTORY "/fence"

/*
 * Subordinate uids of course users that come from a directory, in the format of subuid(5). The fence writes
 * it, see subid-directory.h; the activator reads it, see subordinate-uid.h.
 */
#define DIRECTORY_SUBUID_FILE RUN_DIRECTORY "/fence.subuid"

/* The activator's records of leases (record-store.h), which `coursenetctl teardown` reads when it is gone. */
#define LEASE_RECORD_DIRECTORY RUN_DIRECTORY "/state"
