/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The worker's socket: takes requests (worker-protocol.h), one at a time, and sends the replies. It never
 * waits for a peer: a message that is no request, a reply that a peer does not take, or too many connections
 * cost that peer its connection. The requests of a peer that has closed its end are dropped, because nobody
 * would remove what they make.
 */

#include "worker-protocol.h"

/* Carries out a request and fills in the reply. */
typedef void (*server_handle_t)(
        const struct worker_request *request, struct worker_reply *ret, void *userdata);

/* Called when no request waits. */
typedef void (*server_idle_t)(void *userdata);

/* When there are more, the one that has been silent for longest is closed. */
#define SERVER_CONNECTIONS_MAX 8U

/*
 * Serves until SIGTERM, for which the request under way is carried out first; SIGTERM must be blocked. uid:
 * whose connections are accepted. Returns 0, or negative errno if the socket cannot be used.
 */
int server_run(int listen_fd, uid_t uid, server_handle_t handle, server_idle_t idle, void *userdata);
