/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks the activator for holds on seats, a few at a time. */

#include "protocol.h"
#include "target.h"

/* How long a seat may take. */
#define HOLD_TIMEOUT_MS 120000U

/* reason: why the seat of that request is not held; NULL: it is. */
typedef void (*hold_callback_t)(void *userdata, size_t i, const char *reason);

/*
 * The request for a hold of that service on each seat of the target, in its order; the caller frees them.
 * Negative errno.
 */
int hold_client_prepare(
        const struct site *site, const struct target *target, const char *service, struct request **ret);

/*
 * Sends the n requests, no more than at_once at the same time, and calls back for each answer. 0: all are
 * answered; negative errno: the activator cannot be reached.
 */
int hold_client_run(const char *socket, const struct request *requests, size_t n, unsigned at_once,
        hold_callback_t callback, void *userdata);

/*
 * Sends a request until it is answered, because an activator that was restarted may have carried it out
 * without an answer. Two requests to hold a seat are one hold, and a second stop ends nothing.
 */
int hold_client_ask(const char *socket, const struct request *request, struct reply *ret);
