/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys of a mirror that has no store. */

#include "mirror.h"

static void mirror_keys_remove(struct mirror *mirror, struct mirror_key *key) {
        HASH_DEL(mirror->keys, key);
        free(key->key);
        free(key->value);
        free(key);
}

/* value: NULL: there is no such key. */
static void mirror_keys_set(struct mirror *mirror, const char *name, const char *value) {
        struct mirror_key *key;

        HASH_FIND_STR(mirror->keys, name, key);
        if (key)
                mirror_keys_remove(mirror, key);
        if (!value)
                return;
        key = calloc(1, sizeof(*key));
        if (!key)
                abort();
        key->key = strdup(name);
        key->value = strdup(value);
        if (!key->key || !key->value)
                abort();
        HASH_ADD_KEYPTR(hh, mirror->keys, key->key, strlen(key->key), key);
}

static void mirror_keys_done(struct mirror *mirror) {
        struct mirror_key *key, *next;

        HASH_ITER (hh, mirror->keys, key, next)
                mirror_keys_remove(mirror, key);
}
