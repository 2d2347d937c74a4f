/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Requests for a seat of a spread course wait here until coursenet-hosts has said that this member may have
 * the seat live. A lease object is made only after that, so that a lease never waits for another server. A
 * seat of any other course never comes here.
 */

#include <sys/socket.h>

#include "hosts-protocol.h"
#include "lease.h"

struct seat_claim;

/* The claim is there: goes on with the request. Takes pidfd; opener is NULL for a hold. */
typedef void (*seat_claimed_t)(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *opener, int pidfd);

/* It is not. */
typedef void (*seat_refused_t)(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct hosts_reply *reply);

/*
 * One of the callbacks comes, later, unless the waiter hangs up. Takes pidfd. -ENOMEM: nothing was begun, and
 * pidfd is closed.
 */
int seat_claim_begin(struct lease_table *table, const char *seat, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *opener, int pidfd, seat_claimed_t claimed,
        seat_refused_t refused);

/* Its waiter has hung up. NULL in place is fine. */
void seat_claim_drop(struct seat_claim **place);
void seat_claim_drop_all(struct lease_table *table);

/* The seat has no lease: this member gives up its claim, if it has one and nobody waits for it. */
void seat_claim_release(struct lease_table *table, const char *seat);

/* Whether this member has the claim of the seat. */
bool seat_is_claimed(const char *seat);

/* The members that get new seats, if this one does not; empty: it does. */
void seat_claim_read_drained(char *text, size_t size);
