/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this folder share. They know seats and their units, but no leases: they ask through
 * callbacks whether a lease has a seat.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "systemd/bus.h"

#define UNIT_DIRECTORY "/run/systemd/system"
#define PASSWD_FILE "/etc/passwd"

struct bus_call;
struct worker_client;

struct seats {
        sd_event *event; /* borrowed, and so are the next seven */
        struct bus *bus;
        struct worker_client *worker; /* NULL: there is none */
        const char *etc;              /* the directory of the settings */
        const char *unit_directory;   /* UNIT_DIRECTORY, or a test's */
        const char *slot_directory;   /* SLOT_DIRECTORY, or a test's */
        const char *owner_directory;  /* OWNER_DIRECTORY, or a test's */
        const char *passwd;           /* PASSWD_FILE, or a test's */

        /* Whether a lease of the seat, or of the user, exists, in any state. Never NULL. */
        bool (*seat_has_lease)(void *userdata, const char *seat);
        bool (*user_has_lease)(void *userdata, uid_t uid);
        void *userdata;

        struct tidying *tidyings;         /* a utlist: tidy.c */
        struct empty_seat *empty_seats;   /* a utlist: empty-seat.c */
        struct starting *startings;       /* a utlist: starting-units.c */
        struct stale_cable *stale_cables; /* a utlist: stale-cable.c */
        struct user_limits *user_limits;  /* a utlist: user-limits.c */
        struct bus_call *worker_call;     /* worker-revival.c */
};
