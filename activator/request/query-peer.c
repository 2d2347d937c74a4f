/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pace is kept as the time until which the requests so far last at the steady rate (the "theoretical
 * arrival time" of ATM's generic cell rate algorithm): one number a user, and no timer.
 */

#include "query-peer.h"
#include "lease/lease.h"
#include "run-files.h"
#include "server.h"

struct enter_pace {
        uid_t uid;
        uint64_t until_usec;
        UT_hash_handle hh;
};

uid_t query_peer_key(struct server *server, uid_t uid) {
        struct lease *lease, *next;
        uid_t group = subordinate_uid_group(&server->subordinate_uids, SUBORDINATE_UID_FILE, uid);

        if (group == uid)
                group = subordinate_uid_group(&server->directory_uids, DIRECTORY_SUBUID_FILE, uid);
        if (group == uid)
                return uid;
        /* The accounts of a directory may have uids that the file gives away as well. */
        HASH_ITER (hh, server->leases->leases, lease, next)
                if (lease->record.uid == uid && !lease->record.hold)
                        return uid;
        return group;
}

static void forget_past(struct enter_paces *paces, uint64_t now_usec) {
        struct enter_pace *pace, *next;

        HASH_ITER (hh, paces->users, pace, next)
                if (pace->until_usec <= now_usec) {
                        HASH_DEL(paces->users, pace);
                        free(pace);
                }
}

/* NULL: there is no room for one more. */
static struct enter_pace *find_pace(struct enter_paces *paces, uid_t uid, uint64_t now_usec) {
        struct enter_pace *pace;

        HASH_FIND(hh, paces->users, &uid, sizeof(uid), pace);
        if (pace)
                return pace;
        if (HASH_COUNT(paces->users) >= ENTER_USERS_MAX)
                forget_past(paces, now_usec);
        if (HASH_COUNT(paces->users) >= ENTER_USERS_MAX)
                return NULL;
        pace = calloc(1, sizeof(*pace));
        if (!pace)
                return NULL;
        pace->uid = uid;
        HASH_ADD(hh, paces->users, uid, sizeof(pace->uid), pace);
        return pace;
}

static bool is_too_fast(uint64_t until_usec, uint64_t now_usec, uint64_t interval_usec, unsigned burst) {
        return until_usec > now_usec && until_usec - now_usec > interval_usec * (burst - 1);
}

static uint64_t count_one(uint64_t until_usec, uint64_t now_usec, uint64_t interval_usec) {
        return (until_usec > now_usec ? until_usec : now_usec) + interval_usec;
}

bool query_peer_may_enter(struct server *server, uid_t uid, uint64_t now_usec) {
        struct enter_paces *paces = &server->enter_paces;
        struct enter_pace *pace;

        if (is_too_fast(paces->total_usec, now_usec, ENTER_TOTAL_INTERVAL_USEC, ENTER_TOTAL_BURST))
                return false;
        pace = find_pace(paces, query_peer_key(server, uid), now_usec);
        if (!pace || is_too_fast(pace->until_usec, now_usec, ENTER_INTERVAL_USEC, ENTER_BURST))
                return false;
        pace->until_usec = count_one(pace->until_usec, now_usec, ENTER_INTERVAL_USEC);
        paces->total_usec = count_one(paces->total_usec, now_usec, ENTER_TOTAL_INTERVAL_USEC);
        return true;
}

void query_peers_done(struct server *server) {
        forget_past(&server->enter_paces, UINT64_MAX);
        subordinate_uids_done(&server->subordinate_uids);
        subordinate_uids_done(&server->directory_uids);
}
