/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks the activator for what only root can read or change: REQUEST_REPORT and REQUEST_CHANGE. */

#include "arguments.h"
#include "command.h"

/* For messages that refuse something: which setting allows it. */
#define STAFF_HINT "(staff in /etc/coursenet/coursenet.conf)"

/*
 * Whether the caller is not root but staff of a course by the settings, so that asking the activator makes
 * sense. The activator decides itself.
 */
bool report_is_for_staff(const struct paths *paths);

/*
 * Lets root run the command of that name, "status", "status --hosts" or "roster list", for the caller and
 * prints its output. Of the arguments, one word, --json, --no-legend, --at, --since and --until are passed
 * on. Returns the command's exit code, or EXIT_UNREACHABLE.
 */
int report_ask(const struct paths *paths, const char *command, const struct arguments *arguments);

/*
 * The same for a command that changes something. text: NULL, or what the command needs in addition, of
 * CHANGE_TEXT_MAX characters at most.
 */
int report_ask_change(
        const struct paths *paths, const char *command, const struct arguments *arguments, const char *text);
