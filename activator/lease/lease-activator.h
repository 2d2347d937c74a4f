/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the activator itself does with leases, from its start to its end. */

#include "lease.h"

/*
 * Takes up a lease of an earlier activator, whose unit is there. Takes pidfd, a descriptor of its opener; -1:
 * the opener is dead, or it has none. Negative errno.
 */
int lease_restore(struct lease_table *table, const struct lease_record *record, int pidfd);

/* Logs the end of the lease of that id, whose unit went while no activator was there, and removes its record.
 */
void lease_forget_record(struct lease_table *table, const char *id);

/*
 * Subscribes to what systemd and logind tell of jobs, units and sessions; and logs every lease that lasts
 * once a day, because the journal forgets what is old. Negative errno.
 */
int lease_subscribe(struct lease_table *table);
int lease_log_daily(struct lease_table *table);

/*
 * Forgets all leases but leaves their units, their records and their descriptors in PID 1 alone: the
 * activator ends, they do not.
 */
void lease_forget_all(struct lease_table *table);
