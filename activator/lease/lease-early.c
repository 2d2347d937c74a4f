/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A login waits for its network and not for the processes of its units. If the units are up, the network is
 * there, and it stays: StopWhenUnneeded= does not stop a unit as long as one that needs it has a job in the
 * queue. That is unit_is_unneeded() in src/core/unit.c of systemd 252 to 257, which returns false if
 * `other->job` is set, for each other unit with BindsTo=, Requires= or Wants= of the unit. So the need begins
 * when systemd has accepted the start of the slice.
 *
 * Another lease of the seat is no proof that nsbr@ is up: when somebody restarts netns@, systemd stops all of
 * them, and no job ends that the activator would hear of before the units are up again.
 *
 * If each unit is up or starts, coursenet-worker makes what is missing, and the units adopt it when their
 * programs run. If the program of one is at work already, the worker finds its lock or what it has made, and
 * refuses or goes on with that. If a unit stops or has failed, the login waits for the units, as it would
 * without a worker: what is there now may be about to be removed.
 */

#include "lease-early.h"
#include "lease-object.h"
#include "seat/seats.h"
#include "seat/worker-client.h"
#include "systemd/units.h"

/* The program of a unit is at work for some milliseconds, and on a busy machine for longer. */
#define DELAY_MIN_USEC (10 * UINT64_C(1000))
#define DELAY_MAX_USEC (320 * UINT64_C(1000))

#define UNIT_SIZE (sizeof("nsbr@.service") + SEAT_ID_SIZE)

static bool is_up(const struct unit_row *row) {
        return string_equal(row->active_state, "active") && row->job == 0;
}

static bool is_starting(const struct unit_row *row) {
        return (string_equal(row->active_state, "inactive") ||
                       string_equal(row->active_state, "activating")) &&
               row->job != 0 && string_equal(row->job_type, "start");
}

static enum lease_event judge(const struct unit_row *rows, size_t n_rows) {
        bool up = n_rows > 0, clear = n_rows > 0;

        for (size_t i = 0; i < n_rows; i++) {
                up &= is_up(&rows[i]);
                clear &= is_up(&rows[i]) || is_starting(&rows[i]);
        }
        if (up)
                return EVENT_SEAT_UP;
        return clear ? EVENT_SEAT_CLEAR : EVENT_SEAT_BUSY;
}

/* Without a job there is no need yet. systemd answers in order, so this is only a precaution. */
static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct lease *lease = userdata;
        enum lease_event event = error < 0 || !lease->job[0] ? EVENT_SEAT_BUSY : judge(rows, n_rows);

        /* Up at the first question: a former login's, which had not stopped, or a unit's of an administrator.
         */
        if (event == EVENT_SEAT_UP && lease->seat_delay_usec == 0)
                lease->begun_usec = 0;
        lease_raise(lease, event);
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
        if (error == -EBUSY)
                lease_raise(userdata, EVENT_WORKER_BUSY);
        else
                lease_raise(userdata, error < 0 ? EVENT_NOT_PREPARED : EVENT_PREPARED);
}

void lease_early_prepare(struct lease *lease) {
        if (worker_client_prepare(lease->table->seats->worker, lease->record.seat, handle_prepared, lease,
                    &lease->worker_call) < 0)
                lease_raise(lease, EVENT_NOT_PREPARED);
}

void lease_early_set_timer(struct lease *lease) {
        if (lease->seat_delay_usec == 0)
                lease->seat_delay_usec = DELAY_MIN_USEC;
        lease_set_timer(lease, TIMER_SEAT, lease->seat_delay_usec);
        if (lease->seat_delay_usec < DELAY_MAX_USEC)
                lease->seat_delay_usec *= 2;
}

void lease_early_drop(struct lease *lease) {
        lease_stop_timer(lease, TIMER_SEAT);
        bus_call_drop(&lease->seat_call);
        worker_call_drop(&lease->worker_call);
}
