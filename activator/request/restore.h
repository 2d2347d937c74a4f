/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After a restart: the leases are units in PID 1 and records below /run/coursenet/state; this file
 * matches them. */

#include "lease/lease.h"

/*
 * Restores every lease that systemd still has, stops units without a record, and removes records without a
 * unit. Waits for systemd's answer, so no request is served before.
 */
int restore_leases(struct lease_table *leases);
