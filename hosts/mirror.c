/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mirror.h"
#include "clock.h"
#include "log.h"

#define AGAIN_USEC (500 * USEC_PER_MSEC)
#define SNAPSHOT_USEC (10 * USEC_PER_SEC)

static void load(struct mirror *mirror);

const struct mirror_key *mirror_find(const struct mirror *mirror, const char *key) {
        struct mirror_key *found;

        HASH_FIND_STR(mirror->keys, key, found);
        return found;
}

bool mirror_is_loaded(const struct mirror *mirror) {
        return mirror->revision > 0;
}

void mirror_each(const struct mirror *mirror, const char *prefix, mirror_change_t visit, void *userdata) {
        struct mirror_key *key, *next;

        HASH_ITER (hh, mirror->keys, key, next) {
                const struct etcd_pair pair = {
                        .key = key->key, .value = key->value, .lease = key->lease, .revision = key->revision};

                if (string_starts_with(key->key, prefix))
                        visit(userdata, &pair);
        }
}

static void free_key(struct mirror *mirror, struct mirror_key *key) {
        HASH_DEL(mirror->keys, key);
        free(key->key);
        free(key->value);
        free(key);
}

static int set_key(struct mirror *mirror, const struct etcd_pair *pair, int64_t seen) {
        struct mirror_key *key;
        char *value = strdup(pair->value);

        if (!value)
                return -ENOMEM;
        HASH_FIND_STR(mirror->keys, pair->key, key);
        if (!key) {
                key = calloc(1, sizeof(*key));
                if (key)
                        key->key = strdup(pair->key);
                if (!key || !key->key) {
                        free(key);
                        free(value);
                        return -ENOMEM;
                }
                HASH_ADD_KEYPTR(hh, mirror->keys, key->key, strlen(key->key), key);
        }
        free(key->value);
        key->value = value;
        key->lease = pair->lease;
        key->revision = pair->revision;
        key->seen = seen;
        return 0;
}

static void apply(struct mirror *mirror, const struct etcd_pair *pair, int64_t seen) {
        struct mirror_key *key;

        if (pair->deleted) {
                HASH_FIND_STR(mirror->keys, pair->key, key);
                if (key)
                        free_key(mirror, key);
        } else if (set_key(mirror, pair, seen) < 0)
                log_error("out of memory");
        mirror->change(mirror->userdata, pair);
}

/* --- time ------------------------------------------------------------------------------------ */

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct mirror *mirror = userdata;

        (void)source;
        (void)usec;
        mirror->timer = sd_event_source_disable_unref(mirror->timer);
        load(mirror);
        return 0;
}

static void load_in(struct mirror *mirror, uint64_t usec) {
        store_call_drop(&mirror->call);
        store_stream_close(mirror->stream);
        mirror->stream = NULL;
        mirror->timer = sd_event_source_disable_unref(mirror->timer);
        if (sd_event_add_time_relative(
                    mirror->event, &mirror->timer, CLOCK_BOOTTIME, usec, 1, handle_time, mirror) < 0)
                (void)sd_event_exit(mirror->event, EXIT_FAILURE);
}

/* --- changes --------------------------------------------------------------------------------- */

static void handle_message(void *userdata, json_object *message) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};
        struct mirror *mirror = userdata;
        struct etcd_header header;

        if (!message) {
                mirror->stream = NULL;
                load_in(mirror, AGAIN_USEC);
                return;
        }
        if (etcd_read_events(message, &pairs, &header) < 0) {
                load_in(mirror, AGAIN_USEC);
                return;
        }
        mirror->n_behind = 0;
        if (header.revision > mirror->revision)
                mirror->revision = header.revision;
        for (size_t i = 0; i < pairs.n_items; i++)
                apply(mirror, &pairs.items[i], mirror->revision);
}

/* --- a snapshot ------------------------------------------------------------------------------ */

static void remove_gone(struct mirror *mirror, int64_t revision) {
        struct mirror_key *key, *next;

        HASH_ITER (hh, mirror->keys, key, next) {
                char empty[] = "";
                struct etcd_pair gone = {.value = empty, .revision = revision, .deleted = true};

                if (key->seen == revision)
                        continue;
                gone.key = strdup(key->key);
                if (gone.key)
                        apply(mirror, &gone, revision);
                free(gone.key);
        }
}

static void handle_snapshot(void *userdata, int error, json_object *answer, uint64_t sent_usec) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};
        struct mirror *mirror = userdata;
        struct etcd_header header;

        (void)sent_usec;
        if (error < 0 || !etcd_read_header(answer, &header) || etcd_read_pairs(answer, &pairs) < 0) {
                load_in(mirror, AGAIN_USEC);
                return;
        }
        mirror->revision = header.revision;
        mirror->n_behind = 0;
        for (size_t i = 0; i < pairs.n_items; i++)
                apply(mirror, &pairs.items[i], header.revision);
        remove_gone(mirror, header.revision);
        mirror->stream = store_stream_open(mirror->store, ETCD_WATCH,
                etcd_watch_body(mirror->prefix, header.revision + 1), handle_message, mirror);
        if (!mirror->stream)
                load_in(mirror, AGAIN_USEC);
        mirror->loaded(mirror->userdata);
}

static void load(struct mirror *mirror) {
        if (store_call(mirror->store, ETCD_RANGE, etcd_range_body(mirror->prefix, true), SNAPSHOT_USEC,
                    handle_snapshot, mirror, &mirror->call) < 0)
                load_in(mirror, AGAIN_USEC);
}

void mirror_begin(struct mirror *mirror) {
        load(mirror);
}

void mirror_expect(struct mirror *mirror, int64_t revision) {
        if (!mirror->stream)
                return;
        if (store_stream_is_stale(mirror->stream))
                load_in(mirror, 0);
        /* Others may use the same store, and their changes do not come. */
        else if (revision > mirror->revision && ++mirror->n_behind > 1)
                load_in(mirror, 0);
}

void mirror_reload(struct mirror *mirror) {
        if (mirror->stream)
                load_in(mirror, 0);
}

void mirror_done(struct mirror *mirror) {
        struct mirror_key *key, *next;

        store_call_drop(&mirror->call);
        store_stream_close(mirror->stream);
        mirror->stream = NULL;
        mirror->timer = sd_event_source_disable_unref(mirror->timer);
        HASH_ITER (hh, mirror->keys, key, next)
                free_key(mirror, key);
}
