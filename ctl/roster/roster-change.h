/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands that change a roster have in common: they change it in memory, and write it at the end.
 */

#include "base/arguments.h"
#include "base/command.h"
#include "base/json.h"
#include "base/table.h"
#include "roster-edit.h"

struct roster_change {
        struct roster_edit edit;
        struct diagnostics diagnostics;
        struct libscols_table *table; /* of what changed */
        json_object *document;        /* with --json: the same for scripts; otherwise NULL */
        json_object *rows;            /* borrowed: the list in the document */
        unsigned n_changed;
        unsigned n_removed; /* of these */
        unsigned n_kept;
        size_t n_skipped; /* rows of a class list */
        bool dry;         /* nothing is written, and the table lists kept students too */
};

void roster_change_done(struct roster_change *change);

/* Loads the roster of a course. Errors are added to the change's diagnostics, here and below. */
int roster_change_begin(const struct paths *paths, const char *course, const struct arguments *arguments,
        struct roster_change *change);

/*
 * Gives a student the seat of this number, which they have never had; 0: the seat that they have or had, else
 * the lowest free one. -ENOSPC: there is none.
 */
int roster_change_seat(struct roster_change *change, const char *student, unsigned number);

void roster_change_remove(struct roster_change *change, const char *student);

/*
 * Writes the roster unless there was an error or this is a dry run, and prints what changed. done: what has
 * been done to the students who changed, "seated" or "removed". Returns an exit code.
 */
int roster_change_finish(
        const struct paths *paths, struct roster_change *change, const char *command, const char *done);

#define _cleanup_roster_change_ _cleanup_(roster_change_done)
#define ROSTER_CHANGE_EMPTY ((struct roster_change){.edit = ROSTER_EDIT_EMPTY})
