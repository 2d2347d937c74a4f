/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Subordinate uids that a directory gives: nsswitch.conf has "subid: sss" or another source that is not
 * "files", and newuidmap(1) then asks libsubid and its plugin instead of /etc/subuid. What the directory says
 * of those who are fenced is kept in DIRECTORY_SUBUID_FILE, in the format of /etc/subuid. fence-subuid.h
 * reads both.
 */

#include "fence-set.h"

/* True if subordinate uids come from a directory. */
bool subuid_directory_is_used(void);

/* -ELIBACC with an error in diagnostics: there is a directory, and nothing to ask it with. Asks nobody. */
int subuid_directory_check(struct diagnostics *diagnostics);

/* What the file has now, for subuid_directory_update(). Empty if there is no file. The caller frees it. */
int subuid_directory_read(char **ret);

/*
 * Asks the directory about each fenced account that has a name, which may take long, and writes the file. If
 * the directory does not answer for an account, the file keeps what it had. Without a directory the file is
 * removed. Returns 1 if the file has changed, 0 if not; negative errno with an error in diagnostics.
 *
 * before: the file's text from before the caller looked up who is fenced. What is in the file when it is
 * written and was not there before is another run's, and stays.
 */
int subuid_directory_update(
        const struct accounts *fenced, const char *before, struct diagnostics *diagnostics);
