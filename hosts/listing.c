/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/mman.h>

#include "claim-value.h"
#include "clock.h"
#include "listing.h"

static void add(json_object *object, const char *name, json_object *value) {
        (void)json_object_object_add(object, name, value);
}

static void add_text(json_object *object, const char *name, const char *text) {
        add(object, name, json_object_new_string(text));
}

static json_object *own_state(const struct listing *listing) {
        const struct session *session = listing->session;
        json_object *object = json_object_new_object();
        uint64_t now = now_boottime_usec(), deadline = session->deadline_usec;
        const char *error = session->conflict[0] ? session->conflict : store_error(listing->store);
        char address[ADDRESS_TEXT_SIZE];

        address_format_ip(session->own.address, address);
        add_text(object, "host", session->own.name);
        add_text(object, "address", address);
        add(object, "cut_off", json_object_new_boolean(!session_is_good(session)));
        add(object, "deadline", json_object_new_int64((int64_t)deadline));
        add(object, "left_ms",
                json_object_new_int64(deadline > now ? (int64_t)((deadline - now) / USEC_PER_MSEC) : 0));
        add(object, "claim_seconds", json_object_new_int64(session->seconds));
        add_text(object, "store", store_endpoint(listing->store));
        add(object, "error", error[0] ? json_object_new_string(error) : NULL);
        return object;
}

/* What a key's value has, under the same names. */
static const char *const published[] = {"version", "contract", "boot", "since", "courses"};

static json_object *parse(const struct listing *listing, const char *prefix, const char *name) {
        char key[STORE_KEY_SIZE];
        const struct mirror_key *found;

        (void)snprintf(key, sizeof(key), "%s%s", prefix, name);
        found = mirror_find(listing->mirror, key);
        return found ? json_tokener_parse(found->value) : NULL;
}

/* This member's own key may be behind. */
static void replace_courses(const struct listing *listing, json_object *object) {
        json_object *value = json_tokener_parse(listing->session->value), *courses = NULL;

        (void)json_object_object_get_ex(value, "courses", &courses);
        add(object, "courses", json_object_get(courses));
        json_object_put(value);
}

static json_object *describe_member(
        const struct listing *listing, const char *name, const char *address, bool listed) {
        json_object *object = json_object_new_object(), *value = parse(listing, STORE_MEMBERS, name);
        const char *own_address = json_text(value, "address");

        add_text(object, "host", name);
        add_text(object, "address", address ? address : own_address ? own_address : "");
        add(object, "listed", json_object_new_boolean(listed));
        add(object, "up", json_object_new_boolean(value != NULL));
        for (size_t i = 0; i < ELEMENTSOF(published); i++) {
                json_object *found = NULL;

                (void)json_object_object_get_ex(value, published[i], &found);
                add(object, published[i], json_object_get(found));
        }
        if (value && string_equal(name, listing->session->own.name))
                replace_courses(listing, object);
        add(object, "drained", parse(listing, STORE_DRAIN, name));
        json_object_put(value);
        return object;
}

struct others {
        const struct listing *listing;
        json_object *list;
};

static void add_other(void *userdata, const struct etcd_pair *pair) {
        struct others *others = userdata;
        const char *name = pair->key + strlen(STORE_MEMBERS);
        struct host_member member;

        if (host_member_name_valid(name) && hosts_find(others->listing->settings, name, &member) < 0)
                (void)json_object_array_add(
                        others->list, describe_member(others->listing, name, NULL, false));
}

static json_object *list_members(const struct listing *listing) {
        struct others others = {.listing = listing, .list = json_object_new_array()};
        char address[ADDRESS_TEXT_SIZE];

        for (size_t i = 0; i < listing->settings->hosts.n_members; i++) {
                struct host_member member = hosts_member(listing->settings, i);

                address_format_ip(member.address, address);
                (void)json_object_array_add(
                        others.list, describe_member(listing, member.name, address, true));
        }
        mirror_each(listing->mirror, STORE_MEMBERS, add_other, &others);
        return others.list;
}

static void add_claim(void *userdata, const struct etcd_pair *pair) {
        const char *seat = claim_key_seat(pair->key);
        json_object *list = userdata, *object;
        struct claim_value value;

        if (!seat || claim_value_parse(pair->value, &value) < 0)
                return;
        object = json_object_new_object();
        add_text(object, "seat", seat);
        add_text(object, "user", value.user);
        add_text(object, "host", value.host);
        add(object, "since", json_object_new_int64((int64_t)value.since_usec));
        (void)json_object_array_add(list, object);
}

static int seal(const char *text, uint32_t *ret_size) {
        _cleanup_close_ int fd = memfd_create("coursenet-hosts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        size_t size = strlen(text), done = 0;
        int r;

        if (fd < 0 || size > UINT32_MAX)
                return fd < 0 ? -errno : -EFBIG;
        while (done < size) {
                ssize_t n = write(fd, text + done, size - done);

                if (n < 0)
                        return -errno;
                done += (size_t)n;
        }
        if (lseek(fd, 0, SEEK_SET) < 0 ||
                fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        *ret_size = (uint32_t)size;
        r = fd;
        fd = -1;
        return r;
}

int listing_make(const struct listing *listing, uint32_t *ret_size) {
        json_object *object = json_object_new_object(), *claims = json_object_new_array();
        int r;

        add(object, "version", json_object_new_int(1));
        add(object, "own", own_state(listing));
        add(object, "members", list_members(listing));
        mirror_each(listing->mirror, STORE_CLAIMS, add_claim, claims);
        add(object, "claims", claims);
        r = seal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), ret_size);
        json_object_put(object);
        return r;
}
