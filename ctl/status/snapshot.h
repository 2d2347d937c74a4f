/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The seats at one moment, computed from units, leases and configuration. Units tell what is up, leases who
 * uses it, and the configuration names and addresses. Reads no files except the administrator's overrides.
 */

#include "base/hosts-list.h"
#include "base/lease-list.h"
#include "base/unit-list.h"
#include "container.h"
#include "site.h"

struct snapshot_seat {
        char seat[SEAT_ID_SIZE];
        char course[COURSE_SIZE];
        char user[USER_NAME_SIZE]; /* empty: neither a lease nor the roster has it */
        char netns[SEAT_ID_SIZE + 2];
        bool has_address;
        struct address address;
        struct address6 address6;                      /* all zero: none, or not known */
        const char *state;                             /* starting, up, stopping, failed */
        const char *container;                         /* none, starting, running, failed */
        char container_reason[CONTAINER_FAILURE_SIZE]; /* why it failed; snapshot_make() leaves it empty */
        const struct reply *leases;                    /* borrowed; oldest first */
        size_t n_leases;
        const struct reply *kept; /* borrowed; the lease of a process that the student left running and that
                                     keeps the seat; NULL: none */
        const struct listed_claim *claim; /* borrowed; the seat is live on that server, which is not this one;
                                             NULL: it is here */
};

/* The empty value is all zero. */
struct snapshot {
        struct snapshot_seat *seats; /* those that are not down, by course and number */
        size_t n_seats;
};

void snapshot_done(struct snapshot *snapshot);

/* Sorts the two lists and borrows from leases. -ENOMEM. */
int snapshot_make(const char *etc, const struct site *site, struct unit_list *units,
        struct lease_list *leases, struct snapshot *ret);

/*
 * Adds the seats that are live on other servers, which have no leases here, and borrows from the list. A seat
 * that is stopping here while it is live elsewhere is there twice. -ENOMEM.
 */
int snapshot_add_claims(
        const char *etc, const struct site *site, const struct hosts_list *list, struct snapshot *snapshot);

#define _cleanup_snapshot_ _cleanup_(snapshot_done)
