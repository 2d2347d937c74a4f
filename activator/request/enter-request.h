/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_ENTER: a user asks for their own seat, without a login. Who they are is the kernel's word
 * (SO_PEERCRED), and their name what the user database says of that uid; of the request itself only flags,
 * tty and timeout count.
 */

#include "connection.h"

struct enter;

/* Goes on as lease_open() does, as soon as the peer's name is known. Takes pidfd. */
void enter_begin(struct server *server, struct connection *connection, const struct request *request,
        const struct ucred *peer, int pidfd);

/* The peer hung up before its name was known. NULL is fine. */
void enter_free(struct enter *enter);
