/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is where, at one moment: units, leases and configuration put together. The units say what is up, the
 * leases who holds it, the configuration the names and addresses; no I/O but the admin's override files.
 */

#include "base/lease-list.h"
#include "base/unit-list.h"
#include "container.h"
#include "site.h"

struct snapshot_seat {
        char seat[SEAT_ID_SIZE];
        char course[COURSE_SIZE];
        char user[USER_NAME_SIZE]; /* empty: neither a lease nor the roster tells */
        char netns[SEAT_ID_SIZE + 2];
        bool has_address;
        struct address address;
        const char *state;                             /* starting, up, stopping, failed */
        const char *container;                         /* none, starting, running, failed */
        char container_reason[CONTAINER_FAILURE_SIZE]; /* why it failed; snapshot_make() leaves it empty */
        const struct reply *leases;                    /* borrowed; oldest first */
        size_t n_leases;
        const struct reply
                *kept; /* borrowed; what the student left running keeps the seat; NULL: nothing does */
};

/* The empty value is all zero. */
struct snapshot {
        struct snapshot_seat *seats; /* that are not down, by course and number */
        size_t n_seats;
};

void snapshot_done(struct snapshot *snapshot);

/* Puts the two lists into an order of its own and borrows from leases. -ENOMEM. */
int snapshot_make(const char *etc, const struct site *site, struct unit_list *units,
        struct lease_list *leases, struct snapshot *ret);

#define _cleanup_snapshot_ _cleanup_(snapshot_done)
