/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The fence: course users' processes outside of their seats reach only the host itself. What is
 * computed here is whose uids these are; fence-table.h and fence-route.h have what is done to them.
 */

#include "base/runtime-file.h"
#include "diagnostics.h"
#include "run-files.h"

/* What was applied last, in nft's language: the fence's plan, for comparisons. */
#define FENCE_RULES_FILE RUN_DIRECTORY "/fence.nft"

/* The same for after a reboot, if the settings have a mistake then. The directory is the unit's, root's
 * alone. */
#define FENCE_STATE_FILE "/var/lib/coursenet/fence.nft"

/* Where accounts are looked for. The first finds what is on this machine, and so never takes long. */
enum fence_scope {
        FENCE_LOCAL, /* logins, earlier runs, /etc/passwd */
        FENCE_NEW,   /* and those of the rosters that had no account yet, in the user database */
        FENCE_ALL,   /* and the whole user database, as far as it lets itself be listed */
};

/*
 * Applies the fence. Negative errno with at least one error in diagnostics; those who were fenced still are
 * then.
 */
int fence_update(const char *etc, enum fence_scope scope, struct diagnostics *diagnostics);

/* Somebody else has changed the fence's table: the next fence_update() applies it whatever was before. */
void fence_set_stale(void);

/* How many students of the rosters had no account when the fence was last updated. */
unsigned fence_missing(void);
