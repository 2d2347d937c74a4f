/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * JSON for scripts, made with json-c. libsmartcols prints JSON too, but only flat tables, or trees whose
 * inner arrays are all called "children"; the documented format is neither.
 */

#include <json.h>

#include "diagnostics.h"

void json_done(json_object **object);

/*
 * Puts a value under a key. The object owns it from then on. A NULL value means that memory ran out: -ENOMEM.
 */
int json_put(json_object *object, const char *key, json_object *value);

/* Puts a string under a key; NULL becomes null. Bytes that are not UTF-8, from a file that others wrote,
 * become "?". */
int json_put_text(json_object *object, const char *key, const char *text);

/* A new, empty array under a key. Borrowed; NULL: out of memory. */
json_object *json_put_array(json_object *object, const char *key);

/* A time in UTC (RFC 3339); 0: null. Negative errno. */
int json_put_time(json_object *object, const char *key, uint64_t usec);

/* A string at the end of an array. Negative errno, and the array is as it was. */
int json_append_text(json_object *array, const char *text);

/* A new, empty object at the end of an array. Borrowed; NULL: out of memory. */
json_object *json_append_object(json_object *array);

/* The same at that place. Places before it that have nothing yet are null. */
json_object *json_put_object_at(json_object *array, size_t i);

/* A new document, {"version":1}. NULL: out of memory. */
json_object *json_new_document(void);

/* Puts a list of findings under the key "findings", each with its severity, file, line, text and remedy. */
int json_put_findings(json_object *document, const struct diagnostics *diagnostics);

/* Prints the document on one line of stdout. */
int json_print(json_object *document);

#define _cleanup_json_ _cleanup_(json_done)
