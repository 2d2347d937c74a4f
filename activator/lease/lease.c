/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of leases from when they are there to their end: see the states in lease.h, and lease-start.c. */

#include <inttypes.h>
#include <stdarg.h>
#include <systemd/sd-journal.h>

#include "base/fd-store.h"
#include "base/log.h"
#include "base/record-store.h"
#include "base/terminal.h"
#include "diagnosis.h"
#include "lease-event.h"
#include "lease.h"
#include "linger.h"
#include "seat/empty-seat.h"
#include "seat/failed-units.h"
#include "seat/starting-units.h"
#include "seat/wiring.h"
#include "systemd/logind.h"
#include "systemd/units.h"

#define DAY_USEC (24 * 3600 * USEC_PER_SEC)
#define ACCURACY_USEC (600 * USEC_PER_SEC)

/* How long to wait before asking again a systemd or logind that did not answer. */
#define RETRY_USEC (2 * USEC_PER_SEC)

void lease_unit_name(const struct lease *lease, char ret_unit[static LEASE_UNIT_SIZE]) {
        (void)snprintf(ret_unit, LEASE_UNIT_SIZE, "coursenet-%s.slice", lease->record.id);
}

struct lease *lease_find(struct lease_table *table, const char *id) {
        struct lease *lease;

        HASH_FIND_STR(table->leases, id, lease);
        return lease;
}

void lease_activate(struct lease *lease) {
        lease->joined_usec = now_monotonic_usec();
        lease->state = LEASE_ACTIVE;
}

bool lease_is_entered(const struct lease *lease) {
        return string_equal(lease->record.service, ENTER_SERVICE);
}

struct lease *lease_new(struct lease_table *table, const char *id) {
        struct lease *lease = calloc(1, sizeof(*lease));

        if (!lease)
                return NULL;
        lease->table = table;
        lease->pidfd = -1;
        (void)string_copy(lease->record.id, sizeof(lease->record.id), id);
        HASH_ADD_STR(table->leases, record.id, lease);
        return lease;
}

bool lease_seat_has_one(void *userdata, const char *seat) {
        const struct lease_table *table = userdata;
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                if (string_equal(lease->record.seat, seat))
                        return true;
        return false;
}

bool lease_user_has_one(void *userdata, uid_t uid) {
        const struct lease_table *table = userdata;
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                if (lease->record.uid == uid)
                        return true;
        return false;
}

void lease_tie(struct lease *lease, const struct lease_waiter *waiter) {
        lease->waiter = *waiter;
        *waiter->place = lease;
}

void lease_untie(struct lease *lease) {
        if (lease->waiter.place)
                *lease->waiter.place = NULL;
        lease->waiter = (struct lease_waiter){0};
}

void lease_waiter_answer(const struct lease_waiter *waiter, enum reply_type type, const char *text) {
        struct reply reply;

        if (!waiter->answer)
                return;
        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        waiter->answer(waiter->userdata, &reply, -1);
}

void lease_log_query(struct lease_table *table, uid_t uid, const char *format, ...) {
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        table->log_query(table->userdata, uid, text);
}

/* Stops waiting for anything: what was asked for its sake is forgotten. */
static void drop_waits(struct lease *lease) {
        wiring_update_free(lease->wiring);
        lease->wiring = NULL;
        logind_drop_search(&lease->leader_search);
        bus_call_drop(&lease->call);
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        linger_drop(lease);
        lease_untie(lease);
}

static void drop_opener(struct lease *lease) {
        lease->death_source = sd_event_source_disable_unref(lease->death_source);
        close_pointer(&lease->pidfd);
}

static void forget(struct lease *lease) {
        drop_waits(lease);
        drop_opener(lease);
        bus_call_drop(&lease->gone_call);
        HASH_DEL(lease->table->leases, lease);
        free(lease);
}

void lease_free(struct lease *lease) {
        record_store_remove(STATE_DIRECTORY, lease->record.id);
        fd_store_drop(lease->record.id);
        forget(lease);
}

void lease_forget_all(struct lease_table *table) {
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                forget(lease);
}

/* Who had which address from when to when is what an abuse desk will ask; `coursenetctl history` tells. */
void lease_log(const struct lease *lease, const char *what) {
        char address[ADDRESS_TEXT_SIZE], address6[ADDRESS6_TEXT_SIZE] = "";

        address_format_ip(lease->record.address.ip, address);
        if (address6_is_set(&lease->record.address6))
                address6_format_ip(&lease->record.address6, address6);
        (void)sd_journal_send("MESSAGE=Seat %s (%s) %s %s: %s, process %ld%s%s", lease->record.seat, address,
                what, lease->record.user, lease->record.service, (long)lease->record.opener,
                lease->record.remote_host[0] ? ", from " : "", lease->record.remote_host, "PRIORITY=%d",
                LOG_INFO, "COURSENET_EVENT=%s", what, "COURSENET_LEASE=%s", lease->record.id,
                "COURSENET_USER=%s", lease->record.user, "COURSENET_COURSE=%s", lease->record.course,
                "COURSENET_SEAT=%s", lease->record.seat, "COURSENET_ADDRESS=%s", address,
                "COURSENET_ADDRESS6=%s", address6, "COURSENET_SERVICE=%s", lease->record.service,
                "COURSENET_REMOTE_HOST=%s", lease->record.remote_host, "COURSENET_SINCE=%" PRIu64,
                lease->record.since_usec, NULL);
}

static int handle_day(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease_table *table = userdata;
        struct lease *lease, *next;
        int r;

        (void)usec;
        HASH_ITER (hh, table->leases, lease, next)
                if (lease->state == LEASE_ACTIVE)
                        lease_log(lease, LEASE_HELD);
        r = sd_event_source_set_time_relative(source, DAY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int lease_log_daily(struct lease_table *table) {
        return sd_event_add_time_relative(
                table->event, NULL, CLOCK_BOOTTIME, DAY_USEC, ACCURACY_USEC, handle_day, table);
}

/* --- the end of a lease ----------------------------------------------------------------------------------
 */

static void handle_stopped(void *userdata, int error, const char *job, const char *text);

static void handle_gone(struct lease *lease);

static int handle_stop_again(sd_event_source *source, uint64_t usec, void *userdata);

/* systemd may be busy for longer than a call lasts; the lease is not forgotten before its unit has gone. */
static void stop_later(struct lease *lease) {
        if (!lease->deadline_source)
                (void)sd_event_add_time_relative(lease->table->event, &lease->deadline_source,
                        CLOCK_MONOTONIC, RETRY_USEC, 0, handle_stop_again, lease);
}

static void stop_unit(struct lease *lease) {
        char unit[LEASE_UNIT_SIZE];
        int r;

        lease_unit_name(lease, unit);
        r = unit_stop(lease->table->bus, unit, handle_stopped, lease, &lease->call);
        if (r < 0) {
                log_error("Cannot ask systemd to stop the lease %s of %s: %s", lease->record.id,
                        lease->record.user, strerror(-r));
                stop_later(lease);
        }
}

static int handle_stop_again(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        stop_unit(lease);
        return 0;
}

static void handle_stopped(void *userdata, int error, const char *job, const char *text) {
        struct lease *lease = userdata;

        (void)job;
        if (error >= 0)
                return; /* UnitRemoved tells when it is gone */
        if (error == -ENOENT) {
                handle_gone(lease);
                return;
        }
        log_error("Cannot stop the lease %s of %s: %s", lease->record.id, lease->record.user, text);
        stop_later(lease);
}

/* A lease that was not seen to linger ends as any other. */
static void log_linger_over(const struct lease *lease) {
        lease_log(lease, lease->linger_told ? LEASE_LINGER_OVER : LEASE_GIVEN_BACK);
}

/* what: of whose doing a lease that is active ends, for the log. */
static void end(struct lease *lease, const char *what) {
        if (lease->state == LEASE_ENDING)
                return;
        if (lease->state == LEASE_ACTIVE)
                lease_log(lease, what);
        else if (lease->state == LEASE_LINGERING)
                log_linger_over(lease);
        lease->state = LEASE_ENDING;
        /* Should we die now, the next of us must not take it for a lease that somebody has. */
        record_store_remove(STATE_DIRECTORY, lease->record.id);
        drop_waits(lease);
        stop_unit(lease);
}

void lease_end(struct lease *lease) {
        end(lease, LEASE_GIVEN_BACK);
}

void lease_let_go(struct lease *lease) {
        drop_waits(lease);
        drop_opener(lease);
        fd_store_drop(lease->record.id);
}

void lease_close(struct lease *lease) {
        if (lease->state != LEASE_ACTIVE || lease->record.hold || !linger_begin(lease))
                lease_end(lease);
}

static void tell_user(const struct lease *lease, const char *what) {
        char text[256];

        if (lease->record.hold)
                return;
        (void)snprintf(text, sizeof(text),
                "\r\nYour network seat %s %s. This login has no network any more: please log in again.\r\n",
                lease->record.seat, what);
        terminal_tell(lease->record.uid, lease->record.tty, text);
}

void lease_take(struct lease *lease, const char *how) {
        tell_user(lease, how);
        end(lease, LEASE_TAKEN);
}

unsigned lease_stop_all(struct lease_table *table, const char *target) {
        struct lease *lease, *next;
        unsigned n = 0;

        HASH_ITER (hh, table->leases, lease, next) {
                if (lease->state == LEASE_ENDING || (!string_equal(lease->record.user, target) &&
                                                            !string_equal(lease->record.seat, target) &&
                                                            !string_equal(lease->record.course, target)))
                        continue;
                n++;
                if (lease->state == LEASE_STARTING) {
                        lease_fail(lease, REPLY_REFUSED, "an administrator stopped the seat");
                        continue;
                }
                if (lease->state == LEASE_ACTIVE)
                        tell_user(lease, "was stopped by an administrator");
                end(lease, LEASE_TAKEN);
        }
        return n;
}

/* Cuts off where an administrator should look, because a student may not read that. */
static void cut_hint(const char *text, char ret[static REPLY_TEXT_SIZE]) {
        char *hint;

        (void)snprintf(ret, REPLY_TEXT_SIZE, "%s", text);
        hint = strstr(ret, DIAGNOSIS_HINT);
        if (hint)
                *hint = '\0';
}

void lease_fail(struct lease *lease, enum reply_type type, const char *text) {
        char for_user[REPLY_TEXT_SIZE];
        const struct lease_waiter waiter = lease->waiter;

        const char *what = type == REPLY_NO_CONTAINER ? "container in seat" : "seat";

        if (lease_is_entered(lease))
                lease_log_query(lease->table, lease->record.uid, "No %s %s for %s (%s): %s", what,
                        lease->record.seat, lease->record.user, lease->record.service, text);
        else
                log_error("No %s %s for %s (%s): %s", what, lease->record.seat, lease->record.user,
                        lease->record.service, text);
        if (lease->pass_namespace)
                cut_hint(text, for_user);
        else
                (void)snprintf(for_user, sizeof(for_user), "%s", text);
        lease_end(lease);
        lease_waiter_answer(&waiter, type, for_user);
}

void lease_abandon(struct lease *lease) {
        static const char format[] = "%s (%s, process %ld) hung up before it had seat %s; its lease ends";

        if (lease_is_entered(lease))
                lease_log_query(lease->table, lease->record.uid, format, lease->record.user,
                        lease->record.service, (long)lease->record.opener, lease->record.seat);
        else
                log_warning(format, lease->record.user, lease->record.service, (long)lease->record.opener,
                        lease->record.seat);
        lease_untie(lease);
        lease_end(lease);
}

void lease_confirm(struct lease *lease) {
        lease_untie(lease);
}

bool lease_waits_for_container(const struct lease *lease) {
        if (!lease->wait_container)
                return false;
        for (size_t i = 0; i < lease->services.n_units; i++)
                if (string_equal(lease->services.units[i], SERVICE_CONTAINER))
                        return true;
        return false;
}

/* Its opener knows that it has it. */
static bool lease_answered(const struct lease *lease) {
        return lease->state == LEASE_ACTIVE || (lease->state == LEASE_STARTING && lease->record.no_wait);
}

struct lease *lease_find_for_close(struct lease_table *table, const struct request *request, pid_t peer) {
        struct lease *lease, *next;

        if (request->lease[0])
                return lease_find(table, request->lease);

        /* Leases of one process, service and user are alike: any will do. */
        HASH_ITER (hh, table->leases, lease, next)
                if (lease_answered(lease) && !lease->opener_dead && lease->record.opener == peer &&
                        string_equal(lease->record.user, request->user) &&
                        string_equal(lease->record.service, request->service))
                        return lease;
        return NULL;
}

static void handle_gone(struct lease *lease) {
        struct lease_table *table = lease->table;
        struct seats *seats = table->seats;
        char seat[SEAT_ID_SIZE];
        uid_t uid = lease->record.uid;

        if (lease->state == LEASE_STARTING) {
                lease_retry(lease);
                return;
        }
        if (lease->state == LEASE_ACTIVE) {
                lease_log(lease, LEASE_TAKEN);
                tell_user(lease, "was stopped");
        } else if (lease->state == LEASE_LINGERING)
                log_linger_over(lease);
        (void)string_copy(seat, sizeof(seat), lease->record.seat);
        lease_free(lease);
        failed_units_reset_user(seats, uid);
        if (!lease_seat_has_one(table, seat)) {
                starting_units_stop(seats, seat, uid);
                empty_seat_tidy_later(seats, seat);
        }
}

static void ask_whether_gone(struct lease *lease);

static int handle_ask_again(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        ask_whether_gone(lease);
        return 0;
}

static void ask_later(struct lease *lease) {
        if (!lease->deadline_source)
                (void)sd_event_add_time_relative(lease->table->event, &lease->deadline_source,
                        CLOCK_MONOTONIC, RETRY_USEC, 0, handle_ask_again, lease);
}

static void handle_gone_answer(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct lease *lease = userdata;

        if (error < 0)
                ask_later(lease);
        else if (n_rows == 0 || (string_equal(rows[0].active_state, "inactive") && rows[0].job == 0))
                handle_gone(lease);
}

/* At a daemon-reload systemd removes all its units, to make them anew at once: so it is asked. */
static void ask_whether_gone(struct lease *lease) {
        char name[LEASE_UNIT_SIZE];
        const char *unit = name;
        int r;

        lease_unit_name(lease, name);
        r = unit_list(lease->table->bus, &unit, 1, handle_gone_answer, lease, &lease->gone_call);
        if (r < 0)
                ask_later(lease);
}

static void handle_unit_removed(void *userdata, const char *unit) {
        struct lease_table *table = userdata;
        struct lease *lease, *next;
        char name[LEASE_UNIT_SIZE];

        if (!string_starts_with(unit, "coursenet-"))
                return;
        HASH_ITER (hh, table->leases, lease, next) {
                lease_unit_name(lease, name);
                /* While it starts, the end of its job tells more, unless it was that which made it go. */
                if (string_equal(name, unit) && (lease->state != LEASE_STARTING || lease->retry))
                        ask_whether_gone(lease);
        }
}

/* --- the opener's death ----------------------------------------------------------------------------------
 */

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

        if (answer == LEADER_NONE)
                lease_close(lease);
        else if (answer == LEADER_UNKNOWN && !lease->deadline_source)
                (void)sd_event_add_time_relative(lease->table->event, &lease->deadline_source,
                        CLOCK_MONOTONIC, RETRY_USEC, 0, handle_leader_retry, lease);
}

void lease_check_opener(struct lease *lease) {
        int r;

        if (!lease->opener_dead || lease->state != LEASE_ACTIVE || lease->leader_search)
                return;
        r = logind_find_leader(lease->table->bus, lease->record.uid, lease->record.opener,
                handle_leader_answer, lease, &lease->leader_search);
        if (r < 0)
                handle_leader_answer(lease, LEADER_UNKNOWN);
}

/* A session has ended: leases whose opener died before it wait for just that. */
static void handle_session_removed(void *userdata) {
        struct lease_table *table = userdata;
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                lease_check_opener(lease);
}

int lease_subscribe(struct lease_table *table) {
        int r;

        r = units_on_job_removed(table->bus, lease_job_removed, table);
        if (r >= 0)
                r = units_on_removed(table->bus, handle_unit_removed, table);
        return r < 0 ? r : logind_on_session_removed(table->bus, handle_session_removed, table);
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
        r = sd_event_add_io(lease->table->event, &lease->death_source, pidfd, EPOLLIN, handle_death, lease);
        if (r >= 0)
                r = sd_event_source_set_priority(lease->death_source, PRIORITY_DEATH);
        return r;
}

void lease_fill_reply(const struct lease *lease, enum reply_type type, struct reply *ret) {
        reply_init(ret, type);
        ret->uid = lease->record.uid;
        ret->pid = lease->record.hold ? 0 : lease->record.opener;
        ret->since_usec = lease->record.since_usec;
        ret->address = lease->record.address.ip;
        ret->prefix = lease->record.address.prefix;
        (void)string_copy(ret->lease, sizeof(ret->lease), lease->record.id);
        (void)string_copy(ret->course, sizeof(ret->course), lease->record.course);
        (void)string_copy(ret->seat, sizeof(ret->seat), lease->record.seat);
        (void)string_copy(ret->user, sizeof(ret->user), lease->record.user);
        (void)string_copy(ret->service, sizeof(ret->service), lease->record.service);
        (void)string_copy(ret->tty, sizeof(ret->tty), lease->record.tty);
        (void)string_copy(ret->remote_host, sizeof(ret->remote_host), lease->record.remote_host);
}
