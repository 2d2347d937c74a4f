/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What nsbr@ needs is what systemd says, not what the settings say: they may have another bridge for a seat
 * that was up when they changed, and a restart would end that seat.
 *
 * Usually systemd answers before it runs the jobs that it has just queued, so it still says that the needed
 * unit is down. If it is up again already, the times tell: nsbr@ begins to start after the units that it
 * needs, so one that has left its active state since then is not the one that nsbr@ was started on. The time
 * of nsbr@ is asked for last. If all of them stop and start meanwhile, it is the latest, and nothing is
 * restarted.
 */

#include <utlist.h>

#include "base/log.h"
#include "seat-id.h"
#include "stale-cable.h"
#include "systemd/units.h"

#define UNIT_SIZE 64U

/* netns@ and netbr@ */
#define NEEDED_MAX 2U

struct stale_cable {
        struct seats *seats;
        char nsbr[UNIT_SIZE];
        char needed[NEEDED_MAX][UNIT_SIZE];
        size_t n_needed, n_asked;
        uint64_t stopped_usec; /* when the last of those whose time is known was up no longer */
        const char *stopped;   /* that one; NULL: none was */
        struct bus_call *call;
        struct stale_cable *prev, *next;
};

static void forget(struct stale_cable *cable) {
        DL_DELETE(cable->seats->stale_cables, cable);
        bus_call_drop(&cable->call);
        free(cable);
}

void stale_cables_forget(struct seats *seats) {
        while (seats->stale_cables)
                forget(seats->stale_cables);
}

static void restart(struct stale_cable *cable, const char *needed) {
        log_notice("%s has outlived %s, which it needs; restarting it", cable->nsbr, needed);
        (void)unit_try_restart(cable->seats->bus, cable->nsbr);
        forget(cable);
}

static void get(struct stale_cable *cable, const char *unit, enum unit_property property,
        unit_property_callback_t callback) {
        if (unit_get_property(cable->seats->bus, unit, property, callback, cable, &cable->call) < 0)
                forget(cable);
}

/* --- the times -------------------------------------------------------------------------------- */

static void handle_started(void *userdata, int error, const struct unit_value *value) {
        struct stale_cable *cable = userdata;

        if (error >= 0 && cable->stopped_usec > value->number)
                restart(cable, cable->stopped);
        else
                forget(cable);
}

static void ask_times(struct stale_cable *cable);

static void handle_stopped(void *userdata, int error, const struct unit_value *value) {
        struct stale_cable *cable = userdata;

        if (error >= 0 && value->number > cable->stopped_usec) {
                cable->stopped_usec = value->number;
                cable->stopped = cable->needed[cable->n_asked];
        }
        cable->n_asked++;
        ask_times(cable);
}

static void ask_times(struct stale_cable *cable) {
        if (cable->n_asked < cable->n_needed)
                get(cable, cable->needed[cable->n_asked], UNIT_ACTIVE_EXIT, handle_stopped);
        else if (cable->stopped)
                get(cable, cable->nsbr, UNIT_INACTIVE_EXIT, handle_started);
        else
                forget(cable);
}

/* --- the states ------------------------------------------------------------------------------- */

/* nsbr@ itself: up or about to be, and not about to stop, which would be the end of the cable, too. */
static bool goes_on(const struct unit_row *row) {
        return (string_equal(row->active_state, "active") || string_equal(row->active_state, "activating")) &&
               !string_equal(row->job_type, "stop");
}

static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct stale_cable *cable = userdata;
        const char *down = NULL;
        bool up = false;

        (void)error; /* then there are no rows */
        for (size_t i = 0; i < n_rows; i++)
                if (string_equal(rows[i].name, cable->nsbr))
                        up = goes_on(&rows[i]);
                else if (!string_equal(rows[i].active_state, "active"))
                        down = rows[i].name;
        if (!up)
                forget(cable);
        else if (down)
                restart(cable, down);
        else
                ask_times(cable);
}

static void handle_needs(void *userdata, int error, const struct unit_value *value) {
        struct stale_cable *cable = userdata;
        const char *names[1 + NEEDED_MAX] = {cable->nsbr};

        for (size_t i = 0; error >= 0 && i < value->n_list && cable->n_needed < NEEDED_MAX; i++)
                if ((string_starts_with(value->list[i], "netns@") ||
                            string_starts_with(value->list[i], "netbr@")) &&
                        string_copy(cable->needed[cable->n_needed], UNIT_SIZE, value->list[i]) >= 0) {
                        cable->n_needed++;
                        names[cable->n_needed] = cable->needed[cable->n_needed - 1];
                }
        if (cable->n_needed == 0 || unit_list_names(cable->seats->bus, names, 1 + cable->n_needed,
                                            handle_units, cable, &cable->call) < 0)
                forget(cable);
}

static void look(struct seats *seats, const char *seat) {
        struct stale_cable *cable = calloc(1, sizeof(*cable));

        if (!cable)
                return;
        cable->seats = seats;
        DL_APPEND(seats->stale_cables, cable);
        (void)snprintf(cable->nsbr, sizeof(cable->nsbr), "nsbr@%s.service", seat);
        get(cable, cable->nsbr, UNIT_BINDS_TO, handle_needs);
}

void stale_cable_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        char seat[SEAT_ID_SIZE];

        (void)job;
        if (string_equal(result, "canceled") && sscanf(unit, "nsbr@%12[0-9].service", seat) == 1)
                look(userdata, seat);
}
