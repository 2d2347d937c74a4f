/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The types for everybody who uses leases. A lease is a login's claim to a seat. It is a transient slice in
 * PID 1 that is bound to the units of the seat, so systemd's own graph counts who needs a seat. In addition,
 * the activator keeps whom the lease belongs to and which process opened it, and writes that to a record on
 * disk, so that a restart loses nothing.
 *
 * An administrator's hold is a lease without a process. Only an administrator ends it.
 *
 * lease-request.h has what may be asked for, lease-table.h the queries, lease-startup.h what the activator
 * does at its start and end. lease-machine.h has the life of a lease.
 */

#include <systemd/sd-event.h>

#include "base/record-store.h"
#include "protocol.h"

struct bus;
struct hosts_client;
struct lease;
struct seat_claim;
struct seats;
struct settings_cache;

/* The leases, and what they need of the rest of the program; all of that is borrowed. */
struct lease_table {
        sd_event *event;
        struct bus *bus;
        struct seats *seats;
        struct settings_cache *settings;
        const char *state_directory; /* of the records: STATE_DIRECTORY, or a test's */
        struct hosts_client *hosts;  /* NULL: there is none */
        struct lease *leases;        /* a uthash by id: lease-table.c */
        struct seat_claim *claims;   /* a utlist: seat-claim.c */

        /* record-removal.c */
        bool records_left;             /* the record of a lease that has ended could not be removed */
        sd_event_source *record_timer; /* until the next attempt; NULL: none is due */

        struct stray_unit *strays; /* stray-unit.c */

        /* Logs a line about a user's request over query.sock. Such lines are limited. */
        void (*log_query)(void *userdata, uid_t uid, const char *text);
        void *userdata;
};

/*
 * Who waits for a lease. The answer comes exactly once, at once or later, unless lease_abandon() comes first.
 * Until then *place is the lease; before and after it is NULL. It is NULL when an answer comes, except that
 * of REQUEST_OPEN or REQUEST_HOLD with a seat: after these the lease is tied to its waiter until
 * lease_confirm() or lease_abandon().
 */
struct lease_waiter {
        void (*answer)(
                void *userdata, const struct reply *reply, int fd); /* fd: -1, or for the peer; borrowed */
        void *userdata;
        struct lease **place;
        struct seat_claim **claim; /* what it waits for before there is a lease; NULL: it never hangs up */
};
