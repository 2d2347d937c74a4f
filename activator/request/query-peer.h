/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is at the other end of query.sock, for limits, and how often they may enter. */

#include "base/subuid-group.h"

/*
 * A student who runs commands in a loop needs fewer than this. Every lease is two lines of the log that must
 * not be lost, so all users together stay below what journald takes of a unit, 10000 lines in 30 s.
 */
#define ENTER_INTERVAL_USEC UINT64_C(250000)
#define ENTER_BURST 64U
#define ENTER_TOTAL_INTERVAL_USEC UINT64_C(10000)
#define ENTER_TOTAL_BURST 512U
#define ENTER_USERS_MAX 4096U /* more users than can have made a request within the pace of all users */

struct enter_pace;

/* What the limits remember of users. has_lease and userdata are given, the rest is zero at first. */
struct query_peers {
        bool (*has_lease)(void *userdata, uid_t uid);
        void *userdata;
        struct subuid_groups subuids;        /* of /etc/subuid */
        struct subuid_groups directory_uids; /* of DIRECTORY_SUBUID_FILE */
        struct enter_pace *paces;            /* a uthash by uid */
        uint64_t total_usec;                 /* the pace of all users together */
};

/*
 * The uid by which the limits count a peer: its own if it has a lease; else the first of its subordinate
 * range, so that all uids of one range count as one user.
 */
uid_t query_peer_key(struct query_peers *peers, uid_t uid);

/* Whether the user may have one more lease just now, which then counts. now: CLOCK_MONOTONIC. */
bool query_peer_may_enter(struct query_peers *peers, uid_t uid, uint64_t now_usec);

void query_peers_done(struct query_peers *peers);
