/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The process that opened a lease and the login that it opened: its life, its session, its namespace. */

#include "lease.h"

/* Raises EVENT_OPENER_DIED when the process is dead, or at once if it is dead already. */
void lease_opener_watch(struct lease *lease);

/* Stops watching its process, and its namespace: it waits for its answer again. */
void lease_opener_stop_watch(struct lease *lease);

/* Asks logind for a session that the dead process leads: EVENT_LEADER_*. */
void lease_opener_ask_leader(struct lease *lease);

/* The login is in the namespace that the seat has now: the record says so from now on. Whether the seat still
 * has that one: EVENT_NAMESPACE_*. */
void lease_opener_mark_joined(struct lease *lease);
void lease_opener_ask_namespace(struct lease *lease);

/* Drops all of it, and closes the process' descriptor. */
void lease_opener_drop(struct lease *lease);
