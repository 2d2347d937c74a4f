/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Leases of the past and of now, put together from what was logged when they began and when they ended. */

#include <stdint.h>
#include <systemd/sd-id128.h>
#include <uthash.h>

#include "base/moment.h"

/* One entry of the journal; texts are borrowed and may be empty. */
struct lease_event {
        const char *what; /* see lease-event.h */
        const char *id;
        const char *user;
        const char *seat;
        const char *address;
        const char *address6;
        const char *service;
        const char *remote_host;
        uint64_t usec;       /* when it was logged */
        uint64_t since_usec; /* when the lease began, as far as the entry says; 0: it does not */
        sd_id128_t boot;
};

enum lease_end {
        LEASE_END_NONE, /* nobody has heard of one */
        LEASE_END_LOGOUT,
        LEASE_END_TAKEN,   /* an admin, or a unit that failed */
        LEASE_END_BOOT,    /* the host went down */
        LEASE_END_UNKNOWN, /* it is there no more, but nothing was logged of that */
};

struct past_lease {
        char *id, *user, *seat, *address, *address6, *service, *remote_host;
        uint64_t since_usec;
        uint64_t until_usec; /* 0: no end, or not known */
        enum lease_end end;
        bool lingers; /* nobody is logged in by it any more; the seat stays for a while */
        sd_id128_t boot;
        UT_hash_handle hh;
};

/* The empty value is all zero. */
struct lease_history {
        struct past_lease *leases; /* uthash, by id */
};

void lease_history_done(struct lease_history *history);

/*
 * Takes up an entry; they come in the order of time. begins_usec: what was logged before is lost, so a lease
 * may have an end only. Of others that is no lease: it failed before anybody had it. -ENOMEM.
 */
int lease_history_add(struct lease_history *history, const struct lease_event *event, uint64_t begins_usec);

/* When a boot ended, 0 if that is not known. Returns 1, or 0 for the one that goes on; negative errno. */
typedef int (*boot_end_t)(void *userdata, sd_id128_t boot, uint64_t *ret_usec);

/* Leases do not outlive the boot that they began in: gives each without an end that of its boot. */
int lease_history_end_boots(struct lease_history *history, boot_end_t boot_end, void *userdata);

/*
 * Those that began before a time at which they were not there (is_live says no), and have no end, get an
 * unknown one. What lingers is not asked for: it is no login's any more.
 */
void lease_history_end_unseen(struct lease_history *history, uint64_t usec,
        bool (*is_live)(void *userdata, const char *id), void *userdata);

/* In the order in which they began. */
void lease_history_sort(struct lease_history *history);

/* Whether the lease was there at any time within the span, as far as is known. */
bool past_lease_within(const struct past_lease *lease, const struct span *span);

#define _cleanup_lease_history_ _cleanup_(lease_history_done)
