/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the activator logs about leases, for `coursenetctl history`: the field COURSENET_EVENT is one of
 * these. They are also the middle of the message, "Seat 12310 (10.0.123.10) given to cs123-newellz2: sshd,
 * …".
 */

#define LEASE_GIVEN "given to"
/* Logged again for each lease that lasts, when the activator starts and once a day, because the journal drops
 * old entries.
 */
#define LEASE_HELD "still held by"
#define LEASE_GIVEN_BACK "given back by"
#define LEASE_TAKEN "taken from"
/* With linger: the login has ended and the seat stays; then the seat stops, too. */
#define LEASE_LINGERS "kept for a while for"
#define LEASE_LINGER_OVER "kept no longer for"
