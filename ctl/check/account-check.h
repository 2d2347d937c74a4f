/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Accounts that are not what they seem: course users by another name. */

#include "site.h"

/*
 * Adds a warning for students whose uid has another name, too, in /etc/passwd or as the first one that the
 * user database gives; and one for accounts of /etc/passwd whose names resemble course users' and are none.
 */
void account_check(const struct site *site, struct diagnostics *diagnostics);
