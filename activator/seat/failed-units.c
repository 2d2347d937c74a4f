/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Resets without a check before, because systemd accepts a reset of a unit that has not failed or is not in
 * memory.
 */

#include "failed-units.h"
#include "seat-id.h"
#include "systemd/units.h"
#include "wiring.h"

void failed_units_reset(struct seats *seats, const char *seat) {
        static const char *const templates[] = {"nsbr", "netns"};
        char unit[sizeof("netns@.service") + SEAT_ID_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(templates); i++) {
                (void)snprintf(unit, sizeof(unit), "%s@%s.service", templates[i], seat);
                (void)unit_reset_failed(seats->bus, unit);
        }
}

void failed_units_reset_user(struct seats *seats, uid_t uid) {
        char unit[sizeof("user@4294967295.service")];

        if (uid == (uid_t)-1 || seats->user_has_lease(seats->userdata, uid))
                return;
        (void)snprintf(unit, sizeof(unit), "user@%u.service", (unsigned)uid);
        if (wiring_exists(seats->unit_directory, unit))
                (void)unit_reset_failed(seats->bus, unit);
}

void failed_units_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        struct seats *seats = userdata;
        unsigned uid;
        int end = 0;

        (void)job;
        (void)result;
        if (sscanf(unit, "user@%10u.service%n", &uid, &end) == 1 && end > 0 && unit[end] == '\0')
                failed_units_reset_user(seats, uid);
}
