/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What somebody who is not root may see: the courses that the settings name them staff of, and themselves.
 * Wherever there is a scope, NULL stands for root, who sees everything.
 */

#include "site.h"

/* The empty value is all zero, and sees nothing. */
struct scope {
        bool every_course;
        char (*courses)[COURSE_SIZE];
        size_t n_courses;
        char user[USER_NAME_SIZE]; /* empty: the uid has no name, or one that is too long for a course user's
                                    */
};

void scope_done(struct scope *scope);

/*
 * Who is staff of what, by the name of the uid and by groups. Asks the user database, which may take its
 * time. -ENOMEM.
 */
int scope_find(
        const struct settings *settings, uid_t uid, const gid_t *groups, size_t n_groups, struct scope *ret);

/* The same for the one who runs this, by the settings below etc. An empty one if they cannot be read. */
void scope_find_own(const char *etc, struct scope *ret);

/* Staff of any course. */
bool scope_is_staff(const struct scope *scope);

/* Every course: all that is wrong in the configuration may be told. */
bool scope_is_everything(const struct scope *scope);

bool scope_has_course(const struct scope *scope, const char *course);

/* A seat of that course, and of that user: empty, if nobody knows. */
bool scope_has_seat(const struct scope *scope, const char *course, const char *user);

/* Takes all other courses out of the site. */
void scope_restrict(const struct scope *scope, struct site *site);

#define _cleanup_scope_ _cleanup_(scope_done)
