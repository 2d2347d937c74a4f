/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd-resolved. It answers every process of the host, over a Unix socket that no namespace cuts, and does
 * not look who asks: what it knew of a course's names, all students would know. So it is told nothing.
 */

#include "diagnostics.h"

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"

/* Takes back what it was told of our bridges; an earlier version of coursenet did tell it. */
void resolved_forget(struct diagnostics *diagnostics);
