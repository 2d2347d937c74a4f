/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Drop-ins on disk, and what systemd has to be told of them. wiring-plan.h has what they are for. */

#include "seats.h"
#include "wiring-plan.h"

/*
 * With leftover = keep the user's manager stays for as long as the seat does. logind would stop it some
 * seconds after the user's last session, so its stop is refused (RefuseManualStop=). From systemd 256 on
 * logind stops the unit of /run/user/UID instead, and the manager with it. That stop is refused, too, and the
 * unit ends when neither manager nor session needs it, as with earlier versions. The files are written or
 * removed at once, whatever systemd has loaded; a manager that was loaded before follows them from its next
 * start on. Negative errno.
 */
int wiring_keep_user(const char *directory, uid_t uid, bool keep);

/* The unit has a drop-in of ours; one by which systemd refuses to stop it, see wiring_keep_user(). */
bool wiring_exists(const char *directory, const char *unit);
bool wiring_keeps(const char *directory, const char *unit);
bool wiring_limits(const char *directory, const char *unit); /* the limits of a slice, see user-limits.h */

/* 1 if its file below DIRECTORY/UNIT.d has other contents, or is not there; 0 if it is the same. */
int wiring_differs(const char *directory, const struct wiring *wiring);

/* Writes it, whole or not at all. */
int wiring_write(const char *directory, const struct wiring *wiring);

/* Removes its file and leaves the folder: see user-folder.h. Having nothing to remove is success. */
int wiring_remove(const char *directory, const struct wiring *wiring);

/*
 * The result of an update: how many drop-ins were written; how many were left as they are because their seat
 * is up; of how many written ones systemd still has the old version though the unit is down (which only
 * daemon-reload cures).
 */
struct wiring_result {
        unsigned written, kept, stale;
        int error; /* negative errno of what went wrong first, or 0 */
};

typedef void (*wiring_callback_t)(void *userdata, const struct wiring_result *result);

struct wiring_update;

/*
 * Brings n drop-ins up to date. Returns 0 if it is so already: then there is no callback. 1: the callback
 * comes later, once, unless *ret_update is dropped by wiring_update_free() before. Negative errno: nothing
 * was begun.
 */
int wiring_update(struct seats *seats, const struct wiring *wirings, size_t n, wiring_callback_t callback,
        void *userdata, struct wiring_update **ret_update);
void wiring_update_free(struct wiring_update *update);
