/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Only an nsbr@ needs a netns@, and only they a netbr@. One that is up without any was left over and is
 * stopped, with job mode "fail": a login that comes in between has a job queued, and wins.
 */

#include "tidy.h"
#include "diagnostics.h"
#include "plan.h"
#include "systemd.h"

#define UNIT_SIZE 64U

struct tidying {
        struct manager *manager;
        char nsbr[UNIT_SIZE], netns[UNIT_SIZE];
        char netbr[UNIT_SIZE],
                all_nsbr[UNIT_SIZE]; /* empty: the seat's bridge is not known, or not a unit's */
        bool nsbr_busy, course_busy, netns_active, netbr_active;
        unsigned n_calls;
        int error;
        sd_bus_slot *list_slot;
        tidy_callback_t callback;
        void *userdata;
};

static void finish(struct tidying *tidying, int error) {
        if (tidying->callback)
                tidying->callback(tidying->userdata, error);
        sd_bus_slot_unref(tidying->list_slot);
        free(tidying);
}

/* The units' names. What of the configuration cannot be read is left alone: the bridge, then. */
static void find_names(struct tidying *tidying, const char *seat) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan plan;
        struct seat_id id;

        (void)snprintf(tidying->nsbr, UNIT_SIZE, "nsbr@%s.service", seat);
        (void)snprintf(tidying->netns, UNIT_SIZE, "netns@%s.service", seat);
        if (settings_load(tidying->manager->etc, &settings, &diagnostics) < 0 ||
                seat_id_parse(seat, settings.course_digits, &id) < 0 ||
                seat_plan_load(tidying->manager->etc, &settings, &id, &plan, &diagnostics) < 0 ||
                plan.bridge_course[0] == '\0')
                return;
        (void)snprintf(tidying->netbr, UNIT_SIZE, "netbr@%s.service", plan.bridge_course);
        (void)snprintf(tidying->all_nsbr, UNIT_SIZE, "nsbr@*.service");
}

static void look_at(struct tidying *tidying, const struct unit_row *row) {
        bool active = string_equal(row->active_state, "active");
        bool busy =
                !string_equal(row->active_state, "inactive") && !string_equal(row->active_state, "failed");

        if (string_equal(row->name, tidying->netns))
                tidying->netns_active = active;
        else if (string_equal(row->name, tidying->netbr))
                tidying->netbr_active = active;
        else if (string_equal(row->name, tidying->nsbr))
                tidying->nsbr_busy = busy;
        /* Any seat may have been put on this bridge (BR=): while one of whatever course is up, the bridge is
         * left alone. */
        tidying->course_busy |= busy && string_starts_with(row->name, "nsbr@");
}

static int handle_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct tidying *tidying = userdata;

        (void)error;
        (void)reply; /* an error means that somebody needs the unit again */
        if (--tidying->n_calls == 0)
                finish(tidying, tidying->error);
        return 0;
}

static void stop(struct tidying *tidying, const char *unit) {
        int r = systemd_stop_unit(tidying->manager, unit, "fail", handle_stopped, tidying, NULL);

        if (r < 0)
                tidying->error = r;
        else
                tidying->n_calls++;
}

static int read_units(struct tidying *tidying, sd_bus_message *reply) {
        struct unit_row row;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL))
                return -sd_bus_message_get_errno(reply);
        r = systemd_enter_units(reply);
        while (r >= 0 && (r = systemd_read_unit(reply, &row)) > 0)
                look_at(tidying, &row);
        return r;
}

static int handle_units(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct tidying *tidying = userdata;
        int r;

        (void)error;
        r = read_units(tidying, reply);
        if (r >= 0 && tidying->netns_active && !tidying->nsbr_busy)
                stop(tidying, tidying->netns);
        if (r >= 0 && tidying->netbr_active && !tidying->course_busy)
                stop(tidying, tidying->netbr);
        if (r < 0 || tidying->n_calls == 0)
                finish(tidying, r < 0 ? r : tidying->error);
        return 0;
}

void tidy(struct manager *manager, const char *seat, tidy_callback_t callback, void *userdata) {
        struct tidying *tidying = malloc(sizeof(*tidying));
        const char *patterns[4];
        size_t n = 0;
        int r;

        if (!tidying) {
                if (callback)
                        callback(userdata, -ENOMEM);
                return;
        }
        *tidying = (struct tidying){.manager = manager, .callback = callback, .userdata = userdata};
        find_names(tidying, seat);

        patterns[n++] = tidying->nsbr;
        patterns[n++] = tidying->netns;
        if (tidying->netbr[0]) {
                patterns[n++] = tidying->netbr;
                patterns[n++] = tidying->all_nsbr;
        }
        r = systemd_list_units(manager, patterns, n, handle_units, tidying, &tidying->list_slot);
        if (r < 0)
                finish(tidying, r);
}

void tidy_job_removed(struct manager *manager, const char *unit, const char *result) {
        char seat[SEAT_ID_SIZE];

        if (string_equal(result, "canceled") && sscanf(unit, "nsbr@%12[0-9].service", seat) == 1)
                tidy(manager, seat, NULL, NULL);
}
