/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd-resolved answers every process of the host over a Unix socket. Processes in seats reach that socket
 * too, and systemd-resolved does not check who asks. It would tell all students the names of a course, so
 * coursenet gives it none.
 */

#include "diagnostics.h"

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"

/* Removes the settings that an earlier version of coursenet has given to systemd-resolved for our bridges. */
void resolved_forget(struct diagnostics *diagnostics);
