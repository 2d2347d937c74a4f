/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the store has may have been written by another version, or by hand. */

#include <json-c/json.h>

#include "claim-value.h"
#include "etcd.h"
#include "number.h"

char *claim_value_format(const struct claim_value *value) {
        json_object *object = json_object_new_object();
        char *text = NULL;

        if (!object)
                return NULL;
        (void)json_object_object_add(object, "host", json_object_new_string(value->host));
        (void)json_object_object_add(object, "user", json_object_new_string(value->user));
        (void)json_object_object_add(object, "since", json_object_new_int64((int64_t)value->since_usec));
        text = strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        json_object_put(object);
        return text;
}

static int read_value(json_object *object, struct claim_value *ret) {
        const char *host = json_text(object, "host"), *user = json_text(object, "user");
        int64_t since = json_number(object, "since");
        struct claim_value value = {0};

        if (!host || !host_member_name_valid(host) || !user || !user_name_valid(user) || since < 0 ||
                string_copy(value.host, sizeof(value.host), host) < 0 ||
                string_copy(value.user, sizeof(value.user), user) < 0)
                return -EBADMSG;
        value.since_usec = (uint64_t)since;
        *ret = value;
        return 0;
}

int claim_value_parse(const char *text, struct claim_value *ret) {
        json_object *object = json_tokener_parse(text);
        int r = read_value(object, ret);

        json_object_put(object);
        return r;
}

const char *claim_key_seat(const char *key) {
        const char *seat = key + strlen(STORE_CLAIMS);

        if (!string_starts_with(key, STORE_CLAIMS) || !digits_only(seat) || strlen(seat) >= SEAT_ID_SIZE)
                return NULL;
        return seat;
}
