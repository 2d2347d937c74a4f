/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Leases at the start and at the end of the activator. */

#include "lease.h"

/*
 * Takes up a lease of an earlier activator, whose unit is there. Takes pidfd, a descriptor of its opener; -1:
 * the opener is dead, or it has none. job: the number of the job that starts its unit; 0: the unit is up.
 * Negative errno.
 */
int lease_restore(struct lease_table *table, const struct lease_record *record, int pidfd, uint32_t job);

/* For a record whose unit went while no activator was running: logs the end of the lease, tells its user, and
 * removes the record. */
void lease_forget_record(struct lease_table *table, const char *id);

/* Subscribes to the signals of systemd and logind about jobs, units and sessions. Negative errno. */
int lease_subscribe(struct lease_table *table);

/* From now on logs every active lease once a day, because the journal drops old entries. Negative errno. */
int lease_log_daily(struct lease_table *table);

/*
 * Frees all leases. Their units, their records and their descriptors in PID 1 stay, because the leases go on
 * when the activator ends.
 */
void lease_forget_all(struct lease_table *table);
