/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts of `coursenetctl check`, each in the file of its name. Each adds what it finds to diagnostics.
 * etc is /etc/coursenet, for the paths in findings.
 */

#include "base/command.h"
#include "limits.h"

/*
 * Accounts that are not what they seem: warns of students whose uid has another name, too, in /etc/passwd or
 * as the first one that the user database gives; and of accounts in /etc/passwd whose names resemble course
 * users' and are none.
 */
void account_check(const struct site *site, struct diagnostics *diagnostics);

/*
 * Whether this host has what the configuration needs: programs, services, IPv6, and room in the kernel.
 * *ret_wanted: the kernel's limits to raise, as limits_check() has them.
 */
void host_check(const struct paths *paths, const struct site *site, struct limits *ret_wanted,
        struct diagnostics *diagnostics);

/* Whether the courses' containers can start: a runtime, and images that the students can read. */
void image_check(const char *etc, const struct site *site, struct diagnostics *diagnostics);

/*
 * What only the kernel knows, and only root may look at: runs `coursenet-host check`, whose absolute path is
 * program, and adds what it finds, or an error that says why nothing could be compared.
 */
void live_check(const char *program, struct diagnostics *diagnostics);

/*
 * Warns of each user and group that the settings name as staff and the user database does not have. Stops at
 * the first name for which the user database does not answer.
 */
void staff_check(const char *etc, const struct settings *settings, struct diagnostics *diagnostics);
