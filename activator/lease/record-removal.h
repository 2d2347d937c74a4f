/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The removal of the records of leases that end. A record that stayed would be a lease for the next
 * activator, and nothing else would ever remove it. So a removal that fails is logged and asked for again
 * until it is done.
 */

#include "lease.h"

/* Removes the record, now or later. A record that is not there is removed. */
void record_removal_begin(struct lease_table *table, const char *lease_id);

/* Stops asking. The next activator removes a record that has no unit. */
void record_removal_forget(struct lease_table *table);
