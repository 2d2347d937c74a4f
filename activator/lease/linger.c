/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decides at a seat's last logout whether the seat stays, and until when. */

#include <sys/inotify.h>

#include "base/log.h"
#include "base/record-store.h"
#include "base/seat-lookup.h"
#include "lease-event.h"
#include "linger.h"

/*
 * A login's own processes are still ending when it closes its lease. A process that runs a second later was
 * left on purpose: only then the log and `coursenetctl status` say that the seat is kept.
 */
#define SETTLE_USEC USEC_PER_SEC

/* No event tells that a process has ended while others that do not count stay in its control group. */
#define LOOK_USEC (20 * USEC_PER_SEC)

/* After an event. A student can make many of them, so each look doubles the wait for the next one. */
#define DELAY_MIN_USEC (10 * UINT64_C(1000))
#define DELAY_MAX_USEC USEC_PER_SEC

static bool is_login(const struct lease *lease) {
        return !lease->record.hold && !lease_is_entered(lease);
}

void linger_fill_reply(const struct lease *lease, struct reply *ret) {
        lease_fill_reply(lease, REPLY_KEPT, ret);
        ret->pid = 0;
        if (!lease->linger_told || lease->keeper.pid == 0)
                return;
        ret->pid = lease->keeper.pid;
        ret->since_usec = lease->record.keep_until_usec;
        protocol_copy_text(ret->tty, sizeof(ret->tty), lease->keeper.unit);
        protocol_copy_text(ret->text, sizeof(ret->text), lease->keeper.command);
}

void linger_drop(struct lease *lease) {
        lease->look_source = sd_event_source_disable_unref(lease->look_source);
        lease->keeper_source = sd_event_source_disable_unref(lease->keeper_source);
}

static void tell(struct lease *lease) {
        if (!lease->linger_told)
                lease_log(lease, LEASE_LINGERS);
        lease->linger_told = true;
}

static bool look(struct lease *lease) {
        struct seat_plan plan;

        seat_plan_name(lease->record.seat, &plan);
        return keeper_find(&keeper_roots, lease->record.uid, plan.peer, &lease->keeper);
}

static int schedule_look(struct lease *lease, uint64_t usec);

static int handle_group_event(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)event;
        linger_look_soon(lease);
        return 0;
}

/* It makes no difference whether the group was gone already: then the next look comes soon. */
static void watch_group(struct lease *lease) {
        int r;

        lease->keeper_source = sd_event_source_disable_unref(lease->keeper_source);
        r = sd_event_add_inotify(lease->table->event, &lease->keeper_source, lease->keeper.events,
                IN_MODIFY | IN_DELETE_SELF, handle_group_event, lease);
        if (r == -ENOENT)
                linger_look_soon(lease);
}

/* The seat is kept, as far as is known: waits for the next reason to look. */
static void wait_for_keeper(struct lease *lease) {
        int r = schedule_look(lease, lease->linger_told ? LOOK_USEC : SETTLE_USEC);

        if (r < 0) {
                log_error("Cannot watch what keeps seat %s: %s", lease->record.seat, strerror(-r));
                lease_end(lease);
                return;
        }
        watch_group(lease);
}

static int handle_look(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        lease->look_source = sd_event_source_disable_unref(lease->look_source);
        if (!look(lease)) {
                lease_end(lease);
                return 0;
        }
        if (now_realtime_usec() >= lease->record.linger_until_usec + SETTLE_USEC)
                tell(lease);
        wait_for_keeper(lease);
        return 0;
}

static int schedule_look(struct lease *lease, uint64_t usec) {
        lease->look_source = sd_event_source_disable_unref(lease->look_source);
        return sd_event_add_time_relative(
                lease->table->event, &lease->look_source, CLOCK_MONOTONIC, usec, 1000, handle_look, lease);
}

void linger_look_soon(struct lease *lease) {
        /* Before its linger= is over it stays in any case. */
        if (lease->state != LEASE_LINGERING || !lease->look_source)
                return;
        if (lease->look_delay_usec < DELAY_MIN_USEC)
                lease->look_delay_usec = DELAY_MIN_USEC;
        lease->keeper_source = sd_event_source_disable_unref(lease->keeper_source);
        (void)schedule_look(lease, lease->look_delay_usec);
        lease->look_delay_usec *= 2;
        if (lease->look_delay_usec > DELAY_MAX_USEC)
                lease->look_delay_usec = DELAY_MAX_USEC;
}

static int handle_keep_over(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        log_notice("Seat %s of %s is not kept any longer, because leftover-max is over", lease->record.seat,
                lease->record.user);
        lease_end(lease);
        return 0;
}

static int set_deadline(struct lease *lease, uint64_t until_usec, sd_event_time_handler_t handler) {
        uint64_t now = now_realtime_usec();

        lease->deadline_source = sd_event_source_disable_unref(lease->deadline_source);
        return sd_event_add_time_relative(lease->table->event, &lease->deadline_source, CLOCK_BOOTTIME,
                until_usec > now ? until_usec - now : 0, 0, handler, lease);
}

/* linger= is over: the seat stays if something runs in it. */
static int handle_linger_over(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)usec;
        if (lease->record.keep_until_usec <= now_realtime_usec() || !look(lease) ||
                set_deadline(lease, lease->record.keep_until_usec, handle_keep_over) < 0)
                lease_end(lease);
        else
                wait_for_keeper(lease);
        return 0;
}

int linger_resume(struct lease *lease) {
        lease->state = LEASE_LINGERING;
        lease->linger_told = true;
        return set_deadline(lease, lease->record.linger_until_usec, handle_linger_over);
}

/* Whether the seat has another lease of that kind. */
static bool has_other(const struct lease *lease, bool hold) {
        struct lease *other, *next;

        HASH_ITER (hh, lease->table->leases, other, next)
                if (other != lease && other->state == LEASE_ACTIVE && other->record.hold == hold &&
                        string_equal(other->record.seat, lease->record.seat))
                        return true;
        return false;
}

/* A login has ended, and coursenet-enter still has the seat: how long it may be kept after that, too. */
static void pass_on(const struct lease *lease) {
        struct lease *other, *next;

        HASH_ITER (hh, lease->table->leases, other, next) {
                if (other == lease || other->state != LEASE_ACTIVE || other->record.hold || is_login(other) ||
                        !string_equal(other->record.seat, lease->record.seat))
                        continue;
                other->record.keep_until_usec = lease->record.keep_until_usec;
                (void)record_store_save(STATE_DIRECTORY, &other->record);
        }
}

static int begin(struct lease *lease, unsigned linger_seconds) {
        int r;

        lease->state = LEASE_LINGERING;
        if (linger_seconds > 0) {
                tell(lease);
                r = set_deadline(lease, lease->record.linger_until_usec, handle_linger_over);
        } else {
                r = set_deadline(lease, lease->record.keep_until_usec, handle_keep_over);
                if (r >= 0)
                        wait_for_keeper(lease);
        }
        return r < 0 || lease->state != LEASE_LINGERING ? r
                                                        : record_store_save(STATE_DIRECTORY, &lease->record);
}

bool linger_begin(struct lease *lease) {
        uint64_t now = now_realtime_usec();
        struct after_logout after;

        seat_after_logout(lease->table->etc, lease->record.course, &after);
        if (after.keep_seconds == 0)
                lease->record.keep_until_usec = 0;
        else if (is_login(lease))
                lease->record.keep_until_usec = now + after.keep_seconds * USEC_PER_SEC;
        if (has_other(lease, false)) {
                if (is_login(lease))
                        pass_on(lease);
                return false;
        }
        /* During a hold linger= has no effect, but a process may have to keep the seat after the hold. */
        if (has_other(lease, true))
                after.linger_seconds = 0;
        lease->record.linger_until_usec = now + after.linger_seconds * USEC_PER_SEC;
        if (after.linger_seconds == 0 && (lease->record.keep_until_usec <= now || !look(lease)))
                return false;

        lease_let_go(lease);
        return begin(lease, after.linger_seconds) >= 0;
}

void linger_take_over(struct lease *lease) {
        struct lease *other, *next;

        if (lease->record.hold)
                return;
        HASH_ITER (hh, lease->table->leases, other, next) {
                if (other->state != LEASE_LINGERING || !string_equal(other->record.seat, lease->record.seat))
                        continue;
                if (!is_login(lease) && other->record.keep_until_usec > lease->record.keep_until_usec) {
                        lease->record.keep_until_usec = other->record.keep_until_usec;
                        (void)record_store_save(STATE_DIRECTORY, &lease->record);
                }
                lease_end(other);
        }
}
