/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether a login can be answered before its start job has ended: because the seat is up already, or because
 * coursenet-worker makes it.
 */

#include "lease.h"

/* Asks systemd for the units of the seat: EVENT_SEAT_UP, EVENT_SEAT_CLEAR or EVENT_SEAT_BUSY. */
void lease_early_ask_seat(struct lease *lease);

/* Asks coursenet-worker for what is missing: EVENT_PREPARED, EVENT_NOT_PREPARED or EVENT_WORKER_BUSY. */
void lease_early_prepare(struct lease *lease);

/* The timer of EVENT_SEAT_TIMER. */
void lease_early_set_timer(struct lease *lease);

/* Drops all of it. The worker may still do what it was asked for. */
void lease_early_drop(struct lease *lease);
