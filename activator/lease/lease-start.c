/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a lease comes to be: from a request to the answer. */

#include <inttypes.h>
#include <sys/random.h>

#include "base/fd-store.h"
#include "base/log.h"
#include "base/peer.h"
#include "base/record-store.h"
#include "base/seat-lookup.h"
#include "diagnosis.h"
#include "lease-event.h"
#include "lease-limit.h"
#include "lease.h"
#include "linger.h"
#include "seat-namespace.h"
#include "seat/wiring.h"
#include "systemd/units.h"

/* The module gives up at its deadline; our answer, which says what hangs, has to be there before. */
#define ANSWER_MARGIN_MS 500U
#define TIMEOUT_MAX_MS 300000U

/*
 * Answers REQUEST_ENTER. Whether the answer is read does not matter: this lease lasts as long as the process
 * that asked for it, and no other.
 */
static void hand_over_namespace(struct lease *lease) {
        const struct lease_waiter waiter = lease->waiter;
        _cleanup_close_ int fd = -1;
        char text[REPLY_TEXT_SIZE];
        const char *failed;
        struct reply reply;

        fd = seat_namespace_open(lease->record.seat, &failed);
        if (fd < 0) {
                (void)snprintf(text, sizeof(text), SEAT_NAMESPACE "%s %s; systemctl status netns@%s",
                        lease->record.seat, failed, lease->record.seat);
                lease_fail(lease, REPLY_FAILED, text);
                return;
        }
        lease_fill_reply(lease, REPLY_DONE, &reply);
        lease_untie(lease);
        waiter.answer(waiter.userdata, &reply, fd);
}

/* Answers with the seat. The lease stays tied to its waiter until the answer has been read. */
static void hand_over(struct lease *lease) {
        struct reply reply;

        if (!lease->waiter.answer)
                return;
        if (lease->pass_namespace) {
                hand_over_namespace(lease);
                return;
        }
        lease_fill_reply(lease, REPLY_DONE, &reply);
        lease->waiter.answer(lease->waiter.userdata, &reply, -1);
}

static void succeed(struct lease *lease) {
        /* A diagnosis for the deadline may be under way: its answer must not meet a lease that is up. */
        bus_call_drop(&lease->call);
        lease_activate(lease);
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        lease_log(lease, LEASE_GIVEN);
        linger_take_over(lease);
        if (!lease->record.no_wait)
                hand_over(lease);
        lease_check_opener(lease);
}

static void fail(void *lease, enum reply_type type, const char *seat, const char *container) {
        lease_fail(lease, container ? REPLY_NO_CONTAINER : type, container ? container : seat);
}

static void handle_diagnosis(void *userdata, const char *seat, const char *container) {
        fail(userdata, REPLY_FAILED, seat, container);
}

static void handle_late_diagnosis(void *userdata, const char *seat, const char *container) {
        fail(userdata, REPLY_TIMEOUT, seat, container);
}

static void diagnose(struct lease *lease, diagnosis_callback_t callback) {
        if (diagnosis_start(lease, callback) < 0)
                callback(lease,
                        "systemd could not be asked why" DIAGNOSIS_HINT "journalctl -b -u 'netns@*' -u "
                        "'nsbr@*' -u 'netbr@*'",
                        NULL);
}

static void handle_started(void *userdata, int error, const char *job, const char *text) {
        struct lease *lease = userdata;
        char reason[REPLY_TEXT_SIZE];

        if (error >= 0 && string_copy(lease->job, sizeof(lease->job), job) >= 0) {
                if (lease->record.no_wait)
                        hand_over(lease);
                return; /* lease_job_removed() goes on */
        }
        (void)snprintf(reason, sizeof(reason), "systemd refused the lease: %s", text);
        lease_fail(lease, REPLY_FAILED, reason);
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

        lease_unit_name(lease, ret->lease);
        /* Without the user's name: everybody may list units. */
        (void)snprintf(ret->description, sizeof(ret->description), "Lease of seat %s (%s)", seat,
                lease->record.service);
        (void)snprintf(ret->nsbr, sizeof(ret->nsbr), "nsbr@%s.service", seat);
        (void)snprintf(ret->cont, sizeof(ret->cont), SERVICE_CONTAINER "@%s.service", seat);
        for (size_t i = 0; i < lease->services.n_units; i++)
                (void)snprintf(ret->services[i], sizeof(ret->services[i]), "%s@%s.service",
                        lease->services.units[i], seat);
}

/*
 * What the lease needs, and what it only wants: a container that fails, or is stopped, does not cost the
 * login. It waits for the container only if it was told to. nsbr@ counts as started before its program has
 * ended, and that may go wrong still: Requires= would leave a lease on a seat that has failed.
 */
static int start_slice(struct lease *lease) {
        const char *wants[SERVICES_MAX + 1] = {NULL};
        struct unit_names names;
        struct transient_unit unit = {
                .name = names.lease,
                /* A login during the last logout's teardown must win over the stop jobs. */
                .mode = "replace",
                .description = names.description,
                .binds_to = (const char *const[]){names.nsbr, NULL},
                .after = (const char *const[]){names.nsbr,
                        lease_waits_for_container(lease) ? names.cont : NULL, NULL},
                .wants = wants,
                /* `systemctl isolate` must not end live logins. */
                .ignore_on_isolate = true,
        };

        name_units(lease, &names);
        for (size_t i = 0; i < lease->services.n_units; i++)
                wants[i] = names.services[i];
        return unit_start_transient(lease->table->bus, &unit, handle_started, lease, &lease->call);
}

static void start_unit(struct lease *lease) {
        char text[REPLY_TEXT_SIZE];
        int r;

        lease->job[0] = '\0';
        lease->retry = false;
        r = start_slice(lease);
        if (r >= 0)
                return;
        (void)snprintf(text, sizeof(text), "cannot send to systemd: %s", strerror(-r));
        lease_fail(lease, REPLY_FAILED, text);
}

static void handle_container(void *userdata, const char *seat, const char *container) {
        struct lease *lease = userdata;

        if (seat || container)
                fail(lease, REPLY_FAILED, seat, container);
        else
                succeed(lease);
}

/* The network is up. The lease only wants its container, so whether that is up as well has to be looked at.
 */
static void handle_up(struct lease *lease) {
        if (!lease_waits_for_container(lease)) {
                succeed(lease);
                return;
        }
        if (diagnosis_start_container(lease, handle_container) < 0)
                handle_container(lease, NULL, "systemd could not be asked about it");
}

static void handle_namespace_start(void *userdata, int error, const struct unit_value *value) {
        struct lease *lease = userdata;

        if (error < 0 || value->number <= lease->joined_usec)
                return;
        log_warning(
                "netns@%s.service was restarted: the login of %s (%s, process %ld) is left in the namespace "
                "from before, so its lease ends",
                lease->record.seat, lease->record.user, lease->record.service, (long)lease->record.opener);
        lease_take(lease, "was restarted");
}

/* A restart of one of the seat's units restarts the lease. Its login goes on, unless the namespace is
 * another. */
static void check_namespace(struct lease *lease) {
        char unit[sizeof("netns@.service") + SEAT_ID_SIZE];

        if (lease->state != LEASE_ACTIVE || lease->record.hold)
                return;
        (void)snprintf(unit, sizeof(unit), "netns@%s.service", lease->record.seat);
        (void)unit_get_property(lease->table->bus, unit, UNIT_INACTIVE_EXIT_USEC, handle_namespace_start,
                lease, &lease->call);
}

/* The start job's end, whatever it was. */
static void handle_job(struct lease *lease, const char *result) {
        lease->job[0] = '\0';
        if (string_equal(result, "done"))
                handle_up(lease);
        else if (string_equal(result, "canceled") && !lease->retried) {
                /*
                 * Somebody's stop of the seat crossed our start. The login came later, so it wins; but a unit
                 * of the same name can be had only when the old one has been collected: lease_retry().
                 */
                lease->retried = true;
                lease->retry = true;
        } else
                diagnose(lease, handle_diagnosis);
}

void lease_retry(struct lease *lease) {
        if (lease->retry)
                start_unit(lease);
}

void lease_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        struct lease_table *table = userdata;
        struct lease *lease, *next;
        char name[LEASE_UNIT_SIZE];

        if (!string_starts_with(unit, "coursenet-"))
                return;
        HASH_ITER (hh, table->leases, lease, next) {
                lease_unit_name(lease, name);
                if (!string_equal(name, unit))
                        continue;
                if (lease->state == LEASE_LINGERING)
                        linger_look_soon(lease);
                else if (lease->state != LEASE_STARTING)
                        check_namespace(lease);
                else if (string_equal(lease->job, job))
                        /* A stop of the same unit ends with "done" as well. */
                        handle_job(lease, result);
                return;
        }
}

static int handle_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        diagnose(lease, handle_late_diagnosis);
        return 0;
}

static int set_deadline(struct lease *lease, uint32_t timeout_ms) {
        uint64_t ms = timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;

        ms = ms > 2 * ANSWER_MARGIN_MS ? ms - ANSWER_MARGIN_MS : ms / 2;
        return sd_event_add_time_relative(lease->table->event, &lease->deadline_source, CLOCK_MONOTONIC,
                ms * 1000U, 0, handle_deadline, lease);
}

static void fail_stale(struct lease *lease) {
        char text[REPLY_TEXT_SIZE];

        (void)snprintf(text, sizeof(text),
                "systemd keeps an old version of the units of seat %s in memory; run: systemctl "
                "daemon-reload",
                lease->record.seat);
        lease_fail(lease, REPLY_FAILED, text);
}

static void handle_reloaded(void *userdata, int error) {
        struct lease *lease = userdata;

        if (error < 0)
                fail_stale(lease);
        else
                start_unit(lease);
}

/*
 * A session that outlived its seat keeps the user's manager in systemd's memory, as it was wired then. That
 * wiring has changed: the seat's number has, or a teardown removed it. Without a reload the manager would
 * start outside of the seat.
 */
static void reload_and_start(struct lease *lease) {
        log_notice("systemd has an old version of the units of seat %s in memory; reloading it",
                lease->record.seat);
        if (units_reload(lease->table->bus, handle_reloaded, lease, &lease->call) < 0)
                fail_stale(lease);
}

static void handle_wired(void *userdata, const struct wiring_result *result) {
        struct lease *lease = userdata;
        char text[REPLY_TEXT_SIZE];

        lease->wiring = NULL;
        if (result->error < 0) {
                (void)snprintf(text, sizeof(text), "the wiring of seat %s could not be written: %s",
                        lease->record.seat, strerror(-result->error));
                lease_fail(lease, REPLY_FAILED, text);
        } else if (result->stale > 0)
                reload_and_start(lease);
        else
                start_unit(lease);
}

/* The drop-ins that the lease needs; returns how many. A hold is no login: it has no user's manager. */
static size_t plan_wiring(
        const struct lease *lease, const struct found_seat *seat, struct wiring ret[static WIRING_MAX]) {
        size_t n = wiring_plan_seat(&seat->plan, ret);

        if (!lease->record.hold)
                wiring_plan_user(&seat->plan, lease->record.uid, &ret[n++]);
        for (size_t i = 0; i < seat->services.n_units; i++)
                wiring_plan_service(&seat->plan, lease->record.user, &seat->services, i, &ret[n++]);
        return n;
}

/* Without it logind may end the manager before the seat goes: no reason to refuse a login. */
static void wire_keeping(const struct lease *lease, const struct found_seat *seat) {
        int r = wiring_keep_user(lease->table->seats->unit_directory, lease->record.uid, seat->keep);

        if (r < 0)
                log_warning("The systemd manager of %s cannot be made to stay with seat %s: %s",
                        lease->record.user, lease->record.seat, strerror(-r));
}

static void wire_and_start(struct lease *lease, const struct found_seat *seat) {
        struct wiring_result failed = {0};
        struct wiring wirings[WIRING_MAX];
        size_t n = plan_wiring(lease, seat, wirings);
        int r;

        if (!lease->record.hold)
                wire_keeping(lease, seat);
        r = wiring_update(lease->table->seats, wirings, n, handle_wired, lease, &lease->wiring);
        if (r == 0)
                start_unit(lease);
        else if (r < 0) {
                failed.error = r;
                handle_wired(lease, &failed);
        }
}

/* A word about the seat, to be seen in `systemctl`, and what makes it unique. */
static int make_id(const char *seat, char ret_id[static LEASE_ID_SIZE]) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -EIO;
        (void)snprintf(ret_id, LEASE_ID_SIZE, "%s_%016" PRIx64, seat, random);
        return 0;
}

static void fill_lease(struct lease *lease, const struct request *request, const struct seat_plan *seat) {
        (void)string_copy(lease->record.user, sizeof(lease->record.user), request->user);
        (void)string_copy(lease->record.course, sizeof(lease->record.course), seat->id.course);
        (void)string_copy(lease->record.seat, sizeof(lease->record.seat), seat->name);
        (void)string_copy(lease->record.service, sizeof(lease->record.service),
                request->type == REQUEST_HOLD ? HOLD_SERVICE : request->service);
        (void)string_copy(lease->record.token, sizeof(lease->record.token), request->lease);
        (void)string_copy(lease->record.tty, sizeof(lease->record.tty), request->tty);
        (void)string_copy(lease->record.remote_host, sizeof(lease->record.remote_host), request->remote_host);
        lease->record.address = seat->address;
        lease->record.address6 = seat->address6;
        lease->record.hold = request->type == REQUEST_HOLD;
        /* A hold is root's: no user sees it as their own. */
        lease->record.uid = lease->record.hold ? (uid_t)-1 : request->uid;
        lease->record.no_wait = request->flags & REQUEST_NO_WAIT;
        lease->wait_container = request->flags & REQUEST_WAIT_CONTAINER;
        lease->pass_namespace = request->type == REQUEST_ENTER;
        lease->record.since_usec = now_realtime_usec();
}

/* Takes pidfd, also on failure. */
static int watch_opener(struct lease *lease, const struct ucred *peer, int pidfd) {
        int r;

        r = lease_watch_opener(lease, pidfd);
        if (r < 0)
                return r;
        lease->record.opener = peer->pid;
        /* Kept by PID 1 over a restart; without it the process is found again by number and start time. */
        fd_store_keep(lease->record.id, lease->pidfd);
        return peer_start_time(peer->pid, &lease->record.opener_start);
}

static enum lease_source source_of(const struct request *request) {
        if (request->type == REQUEST_HOLD)
                return LEASE_BY_ADMIN;
        return request->type == REQUEST_ENTER ? LEASE_BY_ENTER : LEASE_BY_LOGIN;
}

/* A refused login is logged as an error for the admin. Requests over query.sock have a limit: query-log.h. */
static void refuse(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, enum reply_type type, const char *text) {
        if (request->type == REQUEST_ENTER)
                lease_log_query(table, request->uid, "No seat for %s (%s): %s", request->user,
                        request->service, text);
        else
                log_error("No seat for %s (%s): %s", request->user, request->service, text);
        lease_waiter_answer(waiter, type, text);
}

/* A lease for the request's user, who has the seat *ret_seat. NULL: refused, and the waiter has its answer.
 */
static struct lease *make_lease(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, struct found_seat *ret_seat) {
        char text[REPLY_TEXT_SIZE], id[LEASE_ID_SIZE];
        enum reply_type type;
        struct lease *lease;
        const char *limit;

        if (request->type == REQUEST_OPEN && request->uid == 0) {
                refuse(table, waiter, request, REPLY_REFUSED, "this account is root's");
                return NULL;
        }
        if (!seat_lookup(table->etc, request->user, request->type != REQUEST_ENTER, ret_seat, &type, text)) {
                refuse(table, waiter, request, type, text);
                return NULL;
        }
        limit = lease_limit_check(table, request->uid, source_of(request));
        if (limit) {
                refuse(table, waiter, request, REPLY_REFUSED, limit);
                return NULL;
        }
        lease = make_id(ret_seat->plan.name, id) < 0 ? NULL : lease_new(table, id);
        if (!lease) {
                refuse(table, waiter, request, REPLY_FAILED, "out of memory");
                return NULL;
        }
        fill_lease(lease, request, &ret_seat->plan);
        lease->services = ret_seat->services;
        return lease;
}

/* r: how preparing the lease went. */
static void begin(struct lease *lease, const struct lease_waiter *waiter, const struct request *request,
        const struct found_seat *seat, int r) {
        struct lease_table *table = lease->table;
        char text[REPLY_TEXT_SIZE];

        if (r >= 0)
                r = set_deadline(lease, request->timeout_ms);
        if (r >= 0)
                /* Before the unit: a unit without a record could never be ended by its login. */
                r = record_store_save(STATE_DIRECTORY, &lease->record);
        if (r < 0) {
                lease_free(lease);
                (void)snprintf(text, sizeof(text), "the lease cannot be recorded: %s", strerror(-r));
                refuse(table, waiter, request, REPLY_FAILED, text);
                return;
        }
        lease_tie(lease, waiter);
        wire_and_start(lease, seat);
}

/* The lease that this very request has got from another activator, which went away before it could say so. */
static struct lease *find_unanswered(
        struct lease_table *table, const struct request *request, const struct ucred *peer) {
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                if (request->lease[0] && string_equal(lease->record.token, request->lease) &&
                        lease->record.opener == peer->pid && lease->state == LEASE_ACTIVE &&
                        !lease->waiter.answer)
                        return lease;
        return NULL;
}

void lease_open(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request,
        const struct ucred *peer, int pidfd) {
        _cleanup_close_ int owned = pidfd;
        struct found_seat seat;
        struct lease *lease;

        if (pidfd < 0 || peer_check_pidfd(pidfd, peer->pid) < 0) {
                refuse(table, waiter, request, REPLY_REFUSED,
                        "the request came without a pidfd of its sender");
                return;
        }
        lease = find_unanswered(table, request, peer);
        if (lease) {
                lease_tie(lease, waiter);
                hand_over(lease);
                return;
        }
        lease = make_lease(table, waiter, request, &seat);
        if (!lease)
                return;
        owned = -1;
        begin(lease, waiter, request, &seat, watch_opener(lease, peer, pidfd));
}

static struct lease *find_hold(struct lease_table *table, const char *user) {
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                if (lease->record.hold && lease->state != LEASE_ENDING &&
                        string_equal(lease->record.user, user))
                        return lease;
        return NULL;
}

void lease_hold(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request) {
        struct lease *lease = find_hold(table, request->user);
        struct found_seat seat;
        struct reply reply;

        if (lease && lease->state == LEASE_ACTIVE) {
                lease_fill_reply(lease, REPLY_DONE, &reply);
                waiter->answer(waiter->userdata, &reply, -1);
                return;
        }
        if (lease) {
                refuse(table, waiter, request, REPLY_REFUSED, "a hold on this seat is being started already");
                return;
        }
        lease = make_lease(table, waiter, request, &seat);
        if (lease)
                begin(lease, waiter, request, &seat, 0);
}
