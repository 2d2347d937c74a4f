/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls of the store: etcd, at one of several endpoints. The endpoint that answered last is asked first. One
 * that does not answer, or answers that it cannot, is left at once for the next one; after a round there is a
 * pause, of up to two seconds. A call may have been carried out although its answer never came.
 */

#include <json-c/json.h>
#include <systemd/sd-event.h>

#include "settings.h"

struct store;
struct store_call;

/* hosts is borrowed. Negative errno. */
int store_new(sd_event *event, const struct hosts_settings *hosts, struct store **ret);

/* Drops all calls. NULL is fine. */
void store_free(struct store *store);

/*
 * error: 0, and answer is the JSON object, borrowed; -ENOENT: there is no such lease; other negative errno:
 * no endpoint has carried it out in time, see store_error(). sent_usec: when the request that was answered
 * was sent, CLOCK_BOOTTIME.
 */
typedef void (*store_callback_t)(void *userdata, int error, json_object *answer, uint64_t sent_usec);

/*
 * POSTs body, which it takes; NULL is an error. within_usec: for all attempts together. The callback comes
 * once, later; before it *place becomes NULL. Negative errno: nothing was begun.
 */
int store_call(struct store *store, const char *path, char *body, uint64_t within_usec,
        store_callback_t callback, void *userdata, struct store_call **place);

/* The callback does not come. The store may still do what was asked. */
void store_call_drop(struct store_call **place);

/* --- a stream -------------------------------------------------------------------------------- */

struct store_stream;

/* message: NULL: the stream has ended, and has been freed. */
typedef void (*store_message_t)(void *userdata, json_object *message);

/* From the endpoint in use. Takes body. NULL: out of memory. */
struct store_stream *store_stream_open(
        struct store *store, const char *path, char *body, store_message_t message, void *userdata);
void store_stream_close(struct store_stream *stream);

/* Whether the stream is of an endpoint that is not in use any longer. */
bool store_stream_is_stale(const struct store_stream *stream);

/* --- for people ------------------------------------------------------------------------------ */

/* The endpoint in use, or the one that was tried last. */
const char *store_endpoint(const struct store *store);

/* Why the last attempt failed; empty: it did not. */
const char *store_error(const struct store *store);
