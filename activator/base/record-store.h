/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records of leases, one small INI file each below /run/coursenet/state, so that a restarted activator knows
 * whose the leases in PID 1 are. They are text because a newer version must be able to read an older one's.
 */

#include "address.h"
#include "address6.h"
#include "namespace-id.h"
#include "plan.h"
#include "protocol.h"

#define STATE_DIRECTORY "/run/coursenet/state"

/* What is known of a lease in addition to its unit in PID 1. It is kept over a restart. */
struct lease_record {
        char id[LEASE_ID_SIZE]; /* the name of its file */
        char user[USER_NAME_SIZE];
        char course[COURSE_SIZE];
        char seat[SEAT_ID_SIZE];
        struct address address;
        struct address6 address6; /* of no seat without IPv6 */
        char token[TOKEN_SIZE];   /* by which its opener finds it while it has no answer */
        char service[SERVICE_SIZE];
        char tty[ORIGIN_SIZE];
        char remote_host[ORIGIN_SIZE];
        uid_t uid;
        uint64_t since_usec; /* CLOCK_REALTIME */
        bool hold;
        bool no_wait;               /* its opener gets the answer when systemd has queued the start */
        bool starting;              /* nobody has the seat yet */
        struct namespace_id joined; /* the namespace that its login is in; inode 0: not known */
        uint64_t linger_until_usec; /* CLOCK_REALTIME; 0: it does not linger */
        uint64_t keep_until_usec;   /* the same, of leftover = keep; 0: nothing that is left keeps the seat */
        pid_t opener;               /* the process that asked for it; 0: a hold */
        uint64_t opener_start;      /* clock ticks since boot */
};

/* Writes the record, whole or not at all. Negative errno. */
int record_store_save(const char *directory, const struct lease_record *record);

/* Negative errno. It is no error if there is none. */
int record_store_remove(const char *directory, const char *lease_id);

/*
 * Fills all fields except the id from the file of that id. -ENOENT: there is none; -EBADMSG: it cannot be
 * used; -ESTALE: it is of another boot.
 */
int record_store_load(const char *directory, const char *lease_id, struct lease_record *ret_record);

/*
 * Calls with the id of every record there is, and removes those that a killed activator has left unfinished.
 * Stops at the first negative return and returns that, or a negative errno if not all could be listed.
 */
int record_store_list(
        const char *directory, int (*callback)(void *userdata, const char *lease_id), void *userdata);

/* Whether a lease's id may look like this. Other files in the directory are ignored. */
bool lease_id_valid(const char *id);
