/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Notes for `coursenet-host watch`: who has logged in as a course user and must be fenced outside of a seat.
 * With them, no directory of users has to be listed or asked.
 */

#include <sys/types.h>

#include "run-files.h"
#include "util.h"

/*
 * Notes the uid and its user, and makes the directory if needed. The first note of a uid writes a file, and
 * each further one reads it. System accounts are ignored. Failures are only logged, because a login does not
 * depend on this.
 */
void fence_note(const char *directory, uid_t uid, const char *user);
