/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Compares the numbers of leases with the limits. It counts all leases for each new one, because that takes
 * less time than the start of one. lease-request.c calls it.
 */

#include "lease-limit.h"
#include "lease-table.h"

static unsigned share(unsigned taken, unsigned all, unsigned most) {
        unsigned part = (all - taken) / LEASES_SHARE;

        if (part < LEASES_PER_USER_MIN)
                return LEASES_PER_USER_MIN;
        return part < most ? part : most;
}

static const char *check_enter(const struct lease_counts *counts) {
        if (counts->enter >= ENTER_LEASES_MAX)
                return "all " STRINGIFY(
                        ENTER_LEASES_MAX) " places for coursenet-enter are taken; logins still work";
        if (counts->enter_of_user >= ENTER_LEASES_PER_USER_MAX)
                return "this user already runs " STRINGIFY(
                        ENTER_LEASES_PER_USER_MAX) " commands by coursenet-enter, the limit for one user";
        if (counts->enter_of_user >= share(counts->enter, ENTER_LEASES_MAX, ENTER_LEASES_PER_USER_MAX))
                return "few places for coursenet-enter are left, and this user already has a full share of "
                       "them";
        return NULL;
}

const char *lease_limit_check(const struct lease_table *table, uid_t uid, enum lease_source source) {
        struct lease_counts counts;

        lease_table_count(table, uid, &counts);
        if (counts.all >= LEASES_MAX)
                return "there are " STRINGIFY(LEASES_MAX) " leases, the limit of the activator";
        if (source == LEASE_BY_ADMIN)
                return NULL;
        if (counts.of_user >= LEASES_PER_USER_MAX)
                return "this user has " STRINGIFY(LEASES_PER_USER_MAX) " logins, the limit for one user";
        if (counts.of_user >= share(counts.all, LEASES_MAX, LEASES_PER_USER_MAX))
                return "few places for logins are left, and this user already has a full share of them";
        return source == LEASE_BY_ENTER ? check_enter(&counts) : NULL;
}
