/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls of a store, and their answers. */

#include "etcd.h"
#include "store-server.h"
#include "store.h"

#define WITHIN_USEC (20 * USEC_PER_SEC)

struct answer {
        bool came;
        int error;
        uint64_t sent_usec;
        json_object *object;
        struct store_call *call;
};

static void answer_done(struct answer *answer) {
        json_object_put(answer->object);
}

#define _cleanup_answer_ _cleanup_(answer_done)

static void take_answer(void *userdata, int error, json_object *object, uint64_t sent_usec) {
        struct answer *answer = userdata;

        assert_false(answer->came);
        assert_null(answer->call);
        answer->came = true;
        answer->error = error;
        answer->sent_usec = sent_usec;
        answer->object = json_object_get(object);
}

static void ask_store(
        struct store *store, struct answer *answer, const char *path, char *body, uint64_t within_usec) {
        assert_int_equal(store_call(store, path, body, within_usec, take_answer, answer, &answer->call), 0);
        assert_non_null(answer->call);
}

/* Asks, and waits for the answer. */
static struct answer call_store(sd_event *event, struct store *store, const char *path, char *body) {
        struct answer answer = {0};

        ask_store(store, &answer, path, body, WITHIN_USEC);
        run_until(event, answer.came);
        return answer;
}

static json_object *good(const struct answer *answer) {
        assert_int_equal(answer->error, 0);
        assert_non_null(answer->object);
        return answer->object;
}

/* --- what other members do ------------------------------------------------------------------- */

/* It has a loop of its own, so nothing of what is tested goes on while it asks. */
struct bystander {
        sd_event *event;
        struct store *store;
        struct hosts_settings hosts;
};

static struct bystander bystander;

static int _unused_ bystander_begin(void) {
        bystander.hosts = (struct hosts_settings){.n_stores = 1, .stores = {ETCD_URL}};
        return sd_event_new(&bystander.event) < 0
                       ? -1
                       : store_new(bystander.event, &bystander.hosts, &bystander.store);
}

static void _unused_ bystander_end(void) {
        store_free(bystander.store);
        bystander.event = sd_event_unref(bystander.event);
}

static struct answer do_aside(const char *path, char *body) {
        return call_store(bystander.event, bystander.store, path, body);
}

static void _unused_ change_aside(const char *path, char *body) {
        _cleanup_answer_ struct answer answer = do_aside(path, body);

        (void)good(&answer);
}

/* The key, and true; false: there is none. To be freed with etcd_pairs_done(). */
static bool look_aside(const char *key, struct etcd_pairs *ret) {
        _cleanup_answer_ struct answer answer = do_aside(ETCD_RANGE, etcd_range_body(key, false));

        assert_int_equal(etcd_read_pairs(good(&answer), ret), 0);
        return ret->n_items > 0;
}

static bool _unused_ key_exists(const char *key) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        return look_aside(key, &pairs);
}

static uint64_t _unused_ lease_of(const char *key) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        return look_aside(key, &pairs) ? pairs.items[0].lease : 0;
}

static int64_t _unused_ revision_of(const char *key) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        return look_aside(key, &pairs) ? pairs.items[0].revision : 0;
}
