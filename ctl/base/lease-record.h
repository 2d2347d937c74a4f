/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads the activator's records of leases, which tell who has which seat when the activator itself cannot be
 * asked. Only root can read them.
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
        long opener;              /* process id; 0: an administrator's hold */
        bool lingering;           /* its login is over */
        uint64_t keep_until_usec; /* CLOCK_REALTIME; leftover = keep: how long it may stay at most */
};

/* The empty value is all zero. */
struct lease_records {
        struct lease_record *items;
        size_t n_items;
};

/* A missing folder has no records; a record that cannot be read is skipped. Negative errno. */
int lease_records_load(const char *directory, struct lease_records *ret);

/* Whether somebody uses the seat: a login, or with leftover = keep a process that may have been left, such as
 * a tmux. now_usec: CLOCK_REALTIME. */
bool lease_record_is_used(const struct lease_record *record, uint64_t now_usec);

void lease_records_done(struct lease_records *records);

#define _cleanup_lease_records_ _cleanup_(lease_records_done)
