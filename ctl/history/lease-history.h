/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Past and current leases, computed from the log entries of their beginnings and ends. */

#include <stdint.h>
#include <systemd/sd-id128.h>
#include <uthash.h>

#include "base/moment.h"

/* One entry of the journal; texts are borrowed and may be empty. */
struct lease_event {
        const char *what; /* see LEASE_GIVEN in protocol.h */
        const char *id;
        const char *user;
        const char *seat;
        const char *address;
        const char *address6;
        const char *service;
        const char *remote_host;
        const char *host;    /* the machine that logged it */
        uint64_t usec;       /* when it was logged */
        uint64_t since_usec; /* when the lease began, according to the entry; 0: the entry does not say */
        sd_id128_t boot;
};

enum lease_end {
        LEASE_END_NONE, /* it has not ended, as far as is known */
        LEASE_END_LOGOUT,
        LEASE_END_TAKEN,   /* an administrator, or a unit that failed */
        LEASE_END_BOOT,    /* the host went down */
        LEASE_END_UNKNOWN, /* it has ended, but that was not logged */
};

struct past_lease {
        char *id, *user, *seat, *address, *address6, *service, *remote_host, *host;
        uint64_t since_usec;
        uint64_t until_usec; /* 0: no end, or not known */
        enum lease_end end;
        bool lingers; /* its login is over; the seat stays for a while */
        sd_id128_t boot;
        UT_hash_handle hh;
};

/* The empty value is all zero. */
struct lease_history {
        struct past_lease *leases; /* uthash, by id */
};

void lease_history_done(struct lease_history *history);

/*
 * Adds an entry; entries come in the order of time. begins_usec: what was logged before is lost, so a lease
 * that began before may have only an end. A later one with only an end failed before anybody had it, and is
 * no lease. -ENOMEM.
 */
int lease_history_add(struct lease_history *history, const struct lease_event *event, uint64_t begins_usec);

enum boot_state {
        BOOT_RUNS,
        BOOT_OVER,
        BOOT_UNKNOWN, /* of another machine, which may run or not */
};

/* Finds when a boot ended; *ret_usec is 0 if that is not known. Returns an enum boot_state, or negative
 * errno. */
typedef int (*boot_end_t)(void *userdata, sd_id128_t boot, uint64_t *ret_usec);

/*
 * Leases do not outlive the boot in which they began: a lease without an end gets the end of its boot, or an
 * unknown end if it is not known whether that boot is over. Asks once for each boot.
 */
int lease_history_end_boots(struct lease_history *history, boot_end_t boot_end, void *userdata);

/*
 * Leases without an end that began before usec, and that did not exist at that time (is_live() returns
 * false), get an unknown end. Lingering leases are not checked, because they no longer belong to a login.
 */
void lease_history_end_unseen(struct lease_history *history, uint64_t usec,
        bool (*is_live)(void *userdata, const struct past_lease *lease), void *userdata);

/* Sorts by the time when the leases began. */
void lease_history_sort(struct lease_history *history);

/* Whether the lease existed at any time within the span, as far as is known. */
bool past_lease_within(const struct past_lease *lease, const struct span *span);

#define _cleanup_lease_history_ _cleanup_(lease_history_done)
