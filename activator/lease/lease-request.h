/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What others may ask of leases: the requests over the activator's sockets. */

#include <sys/socket.h>

#include "lease.h"

/*
 * Gives a lease for REQUEST_OPEN; or for REQUEST_ENTER, whose user, uid and service the caller has filled in.
 * Takes pidfd, a descriptor of the process peer, which is checked here. The waiter is copied.
 */
void lease_open(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request,
        const struct ucred *peer, int pidfd);

/*
 * Gives a hold on the seat of the request's user. If there is one of that service already, the answer is
 * about that one.
 */
void lease_hold(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request);

/* The waiter has read its answer: from now on the lease is on its own. */
void lease_confirm(struct lease *lease);

/* The waiter has hung up without reading the answer: nobody will ever close this lease, so it ends. */
void lease_abandon(struct lease *lease);

/* The login of REQUEST_CLOSE is over: its lease ends, or lingers (linger.h). No such lease is fine. */
void lease_close(struct lease_table *table, const struct request *request, pid_t peer);

/* Ends every lease of a user, a seat or a course, and tells the users' terminals. Returns how many. */
unsigned lease_stop_all(struct lease_table *table, const char *target);

/* Another server has the seat: ends every lease of it, and tells the student's terminals which one. */
void lease_take_seat(struct lease_table *table, const char *seat, const char *member);

/* Ends the holds on the seats of a user, a seat or a course; with a service only those. Returns how many. */
unsigned lease_release_all(struct lease_table *table, const char *target, const char *service);

/* Answers somebody for whom there is no lease. */
void lease_answer_text(const struct lease_waiter *waiter, enum reply_type type, const char *text);

/* What REQUEST_STATUS says of the lease. False: nothing, because nobody has it now. */
bool lease_fill_status(const struct lease *lease, struct reply *ret);
