/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whose network namespace a seat has: a symbolic link for each seat, to the name of the user who had the last
 * lease of it. The number of a seat may go to another student while its namespace is still there, because
 * systemd is about to stop it, or because processes of the former user keep it. The start of a lease would
 * cancel a stop that waits, and the other student would be in that namespace.
 *
 * The links are on disk because the activator may restart in between.
 */

#include <stdbool.h>

#define OWNER_DIRECTORY "/run/coursenet/owners"

/* This user has the seat from now on. Negative errno. */
int seat_owner_note(const char *directory, const char *seat, const char *user);

/* Whether the seat has a namespace, and it is another user's. */
bool seat_owner_is_other(const char *directory, const char *seat, const char *user);

/* The seat is down: it belongs to no user, unless it still has its namespace. */
void seat_owner_forget(const char *directory, const char *seat);
