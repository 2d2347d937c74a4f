/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_REPORT: somebody who is not root wants to know what only root can read. The activator starts
 * `coursenetctl for-peer` as root, which has on its standard input who asks and for what, finds out what that
 * user may see, and prints that and nothing else. The activator itself never asks the user database.
 *
 * On standard input: a struct report_peer, then n_groups times a gid_t.
 */

#include <sys/types.h>

#include "protocol.h"

#define REPORT_COMMAND "for-peer"
#define REPORT_GROUPS_MAX 65536U /* NGROUPS_MAX, limits.h of Linux */

struct report_peer {
        uid_t uid;         /* as the kernel says */
        uint32_t n_groups; /* the supplementary groups, and the group itself */
        struct request request;
};
