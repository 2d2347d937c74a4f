/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Texts of etcd's HTTP gateway, version 3: requests, and what matters of the answers. Keys and values are
 * base64 there, and 64-bit numbers are strings. Members that are zero are left out of answers.
 */

#include <json-c/json.h>
#include <stdint.h>

#include "util.h"

#define ETCD_GRANT "/v3/lease/grant"
#define ETCD_KEEPALIVE "/v3/lease/keepalive"
#define ETCD_REVOKE "/v3/lease/revoke"
#define ETCD_TXN "/v3/kv/txn"
#define ETCD_RANGE "/v3/kv/range"
#define ETCD_WATCH "/v3/watch"

/* A key with its value. */
struct etcd_pair {
        char *key;
        char *value; /* "" for one that was deleted */
        uint64_t lease;
        int64_t revision; /* of its last change */
        bool deleted;
};

/* The empty value is all zero. */
struct etcd_pairs {
        struct etcd_pair *items;
        size_t n_items;
};

void etcd_pairs_done(struct etcd_pairs *pairs);

#define _cleanup_etcd_pairs_ _cleanup_(etcd_pairs_done)

/* --- requests: the caller frees them; NULL: out of memory ------------------------------------- */

char *etcd_grant_body(unsigned seconds);
char *etcd_lease_body(uint64_t lease); /* ETCD_KEEPALIVE, ETCD_REVOKE */

/* The key, or all keys that begin with it. */
char *etcd_range_body(const char *key, bool prefix);

/* The changes of all keys that begin with it, from that revision on. */
char *etcd_watch_body(const char *key, int64_t revision);

/*
 * If the key's last change was at that revision (0: if there is no such key), sets it, with the lease (0:
 * without). Otherwise the answer has the key as it is.
 */
char *etcd_put_if_body(const char *key, int64_t revision, const char *value, uint64_t lease);

/* Deletes the key if its last change was at that revision. */
char *etcd_delete_if_body(const char *key, int64_t revision);

/* Sets the key, and deletes it, in any case. */
char *etcd_put_body(const char *key, const char *value);
char *etcd_delete_body(const char *key);

/* Sets both keys if there is neither. Otherwise the answer has those that there are. */
char *etcd_put_both_body(const char *key, const char *value, const char *other_key, const char *other_value);

/* --- answers --------------------------------------------------------------------------------- */

struct etcd_header {
        int64_t revision;
        uint64_t term; /* of the store's leader, as the server that answered knows it */
};

bool etcd_read_header(json_object *answer, struct etcd_header *ret);

/* The lease that was granted, or renewed: within "result". False: there is none, or it is over. */
bool etcd_read_lease(json_object *answer, uint64_t *ret_lease, unsigned *ret_seconds);

/* Whether the condition of a transaction was met. */
bool etcd_succeeded(json_object *answer);

/* The keys in the answer to ETCD_RANGE, or of the requests of a transaction. -EBADMSG, -ENOMEM. */
int etcd_read_pairs(json_object *answer, struct etcd_pairs *ret);
int etcd_read_txn_pairs(json_object *answer, struct etcd_pairs *ret);

/*
 * One message of ETCD_WATCH. -EBADMSG, -ENOMEM; -ECANCELED: the stream is over, for instance because its
 * revision was compacted.
 */
int etcd_read_events(json_object *message, struct etcd_pairs *ret, struct etcd_header *ret_header);

/* Member of a JSON object, if it is of that kind; NULL or 0 if not. */
const char *json_text(json_object *object, const char *name);
int64_t json_number(json_object *object, const char *name);
