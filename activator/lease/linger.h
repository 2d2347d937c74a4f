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

/* The login is over: EVENT_LINGERS, EVENT_KEEPS or EVENT_NOT_KEPT. */
void linger_decide(struct lease *lease);

/* A new login has the seat: EVENT_TAKEN_OVER for what lingers there. */
void linger_take_over(struct lease *lease);

/* The timers of EVENT_LINGER_OVER and EVENT_KEEP_OVER. */
void linger_set_timer(struct lease *lease);
void linger_set_keep_timer(struct lease *lease);

/* Looks at what keeps the seat: EVENT_KEEPER_FOUND, EVENT_KEEPER_FRESH or EVENT_KEEPER_NONE. */
void linger_look(struct lease *lease);

/* The timer of the next look: when the login's own processes have ended; because of an event; regularly. */
void linger_look_settled(struct lease *lease);
void linger_look_soon(struct lease *lease);
void linger_look_later(struct lease *lease);

/* EVENT_GROUP_CHANGED when the control group of the process that keeps the seat changes. */
void linger_watch_group(struct lease *lease);

void linger_drop(struct lease *lease);
