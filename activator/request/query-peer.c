/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pace is kept as the time until which the requests so far last at the steady rate (the "theoretical
 * arrival time" of ATM's generic cell rate algorithm): one number a user, and no timer.
 */

#include <uthash.h>

#include "query-peer.h"
#include "run-files.h"
#include "subuid.h"

struct enter_pace {
        uid_t uid;
        uint64_t until_usec;
        UT_hash_handle hh;
};

uid_t query_peer_key(struct query_peers *peers, uid_t uid) {
        uid_t group = subuid_group(&peers->subuids, SUBUID_FILE, uid);

        if (group == uid)
                group = subuid_group(&peers->directory_uids, DIRECTORY_SUBUID_FILE, uid);
        /* The accounts of a directory may have uids that the file gives away as well. */
        return group == uid || peers->has_lease(peers->userdata, uid) ? uid : group;
}

static void forget_past(struct query_peers *peers, uint64_t now_usec) {
        struct enter_pace *pace, *next;

        HASH_ITER (hh, peers->paces, pace, next)
                if (pace->until_usec <= now_usec) {
                        HASH_DEL(peers->paces, pace);
                        free(pace);
                }
}

/* NULL: there is no room for one more. */
static struct enter_pace *find_pace(struct query_peers *peers, uid_t uid, uint64_t now_usec) {
        struct enter_pace *pace;

        HASH_FIND(hh, peers->paces, &uid, sizeof(uid), pace);
        if (pace)
                return pace;
        if (HASH_COUNT(peers->paces) >= ENTER_USERS_MAX)
                forget_past(peers, now_usec);
        if (HASH_COUNT(peers->paces) >= ENTER_USERS_MAX)
                return NULL;
        pace = calloc(1, sizeof(*pace));
        if (!pace)
                return NULL;
        pace->uid = uid;
        HASH_ADD(hh, peers->paces, uid, sizeof(pace->uid), pace);
        return pace;
}

static bool is_too_fast(uint64_t until_usec, uint64_t now_usec, uint64_t interval_usec, unsigned burst) {
        return until_usec > now_usec && until_usec - now_usec > interval_usec * (burst - 1);
}

static uint64_t count_one(uint64_t until_usec, uint64_t now_usec, uint64_t interval_usec) {
        return (until_usec > now_usec ? until_usec : now_usec) + interval_usec;
}

bool query_peer_may_enter(struct query_peers *peers, uid_t uid, uint64_t now_usec) {
        struct enter_pace *pace;

        if (is_too_fast(peers->total_usec, now_usec, ENTER_TOTAL_INTERVAL_USEC, ENTER_TOTAL_BURST))
                return false;
        pace = find_pace(peers, query_peer_key(peers, uid), now_usec);
        if (!pace || is_too_fast(pace->until_usec, now_usec, ENTER_INTERVAL_USEC, ENTER_BURST))
                return false;
        pace->until_usec = count_one(pace->until_usec, now_usec, ENTER_INTERVAL_USEC);
        peers->total_usec = count_one(peers->total_usec, now_usec, ENTER_TOTAL_INTERVAL_USEC);
        return true;
}

void query_peers_done(struct query_peers *peers) {
        forget_past(peers, UINT64_MAX);
        subuid_groups_done(&peers->subuids);
        subuid_groups_done(&peers->directory_uids);
}
