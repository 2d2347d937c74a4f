/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After a restart: the leases are units in PID 1 and records below /run/coursenet/state; this file
 * matches them. */

#include "lease/lease.h"

/* A descriptor that PID 1 kept for us, by the id of its lease. */
struct stored_fd {
        char *name;
        int fd; /* -1: taken */
};

/*
 * Restores every lease that systemd still has, stops units without a record, and removes records without a
 * unit. Waits for systemd's answer, so no request is served before. Takes the descriptors that it uses out of
 * stored.
 */
int restore_leases(struct lease_table *leases, struct stored_fd *stored, size_t n_stored);
