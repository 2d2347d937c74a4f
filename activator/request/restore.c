/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs once, before the activator listens on its sockets, so it may wait. A lease whose opener died while the
 * activator was down is ended like any other, as soon as logind says that no session is left.
 */

#include "restore.h"
#include "base/log.h"
#include "base/peer.h"
#include "base/record-store.h"
#include "lease/lease-startup.h"
#include "lease/lease-table.h"
#include "lease/record-removal.h"
#include "lease/stray-unit.h"
#include "number.h"
#include "seat/empty-seat.h"
#include "seat/worker-client.h"
#include "systemd/units.h"

#define LEASE_UNIT_HEAD "coursenet-"
#define LEASE_UNIT_TAIL ".slice"

/* A seat that is up, whole or in part, has the first. */
#define NAMESPACE_UNIT_HEAD "netns@"
#define CABLE_UNIT_HEAD "nsbr@"
#define SEAT_UNIT_TAIL ".service"

struct restoring {
        struct lease_table *leases;
        unsigned n_leases;
        int error;  /* the last one because of which a lease could not be restored */
        int result; /* 1: still waiting */
};

/* A descriptor of the lease's opener, or -1 if that process has ended, even if its pid is in use again. */
static int find_opener(const struct lease_record *record) {
        int fd = peer_open_pidfd(record->opener);
        uint64_t start;

        if (fd < 0)
                return -1;
        if (peer_start_time(record->opener, &start) < 0 || start != record->opener_start) {
                (void)close(fd);
                return -1;
        }
        return fd;
}

/* What is between head and tail in the unit's name; false if they do not fit it, or it is too long. */
static bool cut_out(const char *unit, const char *head, const char *tail, char *ret, size_t size) {
        size_t n_head = strlen(head), n_tail = strlen(tail), n = strlen(unit);

        if (n < n_head + n_tail || n - n_head - n_tail >= size || !string_starts_with(unit, head) ||
                !string_equal(unit + n - n_tail, tail))
                return false;
        (void)snprintf(ret, size, "%.*s", (int)(n - n_head - n_tail), unit + n_head);
        return true;
}

static bool parse_seat_unit(const char *unit, char ret_seat[static SEAT_ID_SIZE]) {
        return (cut_out(unit, NAMESPACE_UNIT_HEAD, SEAT_UNIT_TAIL, ret_seat, SEAT_ID_SIZE) ||
                       cut_out(unit, CABLE_UNIT_HEAD, SEAT_UNIT_TAIL, ret_seat, SEAT_ID_SIZE)) &&
               digits_only(ret_seat);
}

/*
 * job: the number of the job that starts its unit, or 0. Whether its login has an answer already is not
 * recorded. If it has none, it asks again, and gets the answer of this lease. An administrator's hold that is
 * starting is not taken up: its command has lost the connection, and has said so.
 */
static int take_up_lease(struct restoring *restoring, const char *id, uint32_t job) {
        struct lease_record record = {0};
        int r, opener = -1;

        (void)string_copy(record.id, sizeof(record.id), id);
        r = record_store_load(restoring->leases->state_directory, id, &record);
        if (r >= 0 && job > 0 && record.hold)
                r = -ECANCELED;
        if (r < 0)
                return r;
        /* The lease of a login that is over has no process any more. */
        if (!record.hold && record.linger_until_usec == 0)
                opener = find_opener(&record);
        return lease_restore(restoring->leases, &record, opener, job);
}

/* It says nothing about the record, and the lease may be of a live login. */
static bool is_shortage(int error) {
        return error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EIO;
}

static void restore_lease(struct restoring *restoring, const char *unit, uint32_t job) {
        struct lease_table *leases = restoring->leases;
        char id[LEASE_ID_SIZE];
        int r;

        if (!lease_unit_parse(unit, id)) {
                /* The process that tidied ended before it was done, and its slice would keep the units up. */
                if (string_starts_with(unit, LEASE_UNIT_HEAD "tidy_"))
                        stray_unit_stop(leases, unit);
                return;
        }
        r = take_up_lease(restoring, id, job);
        if (is_shortage(r)) {
                log_error("The record of the lease %s cannot be read: %s", id, strerror(-r));
                restoring->error = r;
                return;
        }
        if (r < 0) {
                log_warning("%s is a lease without a usable record (%s); stopping it", unit, strerror(-r));
                record_removal_begin(leases, id);
                stray_unit_stop(leases, unit);
                return;
        }
        restoring->n_leases++;
}

static void take_up_unit(struct restoring *restoring, const struct unit_row *row) {
        bool active = string_equal(row->active_state, "active");
        char seat[SEAT_ID_SIZE];

        if (!active && row->job == 0 && !string_equal(row->active_state, "failed"))
                return;
        if (parse_seat_unit(row->name, seat))
                /* Its last lease may have ended, or its start failed, while no activator ran. */
                empty_seat_tidy_later(restoring->leases->seats, seat);
        else
                restore_lease(restoring, row->name, active ? 0 : row->job);
}

static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct restoring *restoring = userdata;

        for (size_t i = 0; i < n_rows; i++)
                take_up_unit(restoring, &rows[i]);
        restoring->result = error < 0 ? error : restoring->error;
}

/* An activator may have ended before the units of a seat adopted what coursenet-worker made for it. */
static void look_at_prepared(void *userdata, const char *seat) {
        empty_seat_tidy_later(userdata, seat);
}

/* A record without a unit: somebody stopped the unit while no activator ran. */
static int forget_record(void *userdata, const char *id) {
        struct lease_table *leases = userdata;

        if (!lease_table_find(leases, id))
                lease_forget_record(leases, id);
        return 0;
}

int restore_leases(struct lease_table *leases) {
        struct restoring restoring = {.leases = leases, .result = 1};
        const char *const patterns[] = {LEASE_UNIT_HEAD "*" LEASE_UNIT_TAIL,
                NAMESPACE_UNIT_HEAD "*" SEAT_UNIT_TAIL, CABLE_UNIT_HEAD "*" SEAT_UNIT_TAIL};
        struct bus_call *call = NULL;
        int r;

        r = unit_list(leases->bus, patterns, ELEMENTSOF(patterns), handle_units, &restoring, &call);
        while (r >= 0 && restoring.result == 1)
                r = sd_event_run(leases->event, UINT64_MAX);
        bus_call_drop(&call);
        if (r >= 0)
                r = restoring.result;
        if (r < 0)
                return r;

        (void)record_store_list(leases->state_directory, forget_record, leases);
        worker_client_list(leases->seats->worker, look_at_prepared, leases->seats);
        if (restoring.n_leases > 0)
                log_info("Restored %u leases", restoring.n_leases);
        return 0;
}
