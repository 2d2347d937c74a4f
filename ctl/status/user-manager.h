/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds where a student's own systemd manager, user@UID.service, runs. It runs in the student's seat, unless
 * it started before the seat, which happens for users with lingering in logind.
 */

#include <sys/types.h>

#include "util.h"

enum user_manager {
        USER_MANAGER_NONE,
        USER_MANAGER_IN_SEAT,
        USER_MANAGER_OUTSIDE,
        USER_MANAGER_UNKNOWN, /* it runs, but its namespace cannot be read without CAP_SYS_PTRACE */
};

/* netns: the path of the seat's namespace. */
enum user_manager user_manager_find(uid_t uid, const char *netns);
