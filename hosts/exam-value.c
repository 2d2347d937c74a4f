/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>

#include "claim-value.h"
#include "etcd.h"
#include "exam-value.h"
#include "number.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* More than the longest exam has. */
#define TEXT_MAX ((size_t)32 * 1024)

/* --- to text --------------------------------------------------------------------------------- */

/* NULL with *ret_good: there is none, and that is right. */
static json_object *make_text(const struct exam *exam, bool *ret_good) {
        _cleanup_free_ char *text = exam ? exam_format(exam) : NULL;

        *ret_good = !exam || text;
        return text ? json_object_new_string(text) : NULL;
}

char *exam_value_format(const struct exam_state *exam, const char *host) {
        struct exam stopped = {.since = exam->stopped, .until = exam->stopped};
        json_object *object = json_object_new_object();
        bool good, stopped_good;
        char *text = NULL;

        if (!object)
                return NULL;
        (void)string_copy(stopped.by, sizeof(stopped.by), exam->stopped_by);
        (void)json_object_object_add(object, "changed", json_object_new_int64((int64_t)exam->changed_usec));
        (void)json_object_object_add(object, "host", json_object_new_string(host));
        (void)json_object_object_add(object, "exam", make_text(exam->on ? &exam->exam : NULL, &good));
        (void)json_object_object_add(
                object, "stopped", make_text(exam->stopped > 0 ? &stopped : NULL, &stopped_good));
        if (good && stopped_good)
                text = strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        json_object_put(object);
        return text;
}

/* --- from text ------------------------------------------------------------------------------- */

/* NULL: the text is not one JSON value. */
static json_object *parse_json(const char *text) {
        json_tokener *tokener = json_tokener_new();
        size_t size = strlen(text) + 1;
        json_object *value = NULL;

        if (!tokener)
                return NULL;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
        if (size <= INT32_MAX)
                value = json_tokener_parse_ex(tokener, text, (int)size);
        json_tokener_free(tokener);
        return value;
}

static bool is_printable(const char *text) {
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == 0x7f)
                        return false;
        return true;
}

/* Returns 1; 0: it is null; or -EBADMSG. */
static int parse_exam(json_object *value, const char *name, struct exam *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        json_object *member = NULL;
        const char *text;

        if (!json_object_object_get_ex(value, name, &member))
                return -EBADMSG;
        if (!member)
                return 0;
        text = json_text(value, name);
        if (!text || strlen(text) > TEXT_MAX || strlen(text) != (size_t)json_object_get_string_len(member))
                return -EBADMSG;
        exam_parse(text, "the store", ret, &ignored);
        return ret->broken || ret->n_times > 0 || !is_printable(ret->by) ? -EBADMSG : 1;
}

static int64_t parse_changed(json_object *value) {
        json_object *member = NULL;

        return json_object_object_get_ex(value, "changed", &member) &&
                               json_object_is_type(member, json_type_int)
                       ? json_object_get_int64(member)
                       : 0;
}

static int parse_state(json_object *value, uint64_t now, struct exam_state *ret) {
        int64_t changed = parse_changed(value);
        struct exam stopped = {0};
        int on = parse_exam(value, "exam", &ret->exam), is_stopped = parse_exam(value, "stopped", &stopped);

        /* The exam's own time may stand for that of the change, exam-state.c. */
        if (changed <= 0 || on < 0 || is_stopped < 0 ||
                (on > 0 && ret->exam.since > (uint64_t)changed / USEC_PER_SEC) ||
                (is_stopped > 0 && stopped.until == 0))
                return -EBADMSG;
        ret->changed_usec = (uint64_t)changed;
        ret->on = on > 0 && (ret->exam.until == 0 || ret->exam.until > now);
        if (is_stopped > 0 && stopped.until > now) {
                ret->stopped = stopped.until;
                (void)string_copy(ret->stopped_by, sizeof(ret->stopped_by), stopped.by);
        }
        return 0;
}

int exam_value_parse(const char *text, const char *course, uint64_t now, struct exam_state *ret,
        char ret_host[static HOST_MEMBER_NAME_SIZE]) {
        json_object *value = parse_json(text);
        const char *host = json_text(value, "host");
        struct exam_state state = {0};
        int r = host && host_member_name_valid(host) ? 0 : -EBADMSG;

        (void)string_copy(state.course, sizeof(state.course), course);
        (void)string_copy(state.exam.course, sizeof(state.exam.course), course);
        if (r >= 0)
                r = parse_state(value, now, &state);
        if (r >= 0)
                r = string_copy(ret_host, HOST_MEMBER_NAME_SIZE, host);
        json_object_put(value);
        if (r >= 0)
                *ret = state;
        return r < 0 ? -EBADMSG : 0;
}

const char *exam_key_course(const char *key) {
        const char *course = key + strlen(STORE_EXAMS);

        return string_starts_with(key, STORE_EXAMS) && digits_only(course) && strlen(course) < COURSE_SIZE
                       ? course
                       : NULL;
}
