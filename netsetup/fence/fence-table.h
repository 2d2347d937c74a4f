/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The fence's nftables table: what course users' processes outside of their seats may reach. */

#include "fence-subuid.h"
#include "settings.h"

#define FENCE_TABLE_NAME "coursenet_fence"
#define FENCE_TABLE "inet " FENCE_TABLE_NAME

/* Whose processes are fenced. */
struct fence_uids {
        const uint32_t *uids;
        size_t n_uids;
        struct uid_ranges subordinates;
};

/* The addresses of the members of [hosts], host byte order. The empty value: this server shares no course. */
struct fence_members {
        uint32_t addresses[HOSTS_MAX];
        size_t n_addresses;
};

void fence_members_list(const struct settings *settings, struct fence_members *ret);

/*
 * The commands that replace the whole table; with fence disabled, they remove it. The caller frees the text;
 * NULL: out of memory.
 */
char *fence_table_format(const struct fence_settings *fence, const struct fence_uids *fenced,
        const struct fence_members *members);

/* Whether the kernel has such a table, with any contents: 1 or 0, or negative errno. */
int fence_table_exists(void);
