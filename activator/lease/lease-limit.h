/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many leases there may be. Any student can ask for leases of coursenet-enter in a loop, so these have a
 * maximum of their own and never take a login's place. The fewer leases are left, the fewer one user gets, so
 * that it takes many accounts to use up all.
 */

#include "lease.h"

#define LEASES_MAX 4096
#define LEASES_PER_USER_MAX 64
#define ENTER_LEASES_MAX 1024
#define ENTER_LEASES_PER_USER_MAX 48 /* a user's own logins have the rest */

/* What one user may take of what is left: a sixteenth, but never less than this. */
#define LEASES_SHARE 16U
#define LEASES_PER_USER_MIN 4U

enum lease_source {
        LEASE_BY_LOGIN,
        LEASE_BY_ENTER,
        LEASE_BY_ADMIN, /* a hold: for this the total alone counts */
};

/* NULL if the limits allow the user one more lease, or else the reason. */
const char *lease_limit_check(const struct lease_table *table, uid_t uid, enum lease_source source);
