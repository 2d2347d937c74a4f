/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The answer to the waiter of a lease. Each function answers once; if nobody waits any more, it only logs. */

#include "lease.h"

void lease_answer_early(struct lease *lease);
void lease_answer_done(struct lease *lease);
void lease_answer_failed(struct lease *lease);
void lease_answer_timeout(struct lease *lease);
void lease_answer_no_container(struct lease *lease);
void lease_answer_stopped(struct lease *lease);
void lease_answer_vanished(struct lease *lease);
void lease_answer_closed(struct lease *lease);

/* Ties a waiter to the lease, and unties the one that is tied. */
void lease_answer_tie(struct lease *lease, const struct lease_waiter *waiter);
void lease_answer_untie(struct lease *lease);

/* What any reply says of a lease. */
void lease_fill_reply(const struct lease *lease, enum reply_type type, struct reply *ret);
