/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The leases that the activator has, and those that linger after their login. Root gets all, other users
 * their own. */

#include "protocol.h"

/* The empty value is all zero. */
struct lease_list {
        struct reply *leases; /* each a REPLY_LEASE */
        size_t n_leases;
        struct reply *lingering; /* each a REPLY_KEPT */
        size_t n_lingering;
};

void lease_list_done(struct lease_list *list);

/*
 * Asks the activator. -ECANCELED if it refused, with the reason in reason; another negative errno if it
 * cannot be reached or its answer is invalid.
 */
int lease_list_load(const char *socket, struct lease_list *ret, char *reason, size_t size);

#define _cleanup_lease_list_ _cleanup_(lease_list_done)
