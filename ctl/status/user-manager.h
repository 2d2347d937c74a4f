/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where a student's own systemd manager, user@UID.service, runs: in their seat, unless it was there before
 * the seat was (a user who lingers in logind).
 */

#include <sys/types.h>

#include "util.h"

enum user_manager {
        USER_MANAGER_NONE,
        USER_MANAGER_IN_SEAT,
        USER_MANAGER_OUTSIDE,
        USER_MANAGER_UNKNOWN, /* it runs, and where cannot be seen: that takes CAP_SYS_PTRACE */
};

/* netns: the path of the seat's namespace. */
enum user_manager user_manager_find(uid_t uid, const char *netns);
