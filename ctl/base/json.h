/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * JSON for scripts, by json-c: libsmartcols prints flat tables as JSON, or trees whose inner arrays are all
 * called "children", and the contract's shape is neither.
 */

#include <json.h>

#include "util.h"

void json_done(json_object **object);

/*
 * Puts value, which becomes the object's, under a key. A NULL value is taken for one that could not be made:
 * -ENOMEM.
 */
int json_put(json_object *object, const char *key, json_object *value);

/* A string; NULL stands for null. */
int json_put_text(json_object *object, const char *key, const char *text);

/* A new, empty array under a key. Borrowed; NULL: out of memory. */
json_object *json_put_array(json_object *object, const char *key);

/* A new, empty object at the end of an array. Borrowed; NULL: out of memory. */
json_object *json_append_object(json_object *array);

/* {"version":1}, which every document begins with. NULL: out of memory. */
json_object *json_new_document(void);

/* On one line of stdout. */
int json_print(json_object *document);

#define _cleanup_json_ _cleanup_(json_done)
