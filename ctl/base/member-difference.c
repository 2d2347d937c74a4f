/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>

#include "member-difference.h"
#include "number.h"

typedef void (*difference_callback_t)(void *userdata, const struct member_difference *difference);

static json_object *get(json_object *object, const char *key) {
        json_object *value = NULL;

        if (json_object_is_type(object, json_type_object))
                (void)json_object_object_get_ex(object, key, &value);
        return value;
}

static const char *get_text(json_object *object, const char *key) {
        json_object *value = get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static uint64_t get_usec(json_object *object, const char *key) {
        int64_t number = json_object_get_int64(get(object, key));

        return number > 0 ? (uint64_t)number : 0;
}

/* One that has an exam only is not of a course with a roster. */
static bool is_shared(json_object *course) {
        return get_text(course, "settings") && get_text(course, "roster");
}

static void compare_files(json_object *here, json_object *there, struct member_difference *difference,
        difference_callback_t callback, void *userdata) {
        static const struct {
                enum difference_kind kind;
                const char *digest, *changed;
        } files[] = {
                {DIFFERENCE_SETTINGS, "settings", "settings_changed"},
                {DIFFERENCE_ROSTER, "roster", "roster_changed"},
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                if (string_equal(get_text(here, files[i].digest), get_text(there, files[i].digest)))
                        continue;
                difference->kind = files[i].kind;
                difference->here_usec = get_usec(here, files[i].changed);
                difference->there_usec = get_usec(there, files[i].changed);
                callback(userdata, difference);
        }
        difference->here_usec = difference->there_usec = 0;
}

static void compare_course(json_object *here, json_object *there, struct member_difference *difference,
        difference_callback_t callback, void *userdata) {
        uint64_t exam_here = get_usec(here, "exam"), exam_there = get_usec(there, "exam");

        if (is_shared(here) && is_shared(there))
                compare_files(here, there, difference, callback, userdata);
        else if (is_shared(here) || is_shared(there)) {
                difference->kind = is_shared(here) ? DIFFERENCE_ONLY_HERE : DIFFERENCE_ONLY_THERE;
                callback(userdata, difference);
                return;
        }
        if (exam_here == exam_there)
                return;
        difference->kind = exam_here > exam_there ? DIFFERENCE_EXAM_THERE : DIFFERENCE_EXAM_HERE;
        callback(userdata, difference);
}

static int compare_text(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Keys of both, sorted; the caller frees the array. */
static size_t list_courses(json_object *here, json_object *there, const char ***ret) {
        size_t n = 0;
        const char **names =
                calloc((size_t)json_object_object_length(here) + (size_t)json_object_object_length(there) + 1,
                        sizeof(*names));

        if (names) {
                json_object_object_foreach(here, key, value) {
                        (void)value;
                        names[n++] = key;
                }
                json_object_object_foreach(there, other_key, other_value) {
                        (void)other_value;
                        if (!json_object_object_get_ex(here, other_key, NULL))
                                names[n++] = other_key;
                }
                qsort(names, n, sizeof(*names), compare_text);
        }
        *ret = names;
        return n;
}

void member_differences(const struct listed_member *own, const struct listed_member *other,
        difference_callback_t callback, void *userdata) {
        _cleanup_free_ const char **names = NULL;
        size_t n;

        if (!own || !own->up || !other->up || own == other || own->contract != other->contract ||
                !string_equal(own->version, other->version) ||
                !json_object_is_type(own->courses, json_type_object) ||
                !json_object_is_type(other->courses, json_type_object))
                return;
        n = list_courses(own->courses, other->courses, &names);
        for (size_t i = 0; i < n; i++) {
                struct member_difference difference = {0};

                if (!digits_only(names[i]) ||
                        string_copy(difference.course, sizeof(difference.course), names[i]) < 0)
                        continue;
                compare_course(get(own->courses, names[i]), get(other->courses, names[i]), &difference,
                        callback, userdata);
        }
}

uint64_t member_exam_usec(const struct listed_member *member, const char *course) {
        return get_usec(get(member->courses, course), "exam");
}

const char *difference_file(enum difference_kind kind) {
        return kind == DIFFERENCE_ROSTER ? "roster" : "settings";
}
