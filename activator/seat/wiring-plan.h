/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The wiring of a seat: drop-ins below /run/systemd/system that tie units together for it. The templates
 * cannot say which bridge a seat is on, and logind does not know where a student's own manager belongs:
 *
 *     nsbr@12310.service.d/   BindsTo= and After= of netbr@123
 *     user@1001.service.d/    NetworkNamespacePath= of the seat, PartOf= of nsbr@12310
 *     cont@12310.service.d/   the same, User=, BindsTo= and After= of nsbr@12310, StopWhenUnneeded=
 *     user@1001.service.d/, user-runtime-dir@1001.service.d/   with leftover = keep: logind does not end them
 *     user-1001.slice.d/      the limits of the course: user-limits.h
 *
 * Written before systemd loads the unit, a drop-in needs no daemon-reload. Wiring is only ever added, and
 * changed only while the unit is down: without it the next daemon-reload would take the course's bridge from
 * under a live seat. /run forgets it at the next boot.
 *
 * Everybody may ask systemd what a drop-in says, so none has a student's name before the first login.
 */

#include <sys/types.h>

#include "plan.h"

#define WIRING_FILE "50-coursenet.conf"
#define WIRING_KEEP_FILE "50-coursenet-keep.conf"
/* Sorted behind Debian's own (10-defaults.conf) and before what `systemctl set-property` writes, which wins.
 */
#define WIRING_LIMITS_FILE "40-coursenet.conf"

/* The longest: a template's name, '@', an id and ".service", with the NUL. */
#define WIRING_UNIT_SIZE (SERVICE_NAME_SIZE + SEAT_ID_SIZE + sizeof("@.service"))

/* One drop-in. */
struct wiring {
        char unit[WIRING_UNIT_SIZE]; /* the unit that it is for */
        char text[640 + USER_NAME_SIZE];
        bool stand_in;    /* does not replace a drop-in that exists */
        const char *file; /* its name; NULL: WIRING_FILE */
        /* A line: systemd may go on with an older version in memory that has it, too. Empty: with none. */
        char will_do[64];
};

/* As many as one login can need. */
#define WIRING_MAX (2U + SERVICES_MAX)

/* Binds the seat to its bridge. False: an administrator's own bridge, which has no unit that could be waited
 * for. Pure. */
bool wiring_plan_seat(const struct seat_plan *seat, struct wiring *ret);

/*
 * Puts the user's own systemd manager into the seat; pure. It stops with the seat at once, although logind
 * would keep it for some seconds. Without a seat it does not start. There is no After= on purpose: a user's
 * service that ignores SIGTERM would delay the seat's end and the next login.
 *
 * manager: false for user-manager = no. Then it does not start at all.
 */
void wiring_plan_user(const struct seat_plan *seat, uid_t uid, bool manager, struct wiring *ret);

/*
 * Makes the i-th of a seat's services (struct service_settings) the student's own, in the seat, for as long
 * as somebody needs it. It counts for the user's limits, unless the uid is 0, which means that it is not
 * known; pure.
 */
void wiring_plan_service(const struct seat_plan *seat, const char *user, uid_t uid,
        const struct service_settings *services, size_t i, struct wiring *ret);

/*
 * The drop-in of a service until the student's first login, or an administrator's hold. Without a drop-in the
 * service would start as root; with the student's name in it, systemd would tell everybody who is on the
 * roster. This one prevents the start. Pure.
 */
void wiring_plan_stand_in(const struct seat_plan *seat, const char *service, struct wiring *ret);

/* The limits of a user's slice: user-limits.h. False: there are none; unit and file are set even so. Pure. */
bool wiring_plan_limits(uid_t uid, const struct limit_settings *limits, struct wiring *ret);
