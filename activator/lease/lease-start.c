/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Starts a lease's unit: the drop-ins that its seat needs, the transient slice, and the questions that tell
 * how it went. Each step ends in an event. lease-run.c calls these functions as actions.
 */

#include "lease-start.h"
#include "base/event.h"
#include "base/log.h"
#include "diagnosis.h"
#include "lease-early.h"
#include "lease-object.h"
#include "lease-table.h"
#include "seat/user-limits.h"
#include "seat/wiring.h"
#include "systemd/units.h"

/*
 * The module gives up at its deadline. The answer, which names the unit that hangs, has to arrive before
 * that.
 */
#define ANSWER_MARGIN_MS 500U
#define TIMEOUT_MAX_MS 300000U

void lease_start_set_deadline(struct lease *lease) {
        uint64_t ms = lease->timeout_ms < TIMEOUT_MAX_MS ? lease->timeout_ms : TIMEOUT_MAX_MS;

        ms = ms > 2 * ANSWER_MARGIN_MS ? ms - ANSWER_MARGIN_MS : ms / 2;
        lease_set_timer(lease, TIMER_DEADLINE, ms * 1000U);
}

/*
 * Two units of a seat start one after the other, and each may take TimeoutStartSec=20s. As long as its job is
 * under way the lease has no other end.
 */
#define PATIENCE_USEC (60 * USEC_PER_SEC)

void lease_start_set_patience(struct lease *lease) {
        lease_set_timer(lease, TIMER_DEADLINE, PATIENCE_USEC);
}

/* --- wiring ---------------------------------------------------------------------------------- */

/* The drop-ins that the lease needs; returns how many. A hold is no login: it has no user's manager. */
static size_t plan_wiring(const struct lease *lease, struct wiring ret[static WIRING_MAX]) {
        const struct found_seat *seat = lease->seat;
        size_t n = wiring_plan_seat(&seat->plan, ret);

        if (!lease->record.hold)
                wiring_plan_user(&seat->plan, lease->record.uid, seat->user_manager, &ret[n++]);
        for (size_t i = 0; i < seat->services.n_units; i++)
                wiring_plan_service(
                        &seat->plan, lease->record.user, seat->uid, &seat->services, i, &ret[n++]);
        return n;
}

/* Without it logind may end the manager before the seat stops. That is no reason to refuse a login. */
static void wire_keeping(const struct lease *lease) {
        int r = wiring_keep_user(lease->table->seats->unit_directory, lease->record.uid, lease->seat->keep);

        if (r < 0)
                log_warning("The systemd manager of %s cannot be made to stay with seat %s: %s",
                        lease->record.user, lease->record.seat, strerror(-r));
}

static void fail_wiring(struct lease *lease, int error) {
        char reason[REPLY_TEXT_SIZE];

        (void)snprintf(reason, sizeof(reason), "the wiring of seat %s could not be written: %s",
                lease->record.seat, strerror(-error));
        lease_raise_fault(lease, EVENT_FAULT, reason);
}

static void handle_wired(void *userdata, const struct wiring_result *result) {
        struct lease *lease = userdata;

        lease->wiring = NULL;
        if (result->error < 0)
                fail_wiring(lease, result->error);
        else
                lease_raise(lease, result->stale > 0 ? EVENT_WIRED_STALE : EVENT_WIRED);
}

void lease_start_wire(struct lease *lease) {
        struct wiring wirings[WIRING_MAX];
        size_t n = plan_wiring(lease, wirings);
        int r;

        if (!lease->record.hold)
                wire_keeping(lease);
        if (lease->seat->uid != 0)
                user_limits_apply(lease->table->seats, lease->seat->uid, &lease->seat->limits);
        r = wiring_update(lease->table->seats, wirings, n, handle_wired, lease, &lease->wiring);
        if (r < 0)
                fail_wiring(lease, r);
        else if (r == 0)
                lease_raise(lease, EVENT_WIRED);
}

static void handle_reloaded(void *userdata, int error) {
        struct lease *lease = userdata;
        char reason[REPLY_TEXT_SIZE];

        if (error >= 0) {
                lease_raise(lease, EVENT_RELOADED);
                return;
        }
        (void)snprintf(reason, sizeof(reason),
                "systemd keeps an old version of the units of seat %s in memory; run: systemctl "
                "daemon-reload",
                lease->record.seat);
        lease_raise_fault(lease, EVENT_FAULT, reason);
}

/*
 * A session that outlived its seat keeps the user's manager in systemd's memory, as it was wired then. If
 * that wiring has changed, because the seat has another number or a teardown removed it, the manager would
 * start outside of the seat without a reload.
 */
void lease_start_reload(struct lease *lease) {
        int r;

        log_notice("systemd has an old version of the units of seat %s in memory; reloading it",
                lease->record.seat);
        r = units_reload(lease->table->bus, handle_reloaded, lease, &lease->reload_call);
        if (r < 0)
                handle_reloaded(lease, r);
}

/* --- the unit -------------------------------------------------------------------------------- */

static bool waits_for_container(const struct lease *lease) {
        if (!lease->wait_container)
                return false;
        for (size_t i = 0; i < lease->services.n_units; i++)
                if (string_equal(lease->services.units[i], SERVICE_CONTAINER))
                        return true;
        return false;
}

/* The names of the units that a lease needs, and of what it wants. */
struct unit_names {
        char lease[LEASE_UNIT_SIZE];
        char description[64 + USER_NAME_SIZE + SERVICE_SIZE];
        char nsbr[sizeof("nsbr@.service") + SEAT_ID_SIZE];
        char cont[sizeof(SERVICE_CONTAINER "@.service") + SEAT_ID_SIZE];
        char services[SERVICES_MAX][SERVICE_NAME_SIZE + SEAT_ID_SIZE + sizeof("@.service")];
};

static void name_units(const struct lease *lease, struct unit_names *ret) {
        const char *seat = lease->record.seat;

        lease_unit_name(lease->record.id, ret->lease);
        /* Without the user's name: everybody may list units. */
        (void)snprintf(ret->description, sizeof(ret->description), "Lease of seat %s (%s)", seat,
                lease->record.service);
        (void)snprintf(ret->nsbr, sizeof(ret->nsbr), "nsbr@%s.service", seat);
        (void)snprintf(ret->cont, sizeof(ret->cont), SERVICE_CONTAINER "@%s.service", seat);
        for (size_t i = 0; i < lease->services.n_units; i++)
                (void)snprintf(ret->services[i], sizeof(ret->services[i]), "%s@%s.service",
                        lease->services.units[i], seat);
}

static void handle_started(void *userdata, int error, const char *job, const char *text) {
        struct lease *lease = userdata;
        char reason[REPLY_TEXT_SIZE];

        if (error >= 0 && string_copy(lease->job, sizeof(lease->job), job) >= 0) {
                lease_raise(lease, EVENT_ACCEPTED);
                return;
        }
        (void)snprintf(reason, sizeof(reason), "systemd refused the lease: %s", text);
        lease_raise_fault(lease, EVENT_FAULT, reason);
}

/*
 * The units that the lease needs, and those that it only wants: a container that fails or is stopped does not
 * end the login. The lease waits for the container only if the request says so. nsbr@ counts as started
 * before its program has ended, and the program may still fail: with Requires= the lease would then stay on a
 * failed seat.
 */
void lease_start_unit(struct lease *lease) {
        const char *wants[SERVICES_MAX + 1] = {NULL};
        struct unit_names names;
        struct transient_unit unit = {
                .name = names.lease,
                /* A login during the last logout's teardown must win over the stop jobs. */
                .mode = "replace",
                .description = names.description,
                .binds_to = (const char *const[]){names.nsbr, NULL},
                .after = (const char *const[]){names.nsbr, waits_for_container(lease) ? names.cont : NULL,
                        NULL},
                .wants = wants,
                /* `systemctl isolate` must not end live logins. */
                .ignore_on_isolate = true,
        };
        char reason[REPLY_TEXT_SIZE];
        int r;

        lease->job[0] = '\0';
        name_units(lease, &names);
        for (size_t i = 0; i < lease->services.n_units; i++)
                wants[i] = names.services[i];
        r = unit_start_transient(lease->table->bus, &unit, handle_started, lease, &lease->start_call);
        if (r >= 0)
                return;
        (void)snprintf(reason, sizeof(reason), "cannot send to systemd: %s", strerror(-r));
        lease_raise_fault(lease, EVENT_FAULT, reason);
}

/* A stop of the same unit ends with "done" as well, so the job's path decides which one it is. */
void lease_start_job_removed(struct lease *lease, const char *job, const char *result) {
        if (!lease->job[0] || !string_equal(lease->job, job)) {
                lease_raise(lease, EVENT_JOB_ENDED);
                return;
        }
        lease->job[0] = '\0';
        if (string_equal(result, "done"))
                lease_raise(lease, EVENT_JOB_DONE);
        else
                lease_raise(lease, string_equal(result, "canceled") ? EVENT_JOB_CANCELLED : EVENT_JOB_FAILED);
}

/* --- how it went ----------------------------------------------------------------------------- */

static void handle_container(void *userdata, const char *seat, const char *container) {
        struct lease *lease = userdata;

        (void)seat;
        if (container)
                lease_raise_fault(lease, EVENT_CONTAINER_FAULT, container);
        else
                lease_raise(lease, lease->record.hold ? EVENT_READY_HOLD : EVENT_READY);
}

/* The network is up. The lease only wants its container, so whether that is up as well has to be asked. */
void lease_start_check_container(struct lease *lease) {
        if (!waits_for_container(lease))
                handle_container(lease, NULL, NULL);
        else if (diagnosis_start_container(lease->table->bus, lease->record.seat, handle_container, lease,
                         &lease->diagnosis) < 0)
                handle_container(lease, NULL, "systemd could not be asked about it");
}

static void handle_diagnosis(void *userdata, const char *seat, const char *container) {
        struct lease *lease = userdata;

        if (container)
                lease_raise_fault(lease, EVENT_CONTAINER_FAULT, container);
        else
                lease_raise_fault(lease, EVENT_FAULT_FOUND, seat);
}

void lease_start_diagnose(struct lease *lease) {
        const struct lease_record *record = &lease->record;

        if (diagnosis_start(lease->table->bus, record->course, record->seat, waits_for_container(lease),
                    handle_diagnosis, lease, &lease->diagnosis) < 0)
                handle_diagnosis(lease,
                        "systemd could not be asked why" DIAGNOSIS_HINT "journalctl -b -u 'netns@*' -u "
                        "'nsbr@*' -u 'netbr@*'",
                        NULL);
}

void lease_start_drop_calls(struct lease *lease) {
        lease_early_drop(lease);
        wiring_update_free(lease->wiring);
        lease->wiring = NULL;
        bus_call_drop(&lease->reload_call);
        bus_call_drop(&lease->start_call);
        diagnosis_drop(&lease->diagnosis);
}

void lease_start_drop(struct lease *lease) {
        lease_start_drop_calls(lease);
        lease->job[0] = '\0';
}
