/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One question to systemd, and a stop for each unit that the answer names. */

#include "starting-units.h"
#include "empty-seat.h"
#include "plan.h"
#include "systemd/units.h"
#include "wiring.h"

struct starting {
        struct manager *manager;
        char seat[SEAT_ID_SIZE];
        char user_manager[sizeof("user@4294967295.service")];
};

/* The seat's own units are left to systemd: to stop them would stop units that need them. */
bool starting_units_has(const char *unit_directory, const char *user_manager, const struct unit_row *row) {
        bool starts = string_equal(row->active_state, "activating") ||
                      (row->job != 0 && (string_equal(row->active_state, "inactive") ||
                                                string_equal(row->active_state, "failed")));

        return starts && !string_starts_with(row->name, "nsbr@") &&
               !string_starts_with(row->name, "netns@") &&
               (!string_starts_with(row->name, "user@") || string_equal(row->name, user_manager)) &&
               wiring_exists(unit_directory, row->name);
}

/* A manager that is to stay with its seat (leftover = keep) cannot be stopped by name, as logind would do it.
 */
static void stop(const struct starting *starting, const char *unit) {
        struct manager *manager = starting->manager;

        if (wiring_keeps(manager->unit_directory, unit))
                (void)systemd_kill_unit(manager, unit);
        else
                (void)systemd_stop_unit(manager, unit, "replace", NULL, NULL, NULL);
}

static int handle_units(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct starting *starting = userdata;
        struct unit_row row;
        int r;

        (void)error;
        if (!seat_is_empty(starting->manager, starting->seat))
                return 0;
        r = sd_bus_message_is_method_error(reply, NULL) ? -EIO : systemd_enter_units(reply);
        while (r >= 0 && (r = systemd_read_unit(reply, &row)) > 0)
                if (starting_units_has(starting->manager->unit_directory, starting->user_manager, &row))
                        stop(starting, row.name);
        return 0;
}

void starting_units_stop(struct manager *manager, const char *seat, uid_t uid) {
        char of_seat[sizeof("*@.service") + SEAT_ID_SIZE];
        struct starting *starting = malloc(sizeof(*starting));
        const char *patterns[] = {of_seat, starting ? starting->user_manager : NULL};
        sd_bus_slot *slot = NULL;

        if (!starting)
                return;
        *starting = (struct starting){.manager = manager};
        (void)string_copy(starting->seat, sizeof(starting->seat), seat);
        (void)snprintf(of_seat, sizeof(of_seat), "*@%s.service", seat);
        if (uid != (uid_t)-1)
                (void)snprintf(starting->user_manager, sizeof(starting->user_manager), "user@%u.service",
                        (unsigned)uid);

        if (systemd_list_units(manager, patterns, uid == (uid_t)-1 ? 1 : 2, handle_units, starting, &slot) <
                0) {
                free(starting);
                return;
        }
        /* The bus frees it, after the answer or at its own end. */
        (void)sd_bus_slot_set_destroy_callback(slot, free);
        (void)sd_bus_slot_set_floating(slot, true);
        sd_bus_slot_unref(slot);
}
