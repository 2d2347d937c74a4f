/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the activator logs of leases, and `coursenetctl history` finds again: COURSENET_EVENT is one of these.
 * They are the middle of the message too, "Seat 12310 (10.0.123.10) given to cs123-newellz2: sshd, …".
 */

#define LEASE_GIVEN "given to"
#define LEASE_GIVEN_BACK "given back by"
#define LEASE_TAKEN "taken from"
/* After linger=: the login had ended before. */
#define LEASE_KEPT "kept no longer for"
