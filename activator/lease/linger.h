/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lease whose login has ended, and which stays because it is the seat's last: for the course's linger=, and
 * with leftover = keep for as long as something of the student's runs in the seat (keeper.h), leftover-max=
 * at most, counted from the last logout. Nobody waits during that time: the control group of the process that
 * keeps the seat is watched, and the activator looks every 20 s whether that process still counts.
 *
 * coursenet-enter is no login: its lease may keep a seat as long as the last login's would have, and no
 * longer.
 */

#include "lease.h"

/* In place of the end of an active lease. False: it is to end now. */
bool linger_begin(struct lease *lease);

/* Goes on after a restart of the activator. Negative errno. */
int linger_resume(struct lease *lease);

/* A new lease has the seat: what lingers there ends, unless the new one is an admin's hold. */
void linger_take_over(struct lease *lease);

/* Something of the seat has changed: looks again whether it is kept. */
void linger_look_soon(struct lease *lease);

/* What REPLY_KEPT says of a lease that lingers. */
void linger_fill_reply(const struct lease *lease, struct reply *ret);

/* Forgets what the lease is waiting for. */
void linger_drop(struct lease *lease);
