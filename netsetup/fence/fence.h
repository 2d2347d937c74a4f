/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The fence: course users' processes outside of their seats reach only the host itself. fence.c finds out
 * which uids that concerns. fence-table.h and fence-route.h have the rules for these uids.
 */

#include "base/runtime-file.h"
#include "diagnostics.h"
#include "run-files.h"

/* What was applied last, in nft's language: the fence's plan, for comparisons. */
#define FENCE_RULES_FILE RUN_DIRECTORY "/fence.nft"

/*
 * The same for the next boot, in case the settings have a mistake then. The directory belongs to the unit,
 * and only root can read it.
 */
#define FENCE_STATE_FILE "/var/lib/coursenet/fence.nft"

/*
 * Where accounts are looked up. The first value uses only what is on this machine, and so never takes long.
 */
enum fence_scope {
        FENCE_LOCAL, /* logins, earlier runs, /etc/passwd */
        FENCE_NEW,   /* and those of the rosters that had no account yet, in the user database */
        FENCE_ALL,   /* and the whole user database, as far as it lets itself be listed */
};

/*
 * Applies the fence. Negative errno with at least one error in diagnostics; then everybody who was fenced is
 * still fenced.
 */
int fence_update(const char *etc, enum fence_scope scope, struct diagnostics *diagnostics);

/* Another program has changed the fence's table, so the next fence_update() applies it again in any case. */
void fence_set_stale(void);

/*
 * Whether the login of a note (the name of a file in COURSE_LOGIN_DIRECTORY) changes nothing, because its
 * user is fenced already, by this uid and this name. It costs far less than a fence_update().
 */
bool fence_has_login(const char *note);

/* How many students of the rosters had no account when the fence was last updated. */
unsigned fence_missing(void);
