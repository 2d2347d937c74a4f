/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Receipts: one file below PREPARED_DIRECTORY for each thing that coursenet-worker has made and that no unit
 * has adopted yet. A receipt is made before the thing, empty, and gets its text when the thing is complete.
 * The text describes the thing: what was planned, and the kernel's numbers for it (indices, inode). The
 * start of a unit describes what it finds in the same way. If the texts are equal, nothing is left to do.
 *
 * So while there is a receipt, no unit has the thing, and it may be removed. Each start and each stop of a
 * unit removes the receipt. All of that happens under the lock of the thing, which receipt_lock() takes.
 */

#include "run-files.h"
#include "seat-id.h"

enum receipt_kind {
        RECEIPT_BRIDGE, /* netbr@123 */
        RECEIPT_NETNS,  /* netns@12310 */
        RECEIPT_CABLE,  /* nsbr@12310 */
};

/* Room for the text of a receipt. */
#define RECEIPT_SIZE 512U

typedef char receipt_text_t[RECEIPT_SIZE];

/*
 * The lock of one bridge, namespace or cable, held as long as *ret_fd is open. id: digits. wait: false
 * returns -EBUSY if somebody else has it.
 */
int receipt_lock(enum receipt_kind kind, const char *id, bool wait, int *ret_fd);

/* The rest is called with the lock held. */

/* Makes an empty receipt, also in the place of one that is there. */
int receipt_begin(enum receipt_kind kind, const char *id);

/* The thing is complete. */
int receipt_complete(enum receipt_kind kind, const char *id, const char *text);

bool receipt_exists(enum receipt_kind kind, const char *id);

/* Whether there is a receipt with exactly this text. An empty one has no text. */
bool receipt_says(enum receipt_kind kind, const char *id, const char *text);

/* A receipt that does not exist is success. */
void receipt_remove(enum receipt_kind kind, const char *id);

/* The course in the name of a bridge's receipt, "netbr@123"; within name. NULL: it is the name of something
 * else. */
const char *receipt_course(const char *name);
