/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The events, the timers and the memory of a lease. For an event it looks up the row in lease-machine.c, sets
 * the next state and does the actions in their order. Events are raised by lease-request.c, by
 * lease-startup.c and by the callbacks of timers, calls and watches.
 *
 * What always holds: a lease handles one event after the other. When an action raises EVENT_FAULT, the
 * actions behind it in the list are not done.
 */

#include "lease-object.h"
#include "base/log.h"

#define BIT(event) (UINT64_C(1) << (event))
_Static_assert(_LEASE_EVENT_MAX <= 64, "lease->raised has a bit for each event");

/* --- memory ---------------------------------------------------------------------------------- */

struct lease *lease_new(struct lease_table *table, const struct lease_record *record, int pidfd,
        const lease_action_t *actions) {
        struct lease *lease = calloc(1, sizeof(*lease));

        if (!lease) {
                close_pointer(&pidfd);
                return NULL;
        }
        lease->table = table;
        lease->record = *record;
        lease->pidfd = pidfd;
        lease->actions = actions;
        HASH_ADD_STR(table->leases, record.id, lease);
        return lease;
}

void lease_free(struct lease *lease) {
        HASH_DEL(lease->table->leases, lease);
        free(lease->reason);
        free(lease);
}

bool lease_is_entered(const struct lease *lease) {
        return string_equal(lease->record.service, ENTER_SERVICE);
}

/* --- timers ---------------------------------------------------------------------------------- */

static const struct {
        enum lease_event event;
        clockid_t clock;        /* CLOCK_BOOTTIME counts the time that the host sleeps */
        uint64_t accuracy_usec; /* 0: sd_event_add_time(3)'s own */
        bool needed;            /* without it the lease would have no end */
} timers[] = {
        [TIMER_DEADLINE] = {EVENT_DEADLINE, CLOCK_MONOTONIC, 0, true},
        [TIMER_SEAT] = {EVENT_SEAT_TIMER, CLOCK_MONOTONIC, 1000, false},
        [TIMER_LEADER] = {EVENT_LEADER_TIMER, CLOCK_MONOTONIC, 0, false},
        [TIMER_NAMESPACE] = {EVENT_NAMESPACE_TIMER, CLOCK_MONOTONIC, 0, false},
        [TIMER_LINGER] = {EVENT_LINGER_OVER, CLOCK_BOOTTIME, 0, true},
        [TIMER_KEEP] = {EVENT_KEEP_OVER, CLOCK_BOOTTIME, 0, true},
        [TIMER_LOOK] = {EVENT_LOOK_TIMER, CLOCK_MONOTONIC, 1000, true},
        [TIMER_GONE] = {EVENT_GONE_TIMER, CLOCK_MONOTONIC, 0, false},
        [TIMER_STOP] = {EVENT_STOP_TIMER, CLOCK_MONOTONIC, 0, false},
};

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease_timer *timer = userdata;

        (void)source;
        (void)usec;
        timer->source = sd_event_source_disable_unref(timer->source);
        lease_raise(timer->lease, timers[timer - timer->lease->timers].event);
        return 0;
}

void lease_stop_timer(struct lease *lease, enum lease_timer_purpose purpose) {
        struct lease_timer *timer = &lease->timers[purpose];

        timer->source = sd_event_source_disable_unref(timer->source);
}

void lease_set_timer(struct lease *lease, enum lease_timer_purpose purpose, uint64_t usec) {
        struct lease_timer *timer = &lease->timers[purpose];
        char reason[128];
        int r;

        lease_stop_timer(lease, purpose);
        timer->lease = lease;
        r = sd_event_add_time_relative(lease->table->event, &timer->source, timers[purpose].clock, usec,
                timers[purpose].accuracy_usec, handle_time, timer);
        if (r >= 0)
                return;
        (void)snprintf(reason, sizeof(reason), "no timer can be set: %s", strerror(-r));
        log_error("Lease %s of seat %s: %s", lease->record.id, lease->record.seat, reason);
        if (timers[purpose].needed)
                lease_raise_fault(lease, EVENT_FAULT, reason);
}

/* --- events ---------------------------------------------------------------------------------- */

/* False: the lease has been freed. */
static bool step(struct lease *lease, enum lease_event event) {
        const struct lease_row *row = lease_machine_row(lease->state, event);

        if (row->next == LEASE_NEVER) {
                log_error("Lease %s: %s is ignored, because it is impossible in %s: %s", lease->record.id,
                        lease_event_name(event), lease_state_name(lease->state), row->why);
                return true;
        }
        if (row->next != LEASE_SAME)
                lease->state = row->next;
        for (size_t i = 0; row->actions[i] != DO_NOTHING; i++) {
                lease->actions[row->actions[i]](lease);
                if (row->actions[i] == DO_FREE || row->actions[i] == DO_FORGET)
                        return false;
                if (lease->raised & BIT(EVENT_FAULT))
                        break;
        }
        return true;
}

/* Those that an action raises are handled in the order of the list of events. */
static enum lease_event take_raised(struct lease *lease) {
        unsigned event = 0;

        while (!(lease->raised & BIT(event)))
                event++;
        lease->raised &= ~BIT(event);
        return (enum lease_event)event;
}

void lease_raise(struct lease *lease, enum lease_event event) {
        lease->raised |= BIT(event);
        if (lease->handling)
                return;
        lease->handling = true;
        while (lease->raised)
                if (!step(lease, take_raised(lease)))
                        return;
        lease->handling = false;
}

void lease_raise_fault(struct lease *lease, enum lease_event event, const char *reason) {
        free(lease->reason);
        lease->reason = strdup(reason);
        lease_raise(lease, event);
}
