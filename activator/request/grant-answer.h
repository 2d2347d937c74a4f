/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers a peer who may do something with a seat: the log and the student are told, and the peer gets it. */

#include "connection.h"

/* REQUEST_CAPTURE. key: as whom the peer counts (query-peer.h). */
void grant_answer_capture(
        struct connection *connection, struct lease_table *leases, uid_t key, const struct seat_grant *grant);

/* REQUEST_VISIT */
void grant_answer_visit(
        struct connection *connection, struct lease_table *leases, const struct seat_grant *grant);
