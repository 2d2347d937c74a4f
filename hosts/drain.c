/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>

#include "claim-value.h"
#include "drain.h"
#include "log.h"
#include "run-state.h"

/* --- names ----------------------------------------------------------------------------------- */

static bool has_key(const struct mirror *mirror, const char *prefix, const char *member) {
        char key[STORE_KEY_SIZE];

        (void)snprintf(key, sizeof(key), "%s%s", prefix, member);
        return mirror_find(mirror, key);
}

bool drain_knows(const struct settings *settings, const struct mirror *mirror, const char *member) {
        struct host_member found;

        return hosts_find(settings, member, &found) >= 0 || has_key(mirror, STORE_MEMBERS, member) ||
               has_key(mirror, STORE_DRAIN, member);
}

void drain_name_others(const struct settings *settings, const char *own,
        bool (*gets_seats)(void *userdata, const char *member), void *userdata,
        char ret_names[static DRAIN_NAMES_SIZE]) {
        size_t n_named = 0, length = 0;

        ret_names[0] = '\0';
        for (size_t i = 0; i < settings->hosts.n_members && n_named < DRAIN_NAMED_MAX; i++) {
                const struct host_member member = hosts_member(settings, i);

                if (string_equal(member.name, own) || !gets_seats(userdata, member.name))
                        continue;
                length += (size_t)snprintf(ret_names + length, DRAIN_NAMES_SIZE - length, "%s%s",
                        n_named > 0 ? " " : "", member.name);
                n_named++;
        }
}

/* --- the key --------------------------------------------------------------------------------- */

static char *format_value(const char *by, uint64_t now_usec) {
        json_object *object = json_object_new_object();
        char *text;

        if (!object)
                return NULL;
        (void)json_object_object_add(object, "by", json_object_new_string(by));
        (void)json_object_object_add(object, "since", json_object_new_int64((int64_t)now_usec));
        text = strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        json_object_put(object);
        return text;
}

char *drain_body(const char *member, bool drained, const char *by, uint64_t now_usec) {
        _cleanup_free_ char *value = format_value(by, now_usec);
        char key[STORE_KEY_SIZE];

        (void)snprintf(key, sizeof(key), STORE_DRAIN "%s", member);
        if (!drained)
                return etcd_delete_body(key);
        return value ? etcd_put_if_body(key, 0, value, 0) : NULL;
}

/* --- the file -------------------------------------------------------------------------------- */

static bool gets_seats(void *userdata, const char *member) {
        const struct mirror *mirror = userdata;

        return has_key(mirror, STORE_MEMBERS, member) && !has_key(mirror, STORE_DRAIN, member);
}

static void write_file(struct drain_file *file) {
        bool drained = has_key(file->mirror, STORE_DRAIN, file->own);
        char others[DRAIN_NAMES_SIZE] = "";
        int r;

        if (drained)
                drain_name_others(
                        file->settings, file->own, gets_seats, (void *)(uintptr_t)file->mirror, others);
        if (file->known && file->drained == drained && string_equal(file->others, others))
                return;
        r = run_state_set_drained(file->root, drained ? others : NULL);
        if (r < 0) {
                log_error("It cannot be noted that %s %s new seats: %s", file->own,
                        drained ? "gets no" : "gets", strerror(-r));
                return;
        }
        if (file->known ? file->drained != drained : drained)
                log_notice("%s gets %s", file->own, drained ? "no new seats" : "new seats again");
        file->known = true;
        file->drained = drained;
        (void)string_copy(file->others, sizeof(file->others), others);
}

static int handle_changes(sd_event_source *source, void *userdata) {
        struct drain_file *file = userdata;

        (void)source;
        if (mirror_is_loaded(file->mirror))
                write_file(file);
        return 0;
}

static void look_soon(struct drain_file *file) {
        (void)sd_event_source_set_enabled(file->source, SD_EVENT_ONESHOT);
}

void drain_file_key_changed(struct drain_file *file, const char *key) {
        if (string_starts_with(key, STORE_DRAIN) || string_starts_with(key, STORE_MEMBERS))
                look_soon(file);
}

void drain_file_loaded(struct drain_file *file) {
        look_soon(file);
}

int drain_file_begin(struct drain_file *file) {
        int r = sd_event_add_defer(file->event, &file->source, handle_changes, file);

        return r < 0 ? r : sd_event_source_set_enabled(file->source, SD_EVENT_OFF);
}

void drain_file_done(struct drain_file *file) {
        file->source = sd_event_source_disable_unref(file->source);
}
