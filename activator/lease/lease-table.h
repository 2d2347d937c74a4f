/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of all leases, and every question that is asked of it. */

#include "lease.h"

/* The lease with that id, or with that unit, "coursenet-ID.slice". NULL: there is none. */
struct lease *lease_table_find(const struct lease_table *table, const char *id);
struct lease *lease_table_find_unit(const struct lease_table *table, const char *unit);

/* A lease of that user, service and live process, which has been answered. */
struct lease *lease_table_find_login(
        const struct lease_table *table, const char *user, const char *service, pid_t opener);

/* The lease that this user's process asked an earlier activator for by that token, and got no answer to. */
struct lease *lease_table_find_unanswered(
        const struct lease_table *table, const char *token, uid_t uid, pid_t opener);

/* The hold of that service on the seat of that user, unless it ends. */
struct lease *lease_table_find_hold(const struct lease_table *table, const char *user, const char *service);

/*
 * Whether there is a lease of that seat, or of that user (a hold belongs to no user), in any state. table is
 * a struct lease_table; these two are callbacks of lower layers.
 */
bool lease_table_has_seat(void *table, const char *seat);
bool lease_table_has_user(void *table, uid_t uid);

/* A lease of that seat, in any state; of several the same one each time. NULL: there is none. */
struct lease *lease_table_find_seat(const struct lease_table *table, const char *seat);

/* Whether a lease that does not end has that seat, or waits for it. */
bool lease_table_keeps_seat(const struct lease_table *table, const char *seat);

/* Whether another user has a lease of that seat, or a hold for another user is on it, in any state. */
bool lease_table_has_other_user(const struct lease_table *table, const char *seat, const char *user);

/* The user name in an active lease of that uid. NULL: there is none. Borrowed. */
const char *lease_table_user_name(const struct lease_table *table, uid_t uid);

/* Whether somebody has the seat by another lease: a hold, or a login or coursenet-enter. */
bool lease_table_has_other_hold(const struct lease *lease);
bool lease_table_has_other_login(const struct lease *lease);

size_t lease_table_size(const struct lease_table *table);

struct lease_counts {
        unsigned all, enter, of_user, enter_of_user;
};

/* Counts all leases, those by coursenet-enter, and of both those of that user. */
void lease_table_count(const struct lease_table *table, uid_t uid, struct lease_counts *ret);

/* Calls visit for each lease, or for each of a seat, a user name or a course. It may free that lease, but no
 * other. */
typedef void (*lease_visit_t)(struct lease *lease, void *userdata);
void lease_table_each(struct lease_table *table, lease_visit_t visit, void *userdata);
void lease_table_each_of(struct lease_table *table, const char *target, lease_visit_t visit, void *userdata);

/* Somebody has the lease. The login is over, and the seat stays. */
bool lease_is_active(const struct lease *lease);
bool lease_lingers(const struct lease *lease);

/* Its uid; a hold has (uid_t)-1. */
uid_t lease_uid(const struct lease *lease);

/* "coursenet-ID.slice": one dash, so that systemd makes no more parent slices than coursenet.slice. */
#define LEASE_UNIT_SIZE (sizeof("coursenet-.slice") + LEASE_ID_SIZE)
void lease_unit_name(const char *id, char ret_unit[static LEASE_UNIT_SIZE]);

/* The id in such a name. False: it is no lease's. */
bool lease_unit_parse(const char *unit, char ret_id[static LEASE_ID_SIZE]);
