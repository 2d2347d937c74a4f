/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * REQUEST_ENTER: a user asks for their own seat, without a login. The kernel says who asks (SO_PEERCRED), and
 * the user database has the name of that uid. Only flags, tty and timeout are taken from the request.
 */

#include "lease/lease.h"
#include "whois.h"

struct enter;

/*
 * Continues like lease_open() when the peer's name is known; the waiter gets a refusal if it has
 * none. Takes pidfd. *place is set while the name is being asked for.
 */
void enter_begin(struct whois *whois, struct lease_table *leases, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *peer, int pidfd, struct enter **place);

/* The peer hung up before its name was known. */
void enter_free(struct enter **place);
