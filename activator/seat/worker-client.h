/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asks coursenet-worker (worker-protocol.h) over its socket. Nothing here waits. A worker that is absent,
 * slow or of another version is an error of each request, and no login depends on it.
 */

#include <systemd/sd-event.h>

struct worker_client;

/* A request whose reply is still to come; its place is as that of a struct bus_call. */
struct worker_call;

/*
 * Connects when the first request is sent, and again after a connection broke. socket: WORKER_SOCKET,
 * receipts: PREPARED_DIRECTORY, or a test's; both are borrowed. NULL: out of memory.
 */
struct worker_client *worker_client_new(sd_event *event, const char *socket, const char *receipts);

/* Calls when the worker has left a request unanswered, or is gone, for longer than a restart takes. */
void worker_client_on_silence(struct worker_client *client, void (*silent)(void *userdata), void *userdata);

/* Drops all calls. NULL is fine. */
void worker_client_free(struct worker_client *client);

/* error: 0: everything of the seat is there. Negative errno: the units of the seat have to make it. */
typedef void (*worker_callback_t)(void *userdata, int error);

/*
 * WORKER_PREPARE. 0: the callback comes once, later, unless the call is dropped. Negative errno: nothing was
 * sent. client: NULL counts as one that cannot be reached.
 */
int worker_client_prepare(struct worker_client *client, const char *seat, worker_callback_t callback,
        void *userdata, struct worker_call **call);

/* The callback does not come. The worker may still do what was asked. */
void worker_call_drop(struct worker_call **call);

/*
 * WORKER_DISCARD, for a seat that is down and has no lease: if the worker has made something for it that no
 * unit has adopted, or may still do so. Requests are carried out in their order, so this one comes after each
 * WORKER_PREPARE of the seat. 0: there is nothing of that kind. 1: it was sent, and a further call
 * tells whether something is left. Negative errno: it could not be sent.
 */
int worker_client_discard(struct worker_client *client, const char *seat);

/*
 * Calls with each seat for which the worker has made something that no unit has adopted; maybe more than
 * once. For a bridge it calls with the course, which worker_client_discard() takes as well.
 */
void worker_client_list(
        struct worker_client *client, void (*visit)(void *userdata, const char *seat), void *userdata);
