/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What `coursenetctl status` shows: a snapshot of the seats, and which of them the caller may and wants to
 * see. */

#include "base/command.h"
#include "base/scope.h"
#include "exam.h"
#include "snapshot.h"
#include "usage.h"
#include "user-manager.h"

struct status_view {
        const char *etc;           /* borrowed */
        const struct scope *scope; /* borrowed; NULL: what the user who runs this may see */
        const char *word;          /* borrowed; the course, seat or user to show; NULL: everything */
        struct site site;          /* without courses unless root runs this */
        struct unit_list units;
        struct lease_list leases;
        struct snapshot snapshot;
        struct hosts_list hosts;       /* empty without status_view_add_hosts() */
        struct exams exams;            /* in force; none unless root runs this */
        char own_user[USER_NAME_SIZE]; /* empty: root, who sees all */
};

void status_view_done(struct status_view *view);

/* Asks the activator and systemd. Returns an exit code; if it is not EXIT_DONE, after a message. */
int status_view_load(const struct paths *paths, const char *word, struct status_view *ret);

/*
 * Adds the seats that are live on other servers, by coursenet-hosts. Returns an exit code, as above; without
 * a section [hosts] it is EXIT_NO.
 */
int status_view_add_hosts(const struct paths *paths, struct status_view *view);

/* The server on which the seat is. */
const char *status_view_host(const struct status_view *view, const struct snapshot_seat *seat);

/* Whether the caller may and wants to see the seat. */
bool status_view_shows(const struct status_view *view, const struct snapshot_seat *seat);

size_t status_view_count(const struct status_view *view);

/* Returns 1 if the word names something, which may be down, 0 if nothing has that name: a typo must not look
 * like a seat that is down. Negative errno. */
int status_view_knows_word(const struct status_view *view);

/* Finds where the systemd manager of the seat's user runs. Asks systemd. */
enum user_manager status_view_find_manager(const struct snapshot_seat *seat);

/* What the seat's user uses and may use. False: not known. Asks systemd. */
bool status_view_find_usage(const struct snapshot_seat *seat, struct usage *ret);

#define _cleanup_status_view_ _cleanup_(status_view_done)
