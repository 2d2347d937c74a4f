/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Usually systemd answers before it runs the jobs that it has just queued, so it still says that the needed
 * unit is down. If it is up again already, the times tell: nsbr@ begins to start after the units that it
 * needs, so one that has left its active state since then is not the one that nsbr@ was started on.
 */

#include <utlist.h>

#include "base/log.h"
#include "seat-id.h"
#include "seat-units.h"
#include "stale-cable.h"
#include "systemd/units.h"

struct stale_cable {
        struct seats *seats;
        struct seat_units units;
        uint64_t started_usec; /* when nsbr@ began to start; CLOCK_MONOTONIC */
        const char *needed;    /* the unit whose time is asked for */
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
        log_notice("%s has outlived %s, which it needs; restarting it", cable->units.nsbr, needed);
        (void)unit_try_restart(cable->seats->bus, cable->units.nsbr);
        forget(cable);
}

static void ask_stopped(struct stale_cable *cable, const char *needed);

static void handle_stopped(void *userdata, int error, const struct unit_value *value) {
        struct stale_cable *cable = userdata;

        if (error >= 0 && value->number > cable->started_usec)
                restart(cable, cable->needed);
        else if (cable->needed == cable->units.netns && cable->units.netbr[0])
                ask_stopped(cable, cable->units.netbr);
        else
                forget(cable);
}

static void ask_stopped(struct stale_cable *cable, const char *needed) {
        cable->needed = needed;
        if (unit_get_property(
                    cable->seats->bus, needed, UNIT_ACTIVE_EXIT, handle_stopped, cable, &cable->call) < 0)
                forget(cable);
}

static void handle_started(void *userdata, int error, const struct unit_value *value) {
        struct stale_cable *cable = userdata;

        cable->started_usec = value->number;
        if (error < 0)
                forget(cable);
        else
                ask_stopped(cable, cable->units.netns);
}

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
                if (string_equal(rows[i].name, cable->units.nsbr))
                        up = goes_on(&rows[i]);
                else if (!string_equal(rows[i].active_state, "active"))
                        down = rows[i].name;
        if (!up)
                forget(cable);
        else if (down)
                restart(cable, down);
        else if (unit_get_property(cable->seats->bus, cable->units.nsbr, UNIT_INACTIVE_EXIT, handle_started,
                         cable, &cable->call) < 0)
                forget(cable);
}

static void look(struct seats *seats, const char *seat) {
        struct stale_cable *cable = calloc(1, sizeof(*cable));
        const char *names[3];
        size_t n = 0;

        if (!cable)
                return;
        cable->seats = seats;
        DL_APPEND(seats->stale_cables, cable);
        seat_units_find(seats->etc, seat, &cable->units);
        names[n++] = cable->units.nsbr;
        names[n++] = cable->units.netns;
        if (cable->units.netbr[0])
                names[n++] = cable->units.netbr;
        if (unit_list_names(seats->bus, names, n, handle_units, cable, &cable->call) < 0)
                forget(cable);
}

void stale_cable_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        char seat[SEAT_ID_SIZE];

        (void)job;
        if (string_equal(result, "canceled") && sscanf(unit, "nsbr@%12[0-9].service", seat) == 1)
                look(userdata, seat);
}
