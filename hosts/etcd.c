/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* See Documentation/dev-guide/api_grpc_gateway.md of etcd, and its rpc.proto. */

#include <inttypes.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdarg.h>

#include "etcd.h"

/* --- base64 ---------------------------------------------------------------------------------- */

/* The caller frees it. NULL: out of memory. */
static char *encode(const char *text) {
        size_t length = strlen(text), size = (length + 2) / 3 * 4 + 1;
        char *encoded = malloc(size);

        if (encoded && b64_ntop((const unsigned char *)text, length, encoded, size) < 0) {
                free(encoded);
                return NULL;
        }
        return encoded;
}

/* The caller frees it. NULL: it is no base64, has a NUL, or there is no memory. */
static char *decode(const char *encoded) {
        size_t size = strlen(encoded) / 4 * 3 + 1;
        unsigned char *text = malloc(size);
        int n = text ? b64_pton(encoded, text, size) : -1;

        if (n < 0 || (size_t)n >= size || memchr(text, '\0', (size_t)n)) {
                free(text);
                return NULL;
        }
        text[n] = '\0';
        return (char *)text;
}

/* --- requests -------------------------------------------------------------------------------- */

static char *format(const char *format_text, ...) _printf_(1, 2);

static char *format(const char *format_text, ...) {
        va_list arguments;
        char *text;
        int n;

        va_start(arguments, format_text);
        n = vasprintf(&text, format_text, arguments);
        va_end(arguments);
        return n < 0 ? NULL : text;
}

char *etcd_grant_body(unsigned seconds) {
        return format("{\"TTL\":\"%u\"}", seconds);
}

char *etcd_lease_body(uint64_t lease) {
        return format("{\"ID\":\"%" PRId64 "\"}", (int64_t)lease);
}

/* The first key behind all that begin with the prefix, which ends with a character below 0xff. */
static char *end_of(const char *prefix) {
        char *end = strdup(prefix);

        if (end)
                end[strlen(end) - 1]++;
        return end;
}

char *etcd_range_body(const char *key, bool prefix) {
        _cleanup_free_ char *start = encode(key), *end = end_of(key), *encoded_end = end ? encode(end) : NULL;

        if (!start || !encoded_end)
                return NULL;
        return prefix ? format("{\"key\":\"%s\",\"range_end\":\"%s\"}", start, encoded_end)
                      : format("{\"key\":\"%s\"}", start);
}

char *etcd_watch_body(const char *key, int64_t revision) {
        _cleanup_free_ char *start = encode(key), *end = end_of(key), *encoded_end = end ? encode(end) : NULL;

        if (!start || !encoded_end)
                return NULL;
        return format("{\"create_request\":{\"key\":\"%s\",\"range_end\":\"%s\",\"start_revision\":\"%" PRId64
                      "\"}}",
                start, encoded_end, revision);
}

#define COMPARE_REVISION                                                                                     \
        "{\"key\":\"%s\",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"%" PRId64 "\"}"
#define SET "{\"request_put\":{\"key\":\"%s\",\"value\":\"%s\",\"lease\":\"%" PRId64 "\"}}"
#define GET "{\"request_range\":{\"key\":\"%s\"}}"
#define REMOVE "{\"request_delete_range\":{\"key\":\"%s\"}}"

char *etcd_put_if_body(const char *key, int64_t revision, const char *value, uint64_t lease) {
        _cleanup_free_ char *k = encode(key), *v = encode(value);

        if (!k || !v)
                return NULL;
        return format("{\"compare\":[" COMPARE_REVISION "],\"success\":[" SET "],\"failure\":[" GET "]}", k,
                revision, k, v, (int64_t)lease, k);
}

char *etcd_delete_if_body(const char *key, int64_t revision) {
        _cleanup_free_ char *k = encode(key);

        return k ? format("{\"compare\":[" COMPARE_REVISION "],\"success\":[" REMOVE "]}", k, revision, k)
                 : NULL;
}

char *etcd_put_body(const char *key, const char *value) {
        _cleanup_free_ char *k = encode(key), *v = encode(value);

        return k && v ? format("{\"success\":[" SET "]}", k, v, (int64_t)0) : NULL;
}

char *etcd_delete_body(const char *key) {
        _cleanup_free_ char *k = encode(key);

        return k ? format("{\"success\":[" REMOVE "]}", k) : NULL;
}

char *etcd_put_both_body(const char *key, const char *value, const char *other_key, const char *other_value) {
        _cleanup_free_ char *k = encode(key), *v = encode(value), *ok = encode(other_key),
                            *ov = encode(other_value);

        if (!k || !v || !ok || !ov)
                return NULL;
        return format("{\"compare\":[" COMPARE_REVISION "," COMPARE_REVISION "],\"success\":[" SET "," SET
                      "],\"failure\":[" GET "," GET "]}",
                k, (int64_t)0, ok, (int64_t)0, k, v, (int64_t)0, ok, ov, (int64_t)0, k, ok);
}

/* --- answers --------------------------------------------------------------------------------- */

static json_object *member(json_object *object, const char *name, json_type type) {
        json_object *found;

        return json_object_is_type(object, json_type_object) &&
                               json_object_object_get_ex(object, name, &found) &&
                               json_object_is_type(found, type)
                       ? found
                       : NULL;
}

const char *json_text(json_object *object, const char *name) {
        json_object *found = member(object, name, json_type_string);

        return found ? json_object_get_string(found) : NULL;
}

/* A number, or a string with one. */
int64_t json_number(json_object *object, const char *name) {
        json_object *found = NULL;

        if (!json_object_is_type(object, json_type_object) ||
                !json_object_object_get_ex(object, name, &found) ||
                (!json_object_is_type(found, json_type_string) && !json_object_is_type(found, json_type_int)))
                return 0;
        return json_object_get_int64(found);
}

bool etcd_read_header(json_object *answer, struct etcd_header *ret) {
        json_object *header = member(answer, "header", json_type_object);

        if (!header)
                return false;
        ret->revision = json_number(header, "revision");
        ret->term = (uint64_t)json_number(header, "raft_term");
        return true;
}

bool etcd_read_lease(json_object *answer, uint64_t *ret_lease, unsigned *ret_seconds) {
        int64_t seconds = json_number(answer, "TTL"), lease = json_number(answer, "ID");

        if (lease == 0 || seconds <= 0 || seconds > UINT32_MAX)
                return false;
        *ret_lease = (uint64_t)lease;
        *ret_seconds = (unsigned)seconds;
        return true;
}

bool etcd_succeeded(json_object *answer) {
        json_object *found = member(answer, "succeeded", json_type_boolean);

        return found && json_object_get_boolean(found);
}

void etcd_pairs_done(struct etcd_pairs *pairs) {
        for (size_t i = 0; i < pairs->n_items; i++) {
                free(pairs->items[i].key);
                free(pairs->items[i].value);
        }
        free(pairs->items);
        *pairs = (struct etcd_pairs){0};
}

static int add_pair(struct etcd_pairs *pairs, json_object *object, bool deleted) {
        const char *key = json_text(object, "key"), *value = json_text(object, "value");
        struct etcd_pair *grown;

        if (!key)
                return -EBADMSG;
        grown = reallocarray(pairs->items, pairs->n_items + 1, sizeof(*pairs->items));
        if (!grown)
                return -ENOMEM;
        pairs->items = grown;
        grown += pairs->n_items;
        *grown = (struct etcd_pair){
                .key = decode(key),
                .value = decode(value && !deleted ? value : ""),
                .lease = (uint64_t)json_number(object, "lease"),
                .revision = json_number(object, "mod_revision"),
                .deleted = deleted,
        };
        pairs->n_items++;
        return grown->key && grown->value ? 0 : -EBADMSG;
}

/* Appends; an answer without "kvs" has none. */
static int add_pairs(struct etcd_pairs *pairs, json_object *range) {
        json_object *list = member(range, "kvs", json_type_array);
        int r = 0;

        for (size_t i = 0; list && r >= 0 && i < json_object_array_length(list); i++)
                r = add_pair(pairs, json_object_array_get_idx(list, i), false);
        return r;
}

static int give(struct etcd_pairs *pairs, int r, struct etcd_pairs *ret) {
        if (r < 0)
                etcd_pairs_done(pairs);
        else
                *ret = *pairs;
        return r < 0 ? r : 0;
}

int etcd_read_pairs(json_object *answer, struct etcd_pairs *ret) {
        struct etcd_pairs pairs = {0};

        return give(&pairs, add_pairs(&pairs, answer), ret);
}

int etcd_read_txn_pairs(json_object *answer, struct etcd_pairs *ret) {
        json_object *list = member(answer, "responses", json_type_array);
        struct etcd_pairs pairs = {0};
        int r = 0;

        for (size_t i = 0; list && r >= 0 && i < json_object_array_length(list); i++)
                r = add_pairs(&pairs,
                        member(json_object_array_get_idx(list, i), "response_range", json_type_object));
        return give(&pairs, r, ret);
}

int etcd_read_events(json_object *message, struct etcd_pairs *ret, struct etcd_header *ret_header) {
        json_object *result = member(message, "result", json_type_object), *list, *canceled;
        struct etcd_pairs pairs = {0};
        int r = 0;

        if (!result || !etcd_read_header(result, ret_header))
                return member(message, "error", json_type_object) ? -ECANCELED : -EBADMSG;
        canceled = member(result, "canceled", json_type_boolean);
        if ((canceled && json_object_get_boolean(canceled)) || json_number(result, "compact_revision") > 0)
                return -ECANCELED;
        list = member(result, "events", json_type_array);
        for (size_t i = 0; list && r >= 0 && i < json_object_array_length(list); i++) {
                json_object *event = json_object_array_get_idx(list, i);
                const char *type = json_text(event, "type");

                r = add_pair(
                        &pairs, member(event, "kv", json_type_object), type && string_equal(type, "DELETE"));
        }
        return give(&pairs, r, ret);
}
