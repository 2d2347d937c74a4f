/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What only root can read, asked of the activator: REQUEST_REPORT. */

#include "arguments.h"
#include "command.h"

/* Where the settings say who may see more; behind a sentence that says what one may not. */
#define STAFF_HINT "(staff in /etc/coursenet/coursenet.conf)"

/*
 * Whether the one who runs this is not root, and staff of a course by the settings: then the activator is
 * worth asking. It decides by itself.
 */
bool report_is_for_staff(const struct paths *paths);

/*
 * Has the command of that name run with these arguments, of which one word, --json and --at count, and prints
 * what it prints. Returns its exit code, or EXIT_UNREACHABLE.
 */
int report_ask(const struct paths *paths, const char *command, const struct arguments *arguments);
