/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks systemd for the seat's units, and stops each one that is starting. */

#include <utlist.h>

#include "plan.h"
#include "seat-id.h"
#include "starting-units.h"
#include "systemd/units.h"
#include "wiring.h"

struct starting {
        struct seats *seats;
        struct bus_call *call;
        struct starting *prev, *next;
        char seat[SEAT_ID_SIZE];
        char user_manager[sizeof("user@4294967295.service")];
};

/* systemd stops the seat's own units: a stop here would also stop units that need them. */
bool starting_units_has(const char *unit_directory, const char *user_manager, const struct unit_row *row) {
        bool starts = string_equal(row->active_state, "activating") ||
                      (row->job != 0 && (string_equal(row->active_state, "inactive") ||
                                                string_equal(row->active_state, "failed")));

        return starts && !string_starts_with(row->name, "nsbr@") &&
               !string_starts_with(row->name, "netns@") &&
               (!string_starts_with(row->name, "user@") || string_equal(row->name, user_manager)) &&
               wiring_exists(unit_directory, row->name);
}

/* A manager that stays with its seat (leftover = keep) cannot be stopped by name, which logind would do.
 */
static void stop(const struct starting *starting, const char *unit) {
        struct seats *seats = starting->seats;

        if (wiring_keeps(seats->unit_directory, unit))
                (void)unit_kill(seats->bus, unit);
        else
                (void)unit_stop(seats->bus, unit, NULL, NULL, NULL);
}

static void forget(struct starting *starting) {
        DL_DELETE(starting->seats->startings, starting);
        bus_call_drop(&starting->call);
        free(starting);
}

static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct starting *starting = userdata;

        (void)error; /* then there are no rows */
        if (!starting->seats->seat_has_lease(starting->seats->userdata, starting->seat))
                for (size_t i = 0; i < n_rows; i++)
                        if (starting_units_has(
                                    starting->seats->unit_directory, starting->user_manager, &rows[i]))
                                stop(starting, rows[i].name);
        forget(starting);
}

void starting_units_stop(struct seats *seats, const char *seat, uid_t uid) {
        char of_seat[sizeof("*@.service") + SEAT_ID_SIZE];
        struct starting *starting = malloc(sizeof(*starting));
        const char *patterns[] = {of_seat, starting ? starting->user_manager : NULL};

        if (!starting)
                return;
        *starting = (struct starting){.seats = seats};
        (void)string_copy(starting->seat, sizeof(starting->seat), seat);
        (void)snprintf(of_seat, sizeof(of_seat), "*@%s.service", seat);
        if (uid != (uid_t)-1)
                (void)snprintf(starting->user_manager, sizeof(starting->user_manager), "user@%u.service",
                        (unsigned)uid);
        DL_APPEND(seats->startings, starting);
        if (unit_list(seats->bus, patterns, uid == (uid_t)-1 ? 1 : 2, handle_units, starting,
                    &starting->call) < 0)
                forget(starting);
}

void starting_units_forget(struct seats *seats) {
        while (seats->startings)
                forget(seats->startings);
}
