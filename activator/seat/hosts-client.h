/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asks coursenet-hosts (hosts-protocol.h) for the claims of spread courses, over its socket. Nothing here
 * waits. While it restarts, a request is sent again, until its time is over.
 */

#include <systemd/sd-event.h>

#include "hosts-protocol.h"

struct hosts_client;

/* A request whose reply is still to come; its place is as that of a struct bus_call. */
struct hosts_call;

/* HOSTS_TAKEN, HOSTS_CUT_OFF or HOSTS_BACK. */
typedef void (*hosts_push_t)(void *userdata, const struct hosts_reply *push);

/* HOSTS_DONE, HOSTS_ELSEWHERE or HOSTS_REFUSED; the last one also if there is no coursenet-hosts. */
typedef void (*hosts_callback_t)(void *userdata, const struct hosts_reply *reply);

/*
 * Connects at once if the socket is there, else with the first request. socket: HOSTS_SOCKET, or a test's;
 * it is borrowed. NULL: out of memory.
 */
struct hosts_client *hosts_client_new(sd_event *event, const char *socket, hosts_push_t push, void *userdata);

/* Drops all calls. NULL is fine. */
void hosts_client_free(struct hosts_client *client);

/* HOSTS_CLAIM. 0: the callback comes once, later, unless the call is dropped. Negative errno. */
int hosts_client_claim(struct hosts_client *client, const char *seat, const char *user,
        hosts_callback_t callback, void *userdata, struct hosts_call **place);

/* The callback does not come. */
void hosts_call_drop(struct hosts_call **place);

/* HOSTS_RELEASE. Without an answer the claim ends a minute later. */
void hosts_client_release(struct hosts_client *client, const char *seat);
