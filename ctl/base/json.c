/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Builds and prints JSON. Every function reports when memory runs out, which json-c alone does not. */

#include "json.h"

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

int json_put_text(json_object *object, const char *key, const char *text) {
        if (!text)
                return json_object_object_add(object, key, NULL) < 0 ? -ENOMEM : 0;
        return json_put(object, key, json_object_new_string(text));
}

json_object *json_put_array(json_object *object, const char *key) {
        json_object *array = json_object_new_array();

        return json_put(object, key, array) < 0 ? NULL : array;
}

json_object *json_append_object(json_object *array) {
        json_object *object = json_object_new_object();

        if (object && json_object_array_add(array, object) < 0)
                json_done(&object);
        return object;
}

json_object *json_new_document(void) {
        json_object *document = json_object_new_object();

        if (document && json_put(document, "version", json_object_new_int(1)) < 0)
                json_done(&document);
        return document;
}

int json_print(json_object *document) {
        const char *text;

        text = json_object_to_json_string_ext(
                document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        if (!text)
                return -ENOMEM;
        return puts(text) < 0 ? -EIO : 0;
}
