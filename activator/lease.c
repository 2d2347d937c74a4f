/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of leases: see the states in lease.h. */

#include <inttypes.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "connection.h"
#include "diagnosis.h"
#include "fd-store.h"
#include "lease.h"
#include "peer.h"
#include "roster.h"
#include "seat-lookup.h"
#include "session.h"
#include "state.h"
#include "systemd.h"
#include "wiring.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* The module gives up at its deadline; our answer, which says what hangs, has to be there before. */
#define ANSWER_MARGIN_MS 500U
#define TIMEOUT_MAX_MS 300000U

/* How long to wait before asking a logind again that did not answer. */
#define LEADER_RETRY_USEC (2 * USEC_PER_SEC)

void lease_unit_name(const struct lease *lease, char ret_unit[static LEASE_UNIT_SIZE]) {
        (void)snprintf(ret_unit, LEASE_UNIT_SIZE, "coursenet-%s.slice", lease->id);
}

struct lease *lease_find(struct manager *manager, const char *id) {
        struct lease *lease;

        HASH_FIND_STR(manager->leases, id, lease);
        return lease;
}

struct lease *lease_new(struct manager *manager, const char *id) {
        struct lease *lease = calloc(1, sizeof(*lease));

        if (!lease)
                return NULL;
        lease->manager = manager;
        lease->pidfd = -1;
        (void)string_copy(lease->id, sizeof(lease->id), id);
        HASH_ADD_STR(manager->leases, id, lease);
        return lease;
}

/* Stops waiting for anything: what was asked for its sake is forgotten. */
static void drop_waits(struct lease *lease) {
        wiring_update_free(lease->wiring);
        lease->wiring = NULL;
        leader_check_free(lease->leader_check);
        lease->leader_check = NULL;
        lease->call_slot = sd_bus_slot_unref(lease->call_slot);
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        if (lease->connection)
                connection_set_lease(lease->connection, NULL);
        lease->connection = NULL;
}

static void forget(struct lease *lease) {
        drop_waits(lease);
        (void)sd_event_source_disable_unref(lease->death_source);
        if (lease->pidfd >= 0)
                (void)close(lease->pidfd);
        HASH_DEL(lease->manager->leases, lease);
        free(lease);
}

void lease_free(struct lease *lease) {
        state_remove(STATE_DIRECTORY, lease->id);
        fd_store_drop(lease->id);
        forget(lease);
}

void lease_forget_all(struct manager *manager) {
        struct lease *lease, *next;

        HASH_ITER(hh, manager->leases, lease, next)
                forget(lease);
}

/* Who had which address from when to when is what an abuse desk will ask; `journalctl COURSENET_USER=…` finds it. */
static void log_lease(const struct lease *lease, const char *what) {
        char address[ADDRESS_TEXT_SIZE];

        address_format_ip(lease->address.ip, address);
        (void)sd_journal_send("MESSAGE=Seat %s (%s) %s %s: %s, process %ld%s%s", lease->seat, address, what, lease->user,
                lease->service, (long)lease->opener, lease->remote_host[0] ? ", from " : "", lease->remote_host,
                "PRIORITY=%d", LOG_INFO, "COURSENET_LEASE=%s", lease->id, "COURSENET_USER=%s", lease->user,
                "COURSENET_SEAT=%s", lease->seat, "COURSENET_ADDRESS=%s", address, "COURSENET_EVENT=%s", what, NULL);
}

/* --- the end of a lease --------------------------------------------------------------------------------------- */

static int handle_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct lease *lease = userdata;

        (void)error;
        lease->call_slot = sd_bus_slot_unref(lease->call_slot);
        if (!sd_bus_message_is_method_error(reply, NULL))
                return 0; /* UnitRemoved tells when it is gone */

        if (!sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.NoSuchUnit"))
                log_error("Cannot stop the lease %s of %s: %s", lease->id, lease->user,
                        sd_bus_message_get_error(reply)->message);
        lease_free(lease);
        return 0;
}

void lease_end(struct lease *lease) {
        char unit[LEASE_UNIT_SIZE];
        int r;

        if (lease->state == LEASE_ENDING)
                return;
        if (lease->state == LEASE_ACTIVE)
                log_lease(lease, "given back by");
        lease->state = LEASE_ENDING;
        drop_waits(lease);

        lease_unit_name(lease, unit);
        r = systemd_stop_unit(lease->manager, unit, "replace", handle_stopped, lease, &lease->call_slot);
        if (r < 0)
                log_error("Cannot ask systemd to stop the lease %s of %s: %s", lease->id, lease->user, strerror(-r));
}

void lease_abandon(struct lease *lease) {
        log_warning("%s (%s, process %ld) hung up before it had seat %s; its lease ends", lease->user, lease->service,
                (long)lease->opener, lease->seat);
        lease->connection = NULL;
        lease_end(lease);
}

/* Its opener knows that it has it. */
static bool lease_answered(const struct lease *lease) {
        return lease->state == LEASE_ACTIVE || (lease->state == LEASE_STARTING && lease->no_wait);
}

struct lease *lease_find_for_close(struct manager *manager, const struct request *request, pid_t peer) {
        struct lease *lease, *next;

        if (request->lease[0])
                return lease_find(manager, request->lease);

        /* Leases of one process, service and user are alike: any will do. */
        HASH_ITER(hh, manager->leases, lease, next)
                if (lease_answered(lease) && lease->opener == peer && string_equal(lease->user, request->user) &&
                        string_equal(lease->service, request->service))
                        return lease;
        return NULL;
}

void lease_unit_removed(struct manager *manager, const char *unit) {
        struct lease *lease, *next;
        char name[LEASE_UNIT_SIZE];

        if (!string_starts_with(unit, "coursenet-"))
                return;
        HASH_ITER(hh, manager->leases, lease, next) {
                lease_unit_name(lease, name);
                if (!string_equal(name, unit))
                        continue;
                /* While it starts, the end of the job tells more. */
                if (lease->state == LEASE_STARTING)
                        return;
                if (lease->state == LEASE_ACTIVE)
                        log_lease(lease, "taken from");
                lease_free(lease);
                return;
        }
}

/* --- the opener's death --------------------------------------------------------------------------------------- */

static int handle_leader_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        lease_check_opener(lease);
        return 0;
}

static void handle_leader_answer(void *userdata, enum leader_answer answer) {
        struct lease *lease = userdata;

        lease->leader_check = NULL;
        if (answer == LEADER_NONE)
                lease_end(lease);
        else if (answer == LEADER_UNKNOWN && !lease->deadline_source)
                (void)sd_event_add_time_relative(lease->manager->event, &lease->deadline_source, CLOCK_MONOTONIC,
                        LEADER_RETRY_USEC, 0, handle_leader_retry, lease);
}

void lease_check_opener(struct lease *lease) {
        int r;

        if (!lease->opener_dead || lease->state != LEASE_ACTIVE || lease->leader_check)
                return;
        r = leader_check_start(lease->manager, lease->uid, lease->opener, handle_leader_answer, lease,
                &lease->leader_check);
        if (r < 0)
                handle_leader_answer(lease, LEADER_UNKNOWN);
}

static int handle_death(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)fd;
        (void)events;
        lease->death_source = sd_event_source_disable_unref(lease->death_source);
        lease->opener_dead = true;
        lease_check_opener(lease);
        return 0;
}

int lease_watch_opener(struct lease *lease, int pidfd) {
        int r;

        if (pidfd < 0) {
                lease->opener_dead = true;
                return 0;
        }
        lease->pidfd = pidfd;
        r = sd_event_add_io(lease->manager->event, &lease->death_source, pidfd, EPOLLIN, handle_death, lease);
        if (r >= 0)
                r = sd_event_source_set_priority(lease->death_source, PRIORITY_DEATH);
        return r;
}

/* --- the start of a lease ------------------------------------------------------------------------------------- */

static void fail(struct lease *lease, enum reply_type type, const char *text) {
        struct connection *connection = lease->connection;

        log_error("No seat %s for %s (%s): %s", lease->seat, lease->user, lease->service, text);
        lease_end(lease);
        if (connection)
                connection_reply_text(connection, type, text);
}

/* Answers with the seat. The lease stays tied to its connection until the answer has been read: see connection.h. */
static void hand_over(struct lease *lease) {
        struct reply reply;

        if (!lease->connection)
                return;
        lease_fill_reply(lease, REPLY_DONE, &reply);
        connection_hand_over(lease->connection, &reply);
}

static void succeed(struct lease *lease) {
        lease->state = LEASE_ACTIVE;
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        log_lease(lease, "given to");
        if (!lease->no_wait)
                hand_over(lease);
        lease_check_opener(lease);
}

static void handle_diagnosis(void *userdata, const char *text) {
        fail(userdata, REPLY_FAILED, text);
}

static void handle_late_diagnosis(void *userdata, const char *text) {
        fail(userdata, REPLY_TIMEOUT, text);
}

static void diagnose(struct lease *lease, diagnosis_callback_t callback) {
        lease->call_slot = sd_bus_slot_unref(lease->call_slot);
        if (diagnosis_start(lease, callback) < 0)
                callback(lease, "systemd could not be asked why; see journalctl -b -u 'netns@*' -u 'nsbr@*' -u 'netbr@*'");
}

static int handle_started(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct lease *lease = userdata;
        char text[REPLY_TEXT_SIZE];

        (void)error;
        lease->call_slot = sd_bus_slot_unref(lease->call_slot);
        if (!sd_bus_message_is_method_error(reply, NULL)) {
                if (lease->no_wait)
                        hand_over(lease);
                return 0; /* lease_job_removed() goes on */
        }
        (void)snprintf(text, sizeof(text), "systemd refused the lease: %s", sd_bus_message_get_error(reply)->message);
        fail(lease, REPLY_FAILED, text);
        return 0;
}

static void start_unit(struct lease *lease) {
        int r = systemd_start_lease(lease, handle_started, &lease->call_slot);
        char text[REPLY_TEXT_SIZE];

        if (r >= 0)
                return;
        (void)snprintf(text, sizeof(text), "cannot send to systemd: %s", strerror(-r));
        fail(lease, REPLY_FAILED, text);
}

void lease_job_removed(struct manager *manager, const char *unit, const char *result) {
        struct lease *lease, *next;
        char name[LEASE_UNIT_SIZE];

        if (!string_starts_with(unit, "coursenet-"))
                return;
        HASH_ITER(hh, manager->leases, lease, next) {
                lease_unit_name(lease, name);
                if (lease->state != LEASE_STARTING || !string_equal(name, unit))
                        continue;
                if (string_equal(result, "done"))
                        succeed(lease);
                else if (string_equal(result, "canceled") && !lease->retried) {
                        /* Somebody's stop of the seat crossed our start: the login came later, so it wins. */
                        lease->retried = true;
                        start_unit(lease);
                } else
                        diagnose(lease, handle_diagnosis);
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
        return sd_event_add_time_relative(lease->manager->event, &lease->deadline_source, CLOCK_MONOTONIC, ms * 1000U, 0,
                handle_deadline, lease);
}

static void handle_wired(void *userdata, const struct wiring_result *result) {
        struct lease *lease = userdata;
        char text[REPLY_TEXT_SIZE];

        lease->wiring = NULL;
        if (result->stale > 0) {
                (void)snprintf(text, sizeof(text),
                        "systemd keeps an old version of the units of seat %s in memory; run: systemctl daemon-reload",
                        lease->seat);
                fail(lease, REPLY_FAILED, text);
        } else if (result->error < 0) {
                (void)snprintf(text, sizeof(text), "the wiring of seat %s could not be written: %s", lease->seat,
                        strerror(-result->error));
                fail(lease, REPLY_FAILED, text);
        } else
                start_unit(lease);
}

static void wire_and_start(struct lease *lease, const struct seat_plan *seat) {
        struct wiring_result failed = {0};
        int r = wiring_update(lease->manager, seat, 1, handle_wired, lease, &lease->wiring);

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

static uint64_t now_realtime_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000U;
}

static void fill_lease(struct lease *lease, const struct request *request, const struct seat_plan *seat) {
        (void)string_copy(lease->user, sizeof(lease->user), request->user);
        (void)string_copy(lease->course, sizeof(lease->course), seat->id.course);
        (void)string_copy(lease->seat, sizeof(lease->seat), seat->name);
        (void)string_copy(lease->service, sizeof(lease->service), request->service);
        (void)string_copy(lease->tty, sizeof(lease->tty), request->tty);
        (void)string_copy(lease->remote_host, sizeof(lease->remote_host), request->remote_host);
        lease->address = seat->address;
        lease->uid = request->uid;
        lease->no_wait = request->flags & REQUEST_NO_WAIT;
        lease->since_usec = now_realtime_usec();
}

/* Everything of a lease that can fail before systemd is asked. Takes pidfd, also on failure. */
static int prepare_lease(struct lease *lease, const struct request *request, const struct ucred *peer, int pidfd) {
        int r;

        r = lease_watch_opener(lease, pidfd);
        if (r >= 0) {
                lease->opener = peer->pid;
                r = peer_start_time(peer->pid, &lease->opener_start);
        }
        if (r >= 0)
                r = set_deadline(lease, request->timeout_ms);
        if (r >= 0)
                /* Before the unit: a unit without a record could never be ended by its login. */
                r = state_save(STATE_DIRECTORY, lease);
        if (r >= 0)
                /* Kept by PID 1 over a restart; without it the process is found again by number and start time. */
                fd_store_keep(lease->id, lease->pidfd);
        return r;
}

/* NULL if the limits allow one more lease. */
static const char *check_limits(struct manager *manager, uid_t uid) {
        struct lease *lease, *next;
        unsigned n = 0;

        if (HASH_COUNT(manager->leases) >= LEASES_MAX)
                return "there are as many leases as the activator can hold";
        HASH_ITER(hh, manager->leases, lease, next)
                n += lease->uid == uid;
        return n >= LEASES_PER_USER_MAX ? "this user has as many logins as one may have" : NULL;
}

static void refuse(struct connection *connection, const struct request *request, enum reply_type type, const char *text) {
        log_error("No seat for %s (%s): %s", request->user, request->service, text);
        connection_reply_text(connection, type, text);
}

void lease_open(struct manager *manager, struct connection *connection, const struct request *request,
        const struct ucred *peer, int pidfd) {
        char text[REPLY_TEXT_SIZE], id[LEASE_ID_SIZE];
        _cleanup_close_ int owned = pidfd;
        struct seat_plan seat;
        enum reply_type type;
        const char *limit;
        struct lease *lease;
        int r;

        if (pidfd < 0 || peer_check_pidfd(pidfd, peer->pid) < 0) {
                refuse(connection, request, REPLY_REFUSED, "the request came without a pidfd of its sender");
                return;
        }
        if (!seat_lookup(manager->etc, request->user, &seat, &type, text)) {
                refuse(connection, request, type, text);
                return;
        }
        limit = check_limits(manager, request->uid);
        if (limit) {
                refuse(connection, request, REPLY_REFUSED, limit);
                return;
        }

        lease = make_id(seat.name, id) < 0 ? NULL : lease_new(manager, id);
        if (!lease) {
                refuse(connection, request, REPLY_FAILED, "out of memory");
                return;
        }
        fill_lease(lease, request, &seat);
        owned = -1;
        r = prepare_lease(lease, request, peer, pidfd);
        if (r < 0) {
                lease_free(lease);
                (void)snprintf(text, sizeof(text), "the lease cannot be recorded: %s", strerror(-r));
                refuse(connection, request, REPLY_FAILED, text);
                return;
        }

        lease->connection = connection;
        connection_set_lease(connection, lease);
        wire_and_start(lease, &seat);
}

void lease_fill_reply(const struct lease *lease, enum reply_type type, struct reply *ret) {
        reply_init(ret, type);
        ret->uid = lease->uid;
        ret->pid = lease->opener;
        ret->since_usec = lease->since_usec;
        ret->address = lease->address.ip;
        ret->prefix = lease->address.prefix;
        (void)string_copy(ret->lease, sizeof(ret->lease), lease->id);
        (void)string_copy(ret->course, sizeof(ret->course), lease->course);
        (void)string_copy(ret->seat, sizeof(ret->seat), lease->seat);
        (void)string_copy(ret->user, sizeof(ret->user), lease->user);
        (void)string_copy(ret->service, sizeof(ret->service), lease->service);
        (void)string_copy(ret->tty, sizeof(ret->tty), lease->tty);
        (void)string_copy(ret->remote_host, sizeof(ret->remote_host), lease->remote_host);
}
