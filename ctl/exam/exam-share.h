/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The exam of a spread course is the same on all members. coursenet-hosts brings it to the others. */

#include "base/command.h"
#include "settings.h"

bool exam_is_shared(const struct settings *settings, const char *course);

/* The same, for a command that has to work with a mistake in the settings. */
bool exam_may_be_shared(const struct paths *paths, const char *course);

/*
 * After the files have changed: says who does not have that yet, and what happens then. Returns an exit code;
 * EXIT_NO if a member may have seats up for which it does not hold.
 */
int exam_tell_others(const struct paths *paths, const char *course, bool begins);
