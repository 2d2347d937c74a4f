/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The requests, and who may ask for what:
 *
 *   activator.sock  root only: everything
 *   query.sock      anybody: REQUEST_STATUS, REQUEST_ENTER and REQUEST_REPORT, about the caller's own leases
 *                   and seat, within limits a user
 */

#include "connection.h"
#include "seat/seats.h"

/* What answers requests. */
struct services {
        struct lease_table *leases; /* borrowed, and so is the next one */
        struct seats *seats;
        struct whois whois;
        struct peer_reports reports;
        struct query_peers peers;
        struct query_log log;
};

/* A connection_request_t. services: a struct services. */
void dispatch_request(
        void *services, struct connection *connection, const struct request *request, int *pidfd);
