/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Stops the unit of a lease, and asks whether the unit is gone. Both have a call and a timer of their own, so
 * that one never waits for the other. lease-run.c calls these functions as actions.
 */

#include "lease-unit.h"
#include "base/event.h"
#include "base/log.h"
#include "lease-object.h"
#include "lease-table.h"
#include "systemd/units.h"

/* A slice stops within a moment. If no signal says so for that long, the stop is asked for again. */
#define STOP_LATER_USEC (60 * USEC_PER_SEC)

static void handle_stopped(void *userdata, int error, const char *job, const char *text) {
        struct lease *lease = userdata;

        (void)job;
        if (error >= 0) {
                lease_raise(lease, EVENT_STOP_QUEUED);
                return;
        }
        if (error == -ENOENT) {
                lease_raise(lease, EVENT_NO_SUCH_UNIT);
                return;
        }
        log_error("Cannot stop the lease %s of %s: %s; it is tried again", lease->record.id,
                lease->record.user, text);
        lease_raise(lease, EVENT_STOP_FAILED);
}

void lease_unit_stop(struct lease *lease) {
        char unit[LEASE_UNIT_SIZE];
        int r;

        lease_stop_timer(lease, TIMER_STOP);
        lease_unit_name(lease->record.id, unit);
        r = unit_stop(lease->table->bus, unit, handle_stopped, lease, &lease->stop_call);
        if (r >= 0)
                return;
        log_error("Cannot ask systemd to stop the lease %s of %s: %s; it is tried again", lease->record.id,
                lease->record.user, strerror(-r));
        lease_raise(lease, EVENT_STOP_FAILED);
}

void lease_unit_stop_soon(struct lease *lease) {
        lease_set_timer(lease, TIMER_STOP, LEASE_RETRY_USEC);
}

void lease_unit_stop_later(struct lease *lease) {
        lease_set_timer(lease, TIMER_STOP, STOP_LATER_USEC);
}

/* A unit that is inactive and has a job will be started: by a daemon-reload, for example. */
static void handle_row(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        if (error < 0)
                lease_raise(userdata, EVENT_GONE_UNKNOWN);
        else if (n_rows == 0 || (string_equal(rows[0].active_state, "inactive") && rows[0].job == 0))
                lease_raise(userdata, EVENT_GONE);
        else
                lease_raise(userdata, EVENT_NOT_GONE);
}

static void handle_found(void *userdata, int error, const char *object, const char *text) {
        char name[LEASE_UNIT_SIZE];
        const char *unit = name;
        struct lease *lease = userdata;

        (void)object;
        (void)text;
        lease_unit_name(lease->record.id, name);
        if (error == -ENOENT)
                lease_raise(lease, EVENT_GONE);
        else if (error < 0 ||
                 unit_list_names(lease->table->bus, &unit, 1, handle_row, lease, &lease->gone_call) < 0)
                lease_raise(lease, EVENT_GONE_UNKNOWN);
}

/*
 * At a daemon-reload each lease asks, so the answer may not take longer the more units there are. And systemd
 * would load a unit that is gone if it were asked for its state at once.
 */
void lease_unit_ask_gone(struct lease *lease) {
        char unit[LEASE_UNIT_SIZE];

        lease_stop_timer(lease, TIMER_GONE);
        lease_unit_name(lease->record.id, unit);
        if (unit_find(lease->table->bus, unit, handle_found, lease, &lease->gone_call) < 0)
                lease_raise(lease, EVENT_GONE_UNKNOWN);
}

void lease_unit_drop(struct lease *lease) {
        lease_stop_timer(lease, TIMER_STOP);
        lease_stop_timer(lease, TIMER_GONE);
        bus_call_drop(&lease->stop_call);
        bus_call_drop(&lease->gone_call);
}
