/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A change of one course's roster. It begins with the lock, is checked against the whole site, and is written
 * in one step or not at all. A dry one takes no lock and makes no file, so it cannot be saved.
 */

#include "roster-file.h"
#include "site.h"

/* The empty value: {.lock = ROSTER_LOCK_EMPTY}. */
struct roster_edit {
        const char *etc;
        struct roster_lock lock;
        char *path;           /* of the roster */
        struct site site;     /* as it is now */
        struct roster roster; /* to be changed; empty if the course is new */
        struct bridge_plan bridge;
};

void roster_edit_done(struct roster_edit *edit);

/*
 * Takes the lock, unless this is a dry change, and loads the roster. Negative errno, with
 * at least one error added to diagnostics, if the settings or the roster have mistakes, the settings do not
 * allow the course, or its subnet overlaps another course's.
 */
int roster_edit_begin(const char *etc, const char *course, bool dry, struct roster_edit *ret,
        struct diagnostics *diagnostics);

/*
 * The plan of a seat that was just added. Negative errno, with errors added to diagnostics, if the seat is
 * not possible, for example because an administrator gave its address to another seat.
 */
int roster_edit_plan(const struct roster_edit *edit, unsigned seat, struct seat_plan *ret,
        struct diagnostics *diagnostics);

/* Replaces the file; negative errno with an error added to diagnostics. */
int roster_edit_save(const struct roster_edit *edit, struct diagnostics *diagnostics);

#define _cleanup_roster_edit_ _cleanup_(roster_edit_done)
#define ROSTER_EDIT_EMPTY ((struct roster_edit){.lock = ROSTER_LOCK_EMPTY})
