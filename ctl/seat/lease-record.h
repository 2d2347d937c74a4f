/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The activator's records of leases, for when the activator itself cannot be asked: who has which seat. Only
 * root can read them.
 */

#include "name-rule.h"
#include "protocol.h"
#include "run-files.h"
#include "seat-id.h"

struct lease_record {
        char id[LEASE_ID_SIZE];
        char user[USER_NAME_SIZE];
        char seat[SEAT_ID_SIZE];
        char service[SERVICE_SIZE];
        long opener;              /* a process; 0: an admin's hold */
        bool lingering;           /* the login that had it is over */
        uint64_t keep_until_usec; /* CLOCK_REALTIME; leftover = keep: as long as it may stay at most */
};

/* The empty value is all zero. */
struct lease_records {
        struct lease_record *items;
        size_t n_items;
};

/* A folder that is not there has none; a record that cannot be read is passed over. Negative errno. */
int lease_records_load(const char *directory, struct lease_records *ret);

/* Somebody has the seat by it, or may work in it: in a tmux, with leftover = keep. now: CLOCK_REALTIME. */
bool lease_record_is_used(const struct lease_record *record, uint64_t now_usec);

void lease_records_done(struct lease_records *records);

#define _cleanup_lease_records_ _cleanup_(lease_records_done)
