/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd-resolved. It answers every process of the host over a Unix socket, which seats reach too, and does
 * not look who asks. It would tell all students the names of a course, so coursenet gives it none.
 */

#include "diagnostics.h"

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"

/* Takes back what it was told of our bridges; an earlier version of coursenet did tell it. */
void resolved_forget(struct diagnostics *diagnostics);
