/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Turns a request into a new lease, or into an event of an existing one. This file decides who may have a
 * lease of which seat, and what its record says of the owner. lease-machine.c decides what happens to it. The
 * activator's requests call these functions.
 */

#include <inttypes.h>
#include <sys/random.h>

#include "base/event.h"
#include "base/log.h"
#include "base/peer.h"
#include "base/seat-owner.h"
#include "hosts.h"
#include "lease-answer.h"
#include "lease-limit.h"
#include "lease-log.h"
#include "lease-request.h"
#include "lease-run.h"
#include "lease-table.h"
#include "run-files.h"
#include "seat-claim.h"
#include "seat/seats.h"

/* --- a new lease ----------------------------------------------------------------------------- */

void lease_answer_text(const struct lease_waiter *waiter, enum reply_type type, const char *text) {
        struct reply reply;

        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        waiter->answer(waiter->userdata, &reply, -1);
}

static void refuse(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, enum reply_type type, enum refusal reason, const char *text) {
        char line[REPLY_TEXT_SIZE + USER_NAME_SIZE + 128];

        (void)snprintf(line, sizeof(line), "No seat for %s (%s): %s", request->user, request->service, text);
        lease_log_refusal(table, request->type == REQUEST_ENTER, request->uid, reason, line);
        lease_answer_text(waiter, type, text);
}

/* The seat, so that `systemctl` shows it, and a random number. */
static int make_id(const char *seat, char ret_id[static LEASE_ID_SIZE]) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -EIO;
        (void)snprintf(ret_id, LEASE_ID_SIZE, "%s_%016" PRIx64, seat, random);
        return 0;
}

static const char *service_of(const struct request *request) {
        return request->type == REQUEST_HOLD && !request->service[0] ? HOLD_SERVICE : request->service;
}

static void fill_record(
        struct lease_record *record, const struct request *request, const struct seat_plan *seat) {
        bool hold = request->type == REQUEST_HOLD;

        (void)string_copy(record->user, sizeof(record->user), request->user);
        (void)string_copy(record->course, sizeof(record->course), seat->id.course);
        (void)string_copy(record->seat, sizeof(record->seat), seat->name);
        (void)string_copy(record->service, sizeof(record->service), service_of(request));
        (void)string_copy(record->token, sizeof(record->token), request->lease);
        (void)string_copy(record->tty, sizeof(record->tty), request->tty);
        (void)string_copy(record->remote_host, sizeof(record->remote_host), request->remote_host);
        record->address = seat->address;
        record->address6 = seat->address6;
        record->hold = hold;
        /* A hold is root's: no user sees it as their own. */
        record->uid = hold ? (uid_t)-1 : request->uid;
        record->no_wait = request->flags & REQUEST_NO_WAIT;
        record->since_usec = now_realtime_usec();
        record->starting = true;
}

static enum lease_source source_of(const struct request *request) {
        if (request->type == REQUEST_HOLD)
                return LEASE_BY_ADMIN;
        return request->type == REQUEST_ENTER ? LEASE_BY_ENTER : LEASE_BY_LOGIN;
}

/*
 * The number of a seat that is up, or was a moment ago, may go to another student: two students must not be
 * in one namespace.
 */
static bool is_free(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct seat_plan *seat) {
        char text[REPLY_TEXT_SIZE];

        /* A student may read these, so they do not name the other one. */
        if (lease_table_has_other_user(table, seat->name, request->user))
                (void)snprintf(text, sizeof(text),
                        "the roster gives this user seat %s, but its former user still has it: coursenetctl "
                        "stop %s",
                        seat->name, seat->name);
        else if (seat_owner_is_other(table->seats->owner_directory, seat->name, request->user))
                (void)snprintf(text, sizeof(text),
                        "the roster gives this user seat %s, but the network of its former user is still "
                        "there; if it does not go by itself: systemctl stop netns@%s; ip netns delete ns%s",
                        seat->name, seat->name, seat->name);
        else
                return true;
        refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_SEAT_TAKEN, text);
        return false;
}

/* The reason for the reply of seat_lookup(). */
static enum refusal refusal_of_lookup(enum reply_type type) {
        if (type == REPLY_NO_NAME)
                return REFUSAL_NAME;
        return type == REPLY_NO_SEAT ? REFUSAL_NOT_IN_ROSTER : REFUSAL_SETTINGS;
}

/* Only the seats that this server has already. */
static bool is_welcome(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct found_seat *seat) {
        char others[HOST_MEMBER_NAME_SIZE * 8], text[REPLY_TEXT_SIZE];

        if (!seat->shared || lease_table_keeps_seat(table, seat->plan.name) ||
                access(HOSTS_DRAINED_FILE, F_OK) < 0)
                return true;
        seat_claim_read_drained(others, sizeof(others));
        (void)snprintf(text, sizeof(text),
                "This server gets no new seats at the moment. Please log in on another one%s%s.",
                others[0] ? ": " : "", others);
        refuse(table, waiter, request, REPLY_NOT_HERE, REFUSAL_DRAINED, text);
        return false;
}

/* The user's seat, if the user may have a lease of it. False: the waiter has been refused. */
static bool find_seat(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, struct found_seat *ret) {
        char text[REPLY_TEXT_SIZE];
        enum reply_type type;
        const char *limit;

        if (request->type == REQUEST_OPEN && request->uid == 0) {
                refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_NAME, "this account is root's");
                return false;
        }
        if (!seat_lookup(table->settings, request->user, request->type != REQUEST_ENTER, ret, &type, text)) {
                refuse(table, waiter, request, type, refusal_of_lookup(type), text);
                return false;
        }
        limit = lease_limit_check(table, request->uid, source_of(request));
        if (limit)
                refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_LIMIT, limit);
        return !limit && is_free(table, waiter, request, &ret->plan) &&
               is_welcome(table, waiter, request, ret);
}

/* In the table, with all that is known of it. opener: NULL for a hold. Takes pidfd. Negative errno. */
static int make_lease(struct lease_table *table, const struct request *request, const struct found_seat *seat,
        const struct ucred *opener, int pidfd, struct lease **ret) {
        _cleanup_close_ int owned = pidfd;
        bool starts = !lease_table_keeps_seat(table, seat->plan.name);
        struct lease_record record = {0};
        struct lease *lease;
        int r;

        fill_record(&record, request, &seat->plan);
        r = make_id(seat->plan.name, record.id);
        if (r >= 0 && opener) {
                record.opener = opener->pid;
                r = peer_start_time(opener->pid, &record.opener_start);
        }
        if (r < 0)
                return r;
        owned = -1;
        lease = lease_new(table, &record, pidfd, lease_run_actions);
        if (!lease)
                return -ENOMEM;
        lease->services = seat->services;
        (void)string_copy(lease->bridge_course, sizeof(lease->bridge_course), seat->plan.bridge_course);
        lease->wait_container = request->flags & REQUEST_WAIT_CONTAINER;
        lease->pass_namespace = request->type == REQUEST_ENTER;
        lease->timeout_ms = request->timeout_ms;
        lease->begun_usec = starts ? now_monotonic_usec() : 0;
        *ret = lease;
        return 0;
}

/* Without it only a student who gets the number of this seat at its end would be let in too early. */
static void note_owner(const struct lease *lease) {
        int r = seat_owner_note(lease->table->seats->owner_directory, lease->record.seat, lease->record.user);

        if (r < 0)
                log_warning("Who has seat %s cannot be recorded: %s", lease->record.seat, strerror(-r));
}

static void handle_claimed(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *opener, int pidfd);

static void format_since(uint64_t usec, char *ret, size_t size) {
        time_t since = (time_t)(usec / USEC_PER_SEC), now = (time_t)(now_realtime_usec() / USEC_PER_SEC);
        struct tm then = {0};

        (void)localtime_r(&since, &then);
        (void)strftime(ret, size, now - since < 12 * 3600 ? "%H:%M" : "%Y-%m-%d %H:%M", &then);
}

/* The student, or who wants to hold the seat, reads where to go. */
static void refuse_elsewhere(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct hosts_reply *reply) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        char since[32], hint[HANDOVER_SIZE + USER_NAME_SIZE] = "", text[REPLY_TEXT_SIZE];
        const struct settings *settings;

        if (settings_cache_load(table->settings, &settings, &diagnostics) >= 0)
                hosts_handover(settings, request->user, reply->member, hint, sizeof(hint));
        format_since(reply->since_usec, since, sizeof(since));
        if (request->type == REQUEST_HOLD)
                (void)snprintf(text, sizeof(text),
                        "The seat is live on %s since %s. There: coursenetctl start %s", reply->member, since,
                        request->user);
        else
                (void)snprintf(text, sizeof(text),
                        "Your seat has been in use on %s since %s. Please log in there%s%s", reply->member,
                        since, hint[0] ? ": " : ", or log out there first.", hint);
        refuse(table, waiter, request, REPLY_NOT_HERE, REFUSAL_ELSEWHERE, text);
}

/* The log has what is wrong; the student cannot change it. */
static void handle_unclaimed(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct hosts_reply *reply) {
        char line[REPLY_TEXT_SIZE + USER_NAME_SIZE + 128];
        bool differs = reply->reason == HOSTS_OTHER_USER;

        if (reply->type == HOSTS_ELSEWHERE) {
                refuse_elsewhere(table, waiter, request, reply);
                return;
        }
        if (differs) {
                refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_SEAT_TAKEN, reply->text);
                return;
        }
        (void)snprintf(
                line, sizeof(line), "No seat for %s (%s): %s", request->user, request->service, reply->text);
        lease_log_refusal(table, request->type == REQUEST_ENTER, request->uid, REFUSAL_CUT_OFF, line);
        lease_answer_text(waiter, REPLY_NOT_HERE,
                "This server has lost contact with the others, and cannot start your seat. Please log in on "
                "another one, or tell your course staff.");
}

/* Nobody reads the answer to a process that has ended, and it was no mistake of a program. */
static void refuse_dead(
        const struct lease_waiter *waiter, const struct request *request, const struct ucred *opener) {
        /* Everybody may ask for REQUEST_ENTER, as often as they like. */
        if (request->type != REQUEST_ENTER)
                log_info("%s (%s, process %ld) ended before it had a lease", request->user, request->service,
                        (long)opener->pid);
        lease_answer_text(waiter, REPLY_REFUSED, "the process that asked has ended");
}

/* Whether the request goes on later, or was refused, because the seat's course is spread. Takes pidfd then.
 */
static bool claim_first(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *opener, int pidfd, const struct seat_plan *seat) {
        int r;

        if (!seat->spread)
                return false;
        r = seat_claim_begin(
                table, seat->name, waiter, request, opener, pidfd, handle_claimed, handle_unclaimed);
        if (r < 0)
                refuse(table, waiter, request, REPLY_FAILED, REFUSAL_START_FAILED, "out of memory");
        return true;
}

/* Its first event has been handled when this returns. Takes pidfd. */
static void begin(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request,
        const struct ucred *opener, int pidfd, bool claimed) {
        char text[REPLY_TEXT_SIZE];
        struct found_seat seat;
        struct lease *lease;
        int r;

        if (!find_seat(table, waiter, request, &seat)) {
                close_pointer(&pidfd);
                return;
        }
        if (!claimed && claim_first(table, waiter, request, opener, pidfd, &seat.plan))
                return;
        r = make_lease(table, request, &seat, opener, pidfd, &lease);
        if (r == -ESRCH) {
                refuse_dead(waiter, request, opener);
                return;
        }
        if (r < 0) {
                (void)snprintf(text, sizeof(text), "the lease cannot be made: %s", strerror(-r));
                refuse(table, waiter, request, REPLY_FAILED, REFUSAL_START_FAILED, text);
                return;
        }
        note_owner(lease);
        lease_answer_tie(lease, waiter);
        seat.uid = request->uid;
        lease->seat = &seat;
        lease_raise(lease, EVENT_OPENED);
}

/* The roster may have changed meanwhile. */
static void handle_claimed(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *opener, int pidfd) {
        begin(table, waiter, request, opener, pidfd, true);
}

/* An earlier activator made a lease for this very request, and ended before it answered. */
static void repeat(struct lease *lease, const struct lease_waiter *waiter, const struct request *request) {
        char text[REPLY_TEXT_SIZE];
        struct found_seat seat;
        enum reply_type type;

        /* What the answer has to wait for is not in the record. */
        if (seat_lookup(lease->table->settings, request->user, false, &seat, &type, text))
                lease->services = seat.services;
        lease->wait_container = request->flags & REQUEST_WAIT_CONTAINER;
        lease->pass_namespace = request->type == REQUEST_ENTER;
        lease->timeout_ms = request->timeout_ms;
        lease_answer_tie(lease, waiter);
        lease_raise(lease, EVENT_REPEATED);
}

static void refuse_sender(struct lease_table *table, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *peer, int error) {
        if (error == -ESRCH)
                refuse_dead(waiter, request, peer);
        else
                refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_PROGRAM,
                        "the request came without a pidfd of its sender");
}

void lease_open(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request,
        const struct ucred *peer, int pidfd) {
        struct lease *lease;
        int r = pidfd < 0 ? -EPERM : peer_check_pidfd(pidfd, peer->pid);

        if (r < 0) {
                close_pointer(&pidfd);
                refuse_sender(table, waiter, request, peer, r);
                return;
        }
        lease = lease_table_find_unanswered(table, request->lease, request->uid, peer->pid);
        if (lease) {
                close_pointer(&pidfd);
                repeat(lease, waiter, request);
                return;
        }
        begin(table, waiter, request, peer, pidfd, false);
}

void lease_hold(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request) {
        const char *service = service_of(request);
        struct lease *lease = lease_table_find_hold(table, request->user, service);
        struct reply reply;

        if (!string_equal(service, HOLD_SERVICE) && !string_equal(service, SCHEDULE_SERVICE))
                refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_PROGRAM,
                        "a hold is of no such service");
        else if (!lease)
                begin(table, waiter, request, NULL, -1, false);
        else if (lease_is_active(lease)) {
                lease_fill_reply(lease, REPLY_DONE, &reply);
                waiter->answer(waiter->userdata, &reply, -1);
        } else
                refuse(table, waiter, request, REPLY_REFUSED, REFUSAL_SEAT_TAKEN,
                        "a hold on this seat is being started already");
}

/* --- a lease that is there ------------------------------------------------------------------------------ */

void lease_confirm(struct lease *lease) {
        lease_answer_untie(lease);
}

void lease_abandon(struct lease *lease) {
        lease_answer_untie(lease);
        lease_raise(lease, EVENT_ABANDONED);
}

void lease_close(struct lease_table *table, const struct request *request, pid_t peer) {
        struct lease *lease = request->lease[0]
                                      ? lease_table_find(table, request->lease)
                                      : lease_table_find_login(table, request->user, request->service, peer);

        if (lease)
                lease_raise(lease, EVENT_CLOSED);
}

static void stop(struct lease *lease, void *userdata) {
        unsigned *n = userdata;

        *n += lease->state != LEASE_ENDING;
        lease_raise(lease, EVENT_STOPPED);
}

struct release {
        const char *service; /* empty: any */
        unsigned n;
};

static void release(struct lease *lease, void *userdata) {
        struct release *wanted = userdata;

        if (!lease->record.hold || lease->state == LEASE_ENDING ||
                (wanted->service[0] && !string_equal(lease->record.service, wanted->service)))
                return;
        wanted->n++;
        lease_raise(lease, EVENT_CLOSED);
}

unsigned lease_release_all(struct lease_table *table, const char *target, const char *service) {
        struct release wanted = {.service = service};

        lease_table_each_of(table, target, release, &wanted);
        return wanted.n;
}

static void take(struct lease *lease, void *userdata) {
        (void)string_copy(lease->moved_to, sizeof(lease->moved_to), userdata);
        lease_raise(lease, EVENT_STOPPED);
}

void lease_take_seat(struct lease_table *table, const char *seat, const char *member) {
        char name[HOST_MEMBER_NAME_SIZE] = "another server";

        (void)string_copy(name, sizeof(name), member);
        lease_table_each_of(table, seat, take, name);
}

unsigned lease_stop_all(struct lease_table *table, const char *target) {
        unsigned n = 0;

        lease_table_each_of(table, target, stop, &n);
        return n;
}

/* What `coursenetctl status` says of a seat that stays after its last logout. */
static void fill_kept(const struct lease *lease, struct reply *ret) {
        lease_fill_reply(lease, REPLY_KEPT, ret);
        ret->pid = 0;
        if (lease->state != LEASE_KEPT)
                return;
        ret->pid = lease->keeper.pid;
        ret->since_usec = lease->record.keep_until_usec;
        protocol_copy_text(ret->tty, sizeof(ret->tty), lease->keeper.unit);
        protocol_copy_text(ret->text, sizeof(ret->text), lease->keeper.command);
}

bool lease_fill_status(const struct lease *lease, struct reply *ret) {
        if (lease_is_active(lease))
                lease_fill_reply(lease, REPLY_LEASE, ret);
        else if (lease_lingers(lease))
                fill_kept(lease, ret);
        else
                return false;
        return true;
}
