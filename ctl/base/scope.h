/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a user other than root may see and change: their own seat, and the courses for which the settings name
 * them as staff. Instead of a scope, NULL means root, who sees everything.
 */

#include "site.h"

/* The empty value is all zero, and sees nothing. */
struct scope {
        uid_t uid;
        bool every_course;
        char (*courses)[COURSE_SIZE];
        size_t n_courses;
        char user[USER_NAME_SIZE]; /* empty: the uid has no name, or one that is too long for a course user
                                    */
};

void scope_done(struct scope *scope);

/*
 * Finds of which courses a user is staff, by name and by groups. Asks the user database, which may be slow.
 * -ENOMEM.
 */
int scope_find(
        const struct settings *settings, uid_t uid, const gid_t *groups, size_t n_groups, struct scope *ret);

/* The same for the caller, by the settings below etc. An empty scope if they cannot be read. */
void scope_find_own(const char *etc, struct scope *ret);

/* Staff of any course. */
bool scope_is_staff(const struct scope *scope);

/* Every course, so that mistakes in the configuration may be shown, whatever they quote. */
bool scope_is_everything(const struct scope *scope);

bool scope_has_course(const struct scope *scope, const char *course);

/* A seat of that course and that user; the user is empty if it is not known. */
bool scope_has_seat(const struct scope *scope, const char *course, const char *user);

/* Removes all other courses from the site. */
void scope_restrict(const struct scope *scope, struct site *site);

#define _cleanup_scope_ _cleanup_(scope_done)
