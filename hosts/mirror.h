/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A copy of the store's keys below one prefix: a snapshot, then each change, and another snapshot when the
 * stream of changes has broken. It may be behind, so nothing is granted because of it.
 */

#include <uthash.h>

#include "etcd.h"
#include "store.h"

struct mirror_key {
        char *key, *value;
        uint64_t lease;
        int64_t revision;
        int64_t seen; /* the last snapshot that had it */
        UT_hash_handle hh;
};

/* pair: the key as it is now; in a snapshot, a key that has gone is deleted at the snapshot's revision. */
typedef void (*mirror_change_t)(void *userdata, const struct etcd_pair *pair);

struct mirror {
        sd_event *event; /* borrowed, and so are the next two */
        struct store *store;
        const char *prefix;
        mirror_change_t change;
        void (*loaded)(void *userdata); /* a snapshot is complete; its changes came before */
        void *userdata;

        struct mirror_key *keys; /* a uthash */
        int64_t revision;        /* of the store, as far as it is known here; 0: nothing is known */
        unsigned n_behind;
        struct store_call *call;
        struct store_stream *stream;
        sd_event_source *timer;
};

/* With the fields of the first part filled in. */
void mirror_begin(struct mirror *mirror);

/* The store was at that revision a moment ago: a stream that says nothing of it is replaced. */
void mirror_expect(struct mirror *mirror, int64_t revision);

/* Takes another snapshot: the stream may have been silent because the store was out of reach. */
void mirror_reload(struct mirror *mirror);

bool mirror_is_loaded(const struct mirror *mirror);

/* Calls with each key that begins with the prefix. */
void mirror_each(const struct mirror *mirror, const char *prefix, mirror_change_t visit, void *userdata);

/* NULL: there is no such key. Borrowed. */
const struct mirror_key *mirror_find(const struct mirror *mirror, const char *key);

void mirror_done(struct mirror *mirror);
