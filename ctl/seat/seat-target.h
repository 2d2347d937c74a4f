/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The word of `start`, `release` and `stop`, and who may name it. */

#include "base/arguments.h"
#include "base/command.h"
#include "base/target.h"

/* Finds the seats of the word, of those that the caller may change. Returns an exit code, after a message.
 * *target borrows from *site. */
int seat_target_find(const struct paths *paths, const char *word, struct site *site, struct target *target);

/*
 * Whether the caller may end leases of the word, which may be of a student whom the roster no longer has: all
 * that it can mean must be of the caller's courses. False: after a message.
 */
bool seat_target_is_allowed(const struct paths *paths, const char *word);

/*
 * For a caller who is not root: lets the activator run the command if the caller is staff. Returns an exit
 * code; -1: the caller is root, and runs it.
 */
int seat_target_delegate(const struct paths *paths, const char *command, const struct arguments *arguments);
