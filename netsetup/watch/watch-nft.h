/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reports which other programs change our tables, by the notifications of nftables. */

#include "util.h"

#define WATCH_PROCESS_SIZE 32U

/* The tables that a transaction of another program has changed. */
struct watch_nft_changes {
        bool courses, seats, fence;       /* the tables of ruleset.h */
        char process[WATCH_PROCESS_SIZE]; /* the name of that program; empty: not known */
        bool former_seats;                /* any program has made a seat's chain as earlier versions did */
};

struct nl_sock;

/* The empty value is all zero. */
struct watch_nft {
        struct nl_sock *nl;
        struct watch_nft_changes unfinished; /* of the transaction whose events are being read */
        struct watch_nft_changes changes;
};

/* Changes by coursenet-net and coursenet-host are not reported. Negative errno. */
int watch_nft_open(struct watch_nft *watch);
void watch_nft_close(struct watch_nft *watch);

/* To be polled for POLLIN. */
int watch_nft_fd(const struct watch_nft *watch);

/*
 * Reads all notifications. If some were lost, every table counts as changed. Negative errno: the socket
 * cannot be used any more.
 */
int watch_nft_read(struct watch_nft *watch, struct watch_nft_changes *ret);
