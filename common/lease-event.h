/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the activator logs of leases, and `coursenetctl history` finds again: COURSENET_EVENT is one of these.
 * They are the middle of the message too, "Seat 12310 (10.0.123.10) given to cs123-newellz2: sshd, …".
 */

#define LEASE_GIVEN "given to"
/* Again for each one that lasts, when the activator starts and once a day: the journal forgets what is old.
 */
#define LEASE_HELD "still held by"
#define LEASE_GIVEN_BACK "given back by"
#define LEASE_TAKEN "taken from"
/* linger=: the login has ended, the seat stays; and it goes, too. */
#define LEASE_LINGERS "kept for a while for"
#define LEASE_LINGER_OVER "kept no longer for"
