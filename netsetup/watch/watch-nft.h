/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which other programs change our tables: nftables' own notifications. */

#include "util.h"

#define WATCH_PROCESS_SIZE 32U

/* What a transaction of somebody else touched. */
struct watch_nft_changes {
        bool courses, seats, fence;       /* the tables of ruleset.h */
        char process[WATCH_PROCESS_SIZE]; /* who that was; empty: not known */
};

struct nl_sock;

/* The empty value is all zero. */
struct watch_nft {
        struct nl_sock *nl;
        struct watch_nft_changes unfinished; /* of the transaction whose events are being read */
        struct watch_nft_changes changes;
};

/* Changes by coursenet-net and coursenet-host are not told. Negative errno. */
int watch_nft_open(struct watch_nft *watch);
void watch_nft_close(struct watch_nft *watch);

/* To be polled for POLLIN. */
int watch_nft_fd(const struct watch_nft *watch);

/*
 * Reads what there is. If notifications were lost, everything counts as touched. Negative errno: the socket
 * is of no use any more.
 */
int watch_nft_read(struct watch_nft *watch, struct watch_nft_changes *ret);
