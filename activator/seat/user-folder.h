/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Empty folders for the drop-ins of students' managers and slices (user@1001.service.d, user-1001.slice.d).
 * systemd reads its folders of units again when one of them has a new entry, and a student's first login
 * since boot would wait for that. A file in a folder that is there already is no such entry.
 */

#include "name-rule.h"

/*
 * Makes the folders of each account in the file passwd whose name is a course user's, unless it is there.
 * Everybody can read that file, so the folders tell nothing else; accounts of a directory have none. An error
 * of one folder does not affect the others. Returns negative errno of what went wrong first, or 0.
 */
int user_folder_make_all(const char *directory, const char *passwd, const struct name_rule *rule);
