/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Builds and prints JSON. Every function reports when memory runs out, which json-c alone does not. */

#include <iconv.h>

#include "json.h"
#include "moment.h"

void json_done(json_object **object) {
        (void)json_object_put(*object);
        *object = NULL;
}

int json_put(json_object *object, const char *key, json_object *value) {
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, key, value) < 0) {
                (void)json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

/* In place. */
static void replace_what_is_not_utf8(char *text) {
        iconv_t checker = iconv_open("UTF-8", "UTF-8");
        size_t left = strlen(text), room;
        char *in = text, *out, copy[256];

        while (checker != (iconv_t)-1 && left > 0) {
                out = copy;
                room = sizeof(copy);
                if (iconv(checker, &in, &left, &out, &room) == (size_t)-1 && errno != E2BIG) {
                        *in++ = '?';
                        left--;
                }
        }
        if (checker != (iconv_t)-1)
                (void)iconv_close(checker);
}

int json_put_text(json_object *object, const char *key, const char *text) {
        _cleanup_free_ char *copy = text ? strdup(text) : NULL;

        if (!text)
                return json_object_object_add(object, key, NULL) < 0 ? -ENOMEM : 0;
        if (!copy)
                return -ENOMEM;
        replace_what_is_not_utf8(copy);
        return json_put(object, key, json_object_new_string(copy));
}

json_object *json_put_array(json_object *object, const char *key) {
        json_object *array = json_object_new_array();

        return json_put(object, key, array) < 0 ? NULL : array;
}

int json_put_time(json_object *object, const char *key, uint64_t usec) {
        char text[32];

        moment_format_utc(usec, text, sizeof(text));
        return json_put_text(object, key, usec > 0 ? text : NULL);
}

int json_append_text(json_object *array, const char *text) {
        json_object *value = json_object_new_string(text);

        if (value && json_object_array_add(array, value) == 0)
                return 0;
        json_done(&value);
        return -ENOMEM;
}

json_object *json_append_object(json_object *array) {
        return json_put_object_at(array, json_object_array_length(array));
}

json_object *json_put_object_at(json_object *array, size_t i) {
        json_object *object = json_object_new_object();

        if (object && json_object_array_put_idx(array, i, object) < 0)
                json_done(&object);
        return object;
}

json_object *json_new_document(void) {
        json_object *document = json_object_new_object();

        if (document && json_put(document, "version", json_object_new_int(1)) < 0)
                json_done(&document);
        return document;
}

static int put_finding(json_object *findings, const struct diagnostic *item) {
        json_object *object = json_append_object(findings);
        int r;

        if (!object ||
                json_put_text(object, "severity", item->level == DIAGNOSTIC_ERROR ? "error" : "warning") <
                        0 ||
                json_put_text(object, "file", item->path) < 0)
                return -ENOMEM;
        r = item->line > 0 ? json_put(object, "line", json_object_new_int64(item->line))
                           : json_put_text(object, "line", NULL);
        if (r < 0 || json_put_text(object, "text", item->text) < 0 ||
                json_put_text(object, "remedy", item->remedy) < 0)
                return -ENOMEM;
        return 0;
}

int json_put_findings(json_object *document, const struct diagnostics *diagnostics) {
        json_object *findings = json_put_array(document, "findings");

        if (!findings)
                return -ENOMEM;
        for (size_t i = 0; i < diagnostics->n_items; i++)
                if (put_finding(findings, &diagnostics->items[i]) < 0)
                        return -ENOMEM;
        return 0;
}

int json_print(json_object *document) {
        const char *text;

        text = json_object_to_json_string_ext(
                document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        if (!text)
                return -ENOMEM;
        return puts(text) < 0 ? -EIO : 0;
}
