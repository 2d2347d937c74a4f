/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A login waits for its network and not for the processes of its units. If nsbr@ is up, the network is there,
 * and it stays: StopWhenUnneeded= does not stop a unit as long as one that needs it has a job in the queue.
 * That is unit_is_unneeded() in src/core/unit.c of systemd 252 to 257, which returns false if `other->job` is
 * set, for each other unit with BindsTo=, Requires= or Wants= of the unit. So the need begins when systemd
 * has accepted the start of the slice.
 *
 * If the seat is down, coursenet-worker makes it, and the units adopt it when their programs run. A
 * request goes to it only if no program of a unit can be at work: the units are up, or down with a queued
 * start. systemd answers calls in the order in which they were sent, and looks at its queue of jobs after
 * that. So it usually tells of the units before it starts the first program. Otherwise the login waits for
 * the units as it would without a worker.
 */

#include "lease-early.h"
#include "lease-object.h"
#include "seat/seats.h"
#include "seat/worker-client.h"
#include "systemd/units.h"

#define UNIT_SIZE (sizeof("nsbr@.service") + SEAT_ID_SIZE)

static bool is_up(const struct unit_row *row) {
        return string_equal(row->active_state, "active") && row->job == 0;
}

static bool is_about_to_start(const struct unit_row *row) {
        return string_equal(row->active_state, "inactive") && row->job != 0 &&
               string_equal(row->job_type, "start");
}

static enum lease_event judge(const struct unit_row *rows, size_t n_rows) {
        bool clear = n_rows > 0;

        for (size_t i = 0; i < n_rows; i++) {
                if (string_starts_with(rows[i].name, "nsbr@") && is_up(&rows[i]))
                        return EVENT_SEAT_UP;
                clear &= is_up(&rows[i]) || is_about_to_start(&rows[i]);
        }
        return clear ? EVENT_SEAT_CLEAR : EVENT_SEAT_BUSY;
}

/* Without a job there is no need yet. systemd answers in order, so this is only a precaution. */
static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct lease *lease = userdata;

        lease_raise(lease, error < 0 || !lease->job[0] ? EVENT_SEAT_BUSY : judge(rows, n_rows));
}

void lease_early_ask_seat(struct lease *lease) {
        char nsbr[UNIT_SIZE], netns[UNIT_SIZE], netbr[UNIT_SIZE];
        const char *const names[] = {nsbr, netns, netbr};
        bool has_bridge = lease->bridge_course[0] != '\0';

        /* A hold waits as long as it takes, and wait=none and wait=container wait for something else. */
        if (lease->record.hold || lease->record.no_wait || lease->wait_container)
                return;
        (void)snprintf(nsbr, sizeof(nsbr), "nsbr@%s.service", lease->record.seat);
        (void)snprintf(netns, sizeof(netns), "netns@%s.service", lease->record.seat);
        (void)snprintf(netbr, sizeof(netbr), "netbr@%s.service", lease->bridge_course);
        if (unit_list_names(
                    lease->table->bus, names, has_bridge ? 3 : 2, handle_units, lease, &lease->seat_call) < 0)
                lease_raise(lease, EVENT_SEAT_BUSY);
}

static void handle_prepared(void *userdata, int error) {
        lease_raise(userdata, error < 0 ? EVENT_NOT_PREPARED : EVENT_PREPARED);
}

void lease_early_prepare(struct lease *lease) {
        if (worker_client_prepare(lease->table->seats->worker, lease->record.seat, handle_prepared, lease,
                    &lease->worker_call) < 0)
                lease_raise(lease, EVENT_NOT_PREPARED);
}

void lease_early_drop(struct lease *lease) {
        bus_call_drop(&lease->seat_call);
        worker_call_drop(&lease->worker_call);
}
