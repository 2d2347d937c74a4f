/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Decides at the last logout of a seat whether the seat stays (linger=, leftover = keep), and checks later
 * whether a process still keeps it. It raises events; lease-machine.c decides what follows. lease-run.c calls
 * these functions as actions.
 */

#include <sys/inotify.h>

#include "base/event.h"
#include "base/log.h"
#include "lease-object.h"
#include "lease-table.h"
#include "linger.h"

/*
 * A login's own processes are still ending when it closes its lease. A process that runs a second later was
 * left on purpose: only then the log and `coursenetctl status` say that the seat is kept.
 */
#define SETTLE_USEC USEC_PER_SEC

/*
 * There is no event when a process ends while other processes, which do not count, stay in its control group.
 */
#define LOOK_USEC (20 * USEC_PER_SEC)

/*
 * The wait for a look after an event. A student can make many events, so each look doubles the wait for the
 * next.
 */
#define DELAY_MIN_USEC (10 * UINT64_C(1000))
#define DELAY_MAX_USEC USEC_PER_SEC

static bool is_login(const struct lease *lease) {
        return !lease->record.hold && !lease_is_entered(lease);
}

static bool is_on_same_seat(const struct lease *lease, const struct lease *other) {
        return string_equal(lease->record.seat, other->record.seat);
}

/* Another lease's record; its own is saved as an action. */
static void save(const struct lease *lease) {
        int r = record_store_save(lease->table->state_directory, &lease->record);

        if (r < 0)
                log_warning("How long lease %s may keep seat %s cannot be recorded: %s", lease->record.id,
                        lease->record.seat, strerror(-r));
}

/* --- what keeps the seat --------------------------------------------------------------------- */

static bool find_keeper(struct lease *lease) {
        struct seat_plan plan;

        seat_plan_name(lease->record.seat, &plan);
        return keeper_find(&keeper_roots, lease->record.uid, plan.peer, &lease->keeper);
}

void linger_look(struct lease *lease) {
        uint64_t now = now_realtime_usec();

        if (lease->record.keep_until_usec <= now || !find_keeper(lease))
                lease_raise(lease, EVENT_KEEPER_NONE);
        else if (now < lease->record.linger_until_usec + SETTLE_USEC)
                lease_raise(lease, EVENT_KEEPER_FRESH);
        else
                lease_raise(lease, EVENT_KEEPER_FOUND);
}

void linger_look_settled(struct lease *lease) {
        lease_set_timer(lease, TIMER_LOOK, SETTLE_USEC);
}

void linger_look_later(struct lease *lease) {
        lease_set_timer(lease, TIMER_LOOK, LOOK_USEC);
}

void linger_look_soon(struct lease *lease) {
        if (lease->look_delay_usec < DELAY_MIN_USEC)
                lease->look_delay_usec = DELAY_MIN_USEC;
        lease->group_watch = sd_event_source_disable_unref(lease->group_watch);
        lease_set_timer(lease, TIMER_LOOK, lease->look_delay_usec);
        lease->look_delay_usec *= 2;
        if (lease->look_delay_usec > DELAY_MAX_USEC)
                lease->look_delay_usec = DELAY_MAX_USEC;
}

static int handle_group_event(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        (void)source;
        (void)event;
        lease_raise(userdata, EVENT_GROUP_CHANGED);
        return 0;
}

/*
 * If the group is gone already, that counts as a change. If it cannot be watched, the regular look remains.
 */
void linger_watch_group(struct lease *lease) {
        int r;

        lease->group_watch = sd_event_source_disable_unref(lease->group_watch);
        r = sd_event_add_inotify(lease->table->event, &lease->group_watch, lease->keeper.events,
                IN_MODIFY | IN_DELETE_SELF, handle_group_event, lease);
        if (r == -ENOENT)
                lease_raise(lease, EVENT_GROUP_CHANGED);
}

/* --- for how long ---------------------------------------------------------------------------- */

static uint64_t time_until(uint64_t until_usec) {
        uint64_t now = now_realtime_usec();

        return until_usec > now ? until_usec - now : 0;
}

void linger_set_timer(struct lease *lease) {
        lease_set_timer(lease, TIMER_LINGER, time_until(lease->record.linger_until_usec));
}

void linger_set_keep_timer(struct lease *lease) {
        lease_set_timer(lease, TIMER_KEEP, time_until(lease->record.keep_until_usec));
}

/* --- at a logout ----------------------------------------------------------------------------- */

static void pass_on(struct lease *other, void *userdata) {
        const struct lease *lease = userdata;

        if (other == lease || !is_on_same_seat(other, lease) || !lease_is_active(other) ||
                other->record.hold || is_login(other))
                return;
        other->record.keep_until_usec = lease->record.keep_until_usec;
        save(other);
}

/* Until when the seat may be kept after this logout. Returns the seconds of linger=. */
static unsigned find_times(struct lease *lease) {
        uint64_t now = now_realtime_usec();
        struct after_logout after;

        seat_after_logout(lease->table->settings, lease->record.course, &after);
        if (after.keep_seconds == 0)
                lease->record.keep_until_usec = 0;
        else if (is_login(lease))
                lease->record.keep_until_usec = now + after.keep_seconds * USEC_PER_SEC;
        /* During a hold linger= has no effect, but a process may have to keep the seat after the hold. */
        if (lease_table_has_other_hold(lease))
                after.linger_seconds = 0;
        lease->record.linger_until_usec = now + after.linger_seconds * USEC_PER_SEC;
        return after.linger_seconds;
}

void linger_decide(struct lease *lease) {
        unsigned linger_seconds = find_times(lease);

        if (lease_table_has_other_login(lease)) {
                /* coursenet-enter has the seat: how long it may be kept after that. */
                if (is_login(lease))
                        lease_table_each(lease->table, pass_on, lease);
                lease_raise(lease, EVENT_NOT_KEPT);
        } else if (linger_seconds > 0)
                lease_raise(lease, EVENT_LINGERS);
        else if (lease->record.keep_until_usec > now_realtime_usec() && find_keeper(lease))
                lease_raise(lease, EVENT_KEEPS);
        else
                lease_raise(lease, EVENT_NOT_KEPT);
}

/* --- at a login ------------------------------------------------------------------------------ */

static void take_over(struct lease *other, void *userdata) {
        struct lease *lease = userdata;

        if (!is_on_same_seat(other, lease) || !lease_lingers(other))
                return;
        if (!is_login(lease) && other->record.keep_until_usec > lease->record.keep_until_usec) {
                lease->record.keep_until_usec = other->record.keep_until_usec;
                save(lease);
        }
        lease_raise(other, EVENT_TAKEN_OVER);
}

void linger_take_over(struct lease *lease) {
        lease_table_each(lease->table, take_over, lease);
}

void linger_drop(struct lease *lease) {
        lease->group_watch = sd_event_source_disable_unref(lease->group_watch);
}
