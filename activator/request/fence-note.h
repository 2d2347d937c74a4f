/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Notes for `coursenet-host watch`: who has logged in as a course user, and is to be fenced outside of a
 * seat. No directory of users needs to be listed for that, and none asked.
 */

#include <sys/types.h>

#include "run-files.h"
#include "util.h"

/*
 * Notes the uid and whose it is, making the directory if need be. The first time costs a file, each further
 * one a look into it. System accounts are none of ours. Failures are logged, and nothing else: a login does
 * not depend on it.
 */
void fence_note(const char *directory, uid_t uid, const char *user);
