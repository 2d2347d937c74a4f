/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Throws random events at the table of lease-machine.c. Beside the table stands a model of the world: a unit
 * in systemd, an opener, a session, a process in the seat, calls that may fail, timers, a record on disk.
 * Only what can happen in that world is an event. After each event the promises of coursenet-activator(8) are
 * checked.
 *
 * COURSENET_SEED and COURSENET_EVENTS in the environment choose the sequence and its length; both are
 * printed.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lease/lease-machine.h"
#include "util.h"

#define EVENTS 1000000U
#define HISTORY 24U

/* What the lease waits for. */
enum wait {
        CALL_WIRING,
        CALL_RELOAD,
        CALL_START,
        CALL_CONTAINER,
        CALL_DIAGNOSIS,
        CALL_LEADER,
        CALL_NAMESPACE,
        CALL_GONE,
        CALL_STOP,
        TIMER_DEADLINE,
        TIMER_LEADER,
        TIMER_NAMESPACE,
        TIMER_LINGER,
        TIMER_KEEP,
        TIMER_LOOK,
        TIMER_GONE,
        TIMER_STOP,
        WATCH_OPENER,
        WATCH_GROUP,
        WAITS
};

#define BIT(wait) (1U << (wait))
#define UNIT_WAITS (BIT(CALL_GONE) | BIT(CALL_STOP) | BIT(TIMER_GONE) | BIT(TIMER_STOP))
#define START_CALLS                                                                                          \
        (BIT(CALL_WIRING) | BIT(CALL_RELOAD) | BIT(CALL_START) | BIT(CALL_CONTAINER) | BIT(CALL_DIAGNOSIS))

enum unit {
        UNIT_NONE,
        UNIT_QUEUED,
        UNIT_UP,
        UNIT_STOPPING
};

struct world {
        /* the lease */
        enum lease_state state;
        uint32_t waits;
        bool knows_job;              /* the start job that is under way is the lease's own */
        bool record, record_lingers; /* what is on disk, and whether that says that its login is over */
        bool looks_soon;
        /* its opener */
        bool hold, no_wait;
        bool waiting; /* for the answer */
        bool tied;    /* it has a connection, on which the answer may be unread */
        unsigned n_answers, n_hung_up;
        bool opener_alive;
        /* the rest */
        enum unit unit;
        bool job_under_way;                     /* a start or a stop */
        unsigned n_removed, n_sessions, n_jobs; /* signals that are on their way */
        bool session, left_behind, keeper;
        /* the test */
        enum lease_event raised[_LEASE_EVENT_MAX];
        unsigned n_raised;
        bool freed, forgotten;
        bool calm; /* nothing fails any more */
};

static struct world world;
static uint64_t seed, random_state;
static struct {
        enum lease_state state;
        enum lease_event event;
} history[HISTORY];
static unsigned n_events, n_leases;
static unsigned cells[_LEASE_STATE_MAX][_LEASE_EVENT_MAX];

/* splitmix64, by Sebastiano Vigna */
static uint64_t draw(void) {
        uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static unsigned below(unsigned n) {
        return (unsigned)(draw() % n);
}

/* Once in n times, and never when all is calm. */
static bool by_mischance(unsigned n) {
        return !world.calm && below(n) == 0;
}

static void complain(const char *promise) {
        for (unsigned i = n_events > HISTORY ? n_events - HISTORY : 0; i < n_events; i++)
                print_message("  %s: %s\n", lease_state_name(history[i % HISTORY].state),
                        lease_event_name(history[i % HISTORY].event));
        print_message("now in %s, waits %#x, unit %d, signals %u+%u+%u\n", lease_state_name(world.state),
                world.waits, (int)world.unit, world.n_removed, world.n_jobs, world.n_sessions);
        fail_msg("%s (event %u, COURSENET_SEED=%" PRIu64 ")", promise, n_events, seed);
}

static void promise(bool kept, const char *text) {
        if (!kept)
                complain(text);
}

static bool is_start(enum lease_state state) {
        return state >= LEASE_WIRING && state <= LEASE_LATE;
}

static bool is_live(enum lease_state state) {
        return state == LEASE_ACTIVE || state == LEASE_ORPHANED || state == LEASE_HOLD;
}

static bool is_after(enum lease_state state) {
        return state == LEASE_LINGERING || state == LEASE_SETTLING || state == LEASE_KEPT;
}

/* --- actions ------------------------------------------------------------------------------------------ */

static void raise_event(enum lease_event event) {
        world.raised[world.n_raised++] = event;
}

static void answer(bool yes) {
        if (!world.waiting)
                return;
        world.waiting = false;
        world.n_answers++;
        promise(yes == (is_live(world.state) || is_start(world.state)),
                "who is told yes has a lease, and who is told no has none");
        /* An answer that says no is not waited for; one that says yes may turn out not to be read. */
        if (!yes)
                world.tied = false;
}

static void let_go(void) {
        world.waits &= UNIT_WAITS;
        world.knows_job = false;
        world.n_raised = 0;
}

static void wait_for(enum wait wait, uint32_t instead_of) {
        world.waits = (world.waits & ~instead_of) | BIT(wait);
}

static void decide(void) {
        unsigned way = below(3);

        if (way == 0)
                raise_event(EVENT_LINGERS);
        else if (way == 1 && world.keeper)
                raise_event(EVENT_KEEPS);
        else
                raise_event(EVENT_NOT_KEPT);
}

static void look(void) {
        world.waits &= ~BIT(TIMER_LOOK);
        if (!world.keeper)
                raise_event(EVENT_KEEPER_NONE);
        else
                raise_event(by_mischance(2) ? EVENT_KEEPER_FRESH : EVENT_KEEPER_FOUND);
}

static void set_timer(enum wait timer) {
        world.waits |= BIT(timer);
        if (by_mischance(300))
                raise_event(EVENT_FAULT);
}

static void free_lease(void) {
        promise((world.waits & ~UNIT_WAITS) == 0, "a lease that is freed has let go of everything");
        promise(!world.record, "a lease that is freed has no record");
        promise(world.unit == UNIT_NONE, "a lease is not forgotten before its unit is gone");
        world.waits = 0;
        world.freed = true;
}

static void act(enum lease_action action) {
        switch (action) {
        case DO_SAVE_RECORD:
                world.record = true;
                world.record_lingers = is_after(world.state);
                if (by_mischance(300))
                        raise_event(EVENT_FAULT);
                break;
        case DO_REMOVE_RECORD:
                world.record = false;
                break;
        case DO_SET_DEADLINE:
                set_timer(TIMER_DEADLINE);
                break;
        case DO_WIRE:
                wait_for(CALL_WIRING, 0);
                break;
        case DO_RELOAD:
                wait_for(CALL_RELOAD, 0);
                break;
        case DO_START:
                promise(world.unit == UNIT_NONE, "a unit is started when the old one is gone");
                wait_for(CALL_START, 0);
                break;
        case DO_CHECK_CONTAINER:
                wait_for(CALL_CONTAINER, 0);
                break;
        case DO_DIAGNOSE:
                wait_for(CALL_DIAGNOSIS, 0);
                break;
        case DO_DROP_CALLS:
                world.waits &= ~START_CALLS;
                break;
        case DO_DROP_DEADLINE:
                world.waits &= ~BIT(TIMER_DEADLINE);
                break;
        case DO_MARK_JOINED:
                world.left_behind = false;
                break;
        case DO_ANSWER_EARLY:
                if (world.no_wait)
                        answer(true);
                break;
        case DO_ANSWER_DONE:
                /* The namespace of a seat that was stopped just now cannot be handed over. */
                if (world.waiting && !world.hold && by_mischance(30))
                        raise_event(EVENT_FAULT);
                else
                        answer(true);
                break;
        case DO_ANSWER_FAILED:
        case DO_ANSWER_TIMEOUT:
        case DO_ANSWER_NO_CONTAINER:
        case DO_ANSWER_STOPPED:
        case DO_ANSWER_VANISHED:
        case DO_ANSWER_CLOSED:
                answer(false);
                break;
        case DO_WATCH_OPENER:
                wait_for(WATCH_OPENER, 0);
                break;
        case DO_ASK_LEADER:
                wait_for(CALL_LEADER, BIT(TIMER_LEADER));
                break;
        case DO_SET_LEADER_TIMER:
                wait_for(TIMER_LEADER, 0);
                break;
        case DO_LET_GO:
                let_go();
                break;
        case DO_ASK_NAMESPACE:
                wait_for(CALL_NAMESPACE, BIT(TIMER_NAMESPACE));
                break;
        case DO_SET_NAMESPACE_TIMER:
                wait_for(TIMER_NAMESPACE, 0);
                break;
        case DO_DECIDE:
                decide();
                break;
        case DO_SET_LINGER_TIMER:
                set_timer(TIMER_LINGER);
                break;
        case DO_SET_KEEP_TIMER:
                set_timer(TIMER_KEEP);
                break;
        case DO_LOOK:
                look();
                break;
        case DO_LOOK_SETTLED:
        case DO_LOOK_LATER:
                set_timer(TIMER_LOOK);
                world.looks_soon = false;
                break;
        case DO_LOOK_SOON:
                set_timer(TIMER_LOOK);
                world.looks_soon = true;
                world.waits &= ~BIT(WATCH_GROUP);
                break;
        case DO_WATCH_GROUP:
                wait_for(WATCH_GROUP, 0);
                break;
        case DO_STOP:
                wait_for(CALL_STOP, BIT(TIMER_STOP));
                break;
        case DO_STOP_SOON:
        case DO_STOP_LATER:
                wait_for(TIMER_STOP, 0);
                break;
        case DO_ASK_GONE:
                wait_for(CALL_GONE, BIT(TIMER_GONE));
                break;
        case DO_SET_GONE_TIMER:
                wait_for(TIMER_GONE, 0);
                break;
        case DO_FREE:
                free_lease();
                break;
        case DO_FORGET:
                world.waits = 0;
                world.n_raised = 0;
                world.forgotten = true;
                break;
        case DO_NOTHING:
        case DO_LOG_GIVEN:
        case DO_LOG_HELD:
        case DO_LOG_BACK:
        case DO_LOG_TAKEN:
        case DO_LOG_KEPT:
        case DO_LOG_OVER:
        case DO_LOG_MAX_OVER:
        case DO_LOG_HUNG_UP:
        case DO_LOG_LEFT_BEHIND:
        case DO_TELL_ADMIN:
        case DO_TELL_STOPPED:
        case DO_TELL_RESTARTED:
        case DO_TAKE_OVER: /* concerns other leases */
        case _LEASE_ACTION_MAX:
                break;
        }
}

/* --- promises ----------------------------------------------------------------------------------------- */

static bool waits_for(uint32_t waits) {
        return (world.waits & waits) != 0;
}

/* The unit has gone, and every signal of it has been heard. */
static bool unit_is_silent(void) {
        return world.unit == UNIT_NONE && world.n_removed == 0;
}

static void check_start(void) {
        promise(waits_for(BIT(TIMER_DEADLINE) | BIT(CALL_DIAGNOSIS) | BIT(CALL_CONTAINER)),
                "a start has an end, whatever fails");
        promise(world.waiting || world.n_answers + world.n_hung_up == 1, "a start is answered at its end");
        switch (world.state) {
        case LEASE_WIRING:
                promise(waits_for(BIT(CALL_WIRING)), "a lease that is being wired waits for that");
                break;
        case LEASE_RELOADING:
                promise(waits_for(BIT(CALL_RELOAD)), "a lease that waits for a reload has asked for it");
                break;
        case LEASE_STARTING:
        case LEASE_STARTING_AGAIN:
                promise(waits_for(BIT(CALL_START)) || (world.knows_job && world.job_under_way),
                        "a lease that starts has asked for it, or has a job");
                break;
        case LEASE_CHECKING:
                promise(waits_for(BIT(CALL_CONTAINER)), "a lease that is checked waits for the answer");
                break;
        default:
                if (world.state != LEASE_RESTARTING)
                        promise(waits_for(BIT(CALL_DIAGNOSIS)), "a diagnosis is being made");
        }
}

static void check_wakes(void) {
        bool has_unit = is_live(world.state) || is_after(world.state) || world.state == LEASE_RESTARTING ||
                        world.state == LEASE_CHECKING;

        if (has_unit && unit_is_silent())
                promise(waits_for(BIT(CALL_GONE) | BIT(TIMER_GONE)),
                        "a lease whose unit has gone learns of it");
        if (world.state == LEASE_ENDING)
                promise(waits_for(BIT(CALL_STOP) | BIT(TIMER_STOP)),
                        "a lease that ends goes on asking for it");
        if (world.state == LEASE_ACTIVE)
                promise(waits_for(BIT(WATCH_OPENER)), "the life of an active lease's opener is watched");
        if (world.state == LEASE_ORPHANED && !world.session && world.n_sessions == 0)
                promise(waits_for(BIT(CALL_LEADER) | BIT(TIMER_LEADER)),
                        "a lease whose opener is dead and has no session ends");
        if ((world.state == LEASE_ACTIVE || world.state == LEASE_ORPHANED) && world.left_behind &&
                world.n_jobs == 0)
                promise(waits_for(BIT(CALL_NAMESPACE) | BIT(TIMER_NAMESPACE)),
                        "a login that is left behind in an old namespace is told");
        if (world.state == LEASE_LINGERING)
                promise(waits_for(BIT(TIMER_LINGER)), "linger= ends");
        if (world.state == LEASE_SETTLING || world.state == LEASE_KEPT)
                promise(waits_for(BIT(TIMER_KEEP)) && waits_for(BIT(TIMER_LOOK)), "leftover = keep ends");
        if (world.state == LEASE_SETTLING || world.state == LEASE_KEPT)
                promise(waits_for(BIT(WATCH_GROUP)) || world.looks_soon,
                        "when no process is left, the seat goes at once");
}

static void check_state(void) {
        if (is_start(world.state))
                check_start();
        else
                promise(!world.waiting, "an opener gets an answer before its lease is given or ends");
        promise(world.n_answers + world.n_hung_up <= 2 && world.n_answers <= 1, "an opener gets one answer");
        check_wakes();
        promise(world.record == (world.state != LEASE_ENDING),
                "a restart takes up every lease but those that end");
        if (world.state == LEASE_ENDING)
                promise((world.waits & ~UNIT_WAITS) == 0, "a lease that ends waits for its unit alone");
        if (is_after(world.state))
                promise(!waits_for(BIT(WATCH_OPENER) | BIT(CALL_LEADER) | BIT(TIMER_LEADER) |
                                   BIT(CALL_NAMESPACE) | BIT(TIMER_NAMESPACE) | BIT(TIMER_DEADLINE)),
                        "a lease whose login is over has let go of it");
        promise(world.state != LEASE_NEW && world.state != LEASE_CLOSING, "a state that is to be left lasts");
}

/* Which events must end a lease, whatever its state. */
static void check_end(enum lease_state from, enum lease_event event, enum lease_state to) {
        bool ends = to == LEASE_ENDING || to == LEASE_GONE;

        if (event == EVENT_STOPPED || event == EVENT_TAKEN_OVER || event == EVENT_FAULT)
                promise(ends,
                        "what an administrator stops, a new login takes over or nothing can serve ends");
        if (event == EVENT_CLOSED && !is_after(from))
                promise(ends || to == LEASE_CLOSING, "a lease that is given back ends or lingers");
        if (event == EVENT_ABANDONED && !is_after(from))
                promise(ends, "a lease that nobody would close ends");
        if (event == EVENT_ACCEPTED && world.no_wait)
                promise(!world.waiting, "wait=none is answered when the start is queued");
        if (event == EVENT_GROUP_CHANGED)
                promise(world.looks_soon, "a change of the control group is looked at");
}

/* Which events may end a lease that somebody has. */
static void check_step(enum lease_state from, enum lease_event event, enum lease_state to) {
        bool by_root = event == EVENT_STOPPED || event == EVENT_CLOSED || event == EVENT_ABANDONED ||
                       event == EVENT_GONE || event == EVENT_ACTIVATOR_ENDS;

        if (from == LEASE_HOLD && to != from)
                promise(by_root, "nothing ends a hold but an administrator");
        if (from == LEASE_ACTIVE && to != from)
                promise(by_root || event == EVENT_OPENER_DIED || event == EVENT_NAMESPACE_NEW ||
                                event == EVENT_FAULT,
                        "nothing ends a login that goes on");
        if (from == LEASE_ORPHANED && to != from)
                promise(by_root || event == EVENT_LEADER_NONE || event == EVENT_NAMESPACE_NEW,
                        "a login whose opener is dead goes on as long as its session");
        if (from == LEASE_LINGERING && to == LEASE_ENDING)
                promise(event == EVENT_KEEPER_NONE || event == EVENT_STOPPED || event == EVENT_TAKEN_OVER ||
                                event == EVENT_FAULT,
                        "a seat stays for as long as linger= says");
        if (from == LEASE_LATE && to == LEASE_ENDING)
                promise(world.n_answers + world.n_hung_up >= 1, "who waits too long is told");
}

static void step(enum lease_event event) {
        const struct lease_row *row = lease_machine_row(world.state, event);
        enum lease_state from = world.state;

        history[n_events % HISTORY].state = from;
        history[n_events % HISTORY].event = event;
        n_events++;
        cells[from][event]++;
        promise(row && row->next != LEASE_NEVER, "an event comes that the table calls impossible");
        if (row->next != LEASE_SAME)
                world.state = row->next;
        for (size_t i = 0; row->actions[i] != DO_NOTHING; i++) {
                unsigned n = world.n_raised;

                act(row->actions[i]);
                /* What cannot be done without: the rest of the list is left. */
                if (world.n_raised > n && world.raised[world.n_raised - 1] == EVENT_FAULT)
                        break;
        }
        check_end(from, event, world.state);
        check_step(from, event, world.state);
}

static void handle(enum lease_event event) {
        step(event);
        while (world.n_raised > 0 && !world.freed && !world.forgotten) {
                event = world.raised[0];
                world.n_raised--;
                memmove(world.raised, world.raised + 1, world.n_raised * sizeof(world.raised[0]));
                step(event);
        }
        if (!world.freed && !world.forgotten)
                check_state();
}

/* --- what happens ------------------------------------------------------------------------------------- */

static enum lease_event answer_start(void) {
        if (by_mischance(10))
                return EVENT_FAULT;
        world.unit = UNIT_QUEUED;
        world.job_under_way = true;
        world.knows_job = true;
        return EVENT_ACCEPTED;
}

static enum lease_event answer_gone(void) {
        if (by_mischance(3)) {
                world.n_jobs += by_mischance(4);
                return EVENT_GONE_UNKNOWN;
        }
        return world.unit == UNIT_NONE ? EVENT_GONE : EVENT_NOT_GONE;
}

static enum lease_event answer_stop(void) {
        if (by_mischance(3))
                return EVENT_STOP_FAILED;
        if (world.unit == UNIT_NONE)
                return EVENT_NO_SUCH_UNIT;
        world.unit = UNIT_STOPPING;
        world.job_under_way = true;
        return EVENT_STOP_QUEUED;
}

/* A call is answered. */
static enum lease_event finish_call(enum wait call) {
        switch (call) {
        case CALL_WIRING:
                if (by_mischance(10))
                        return EVENT_FAULT;
                return by_mischance(5) ? EVENT_WIRED_STALE : EVENT_WIRED;
        case CALL_RELOAD:
                return by_mischance(5) ? EVENT_FAULT : EVENT_RELOADED;
        case CALL_START:
                return answer_start();
        case CALL_CONTAINER:
                if (by_mischance(10))
                        return EVENT_CONTAINER_FAULT;
                return world.hold ? EVENT_READY_HOLD : EVENT_READY;
        case CALL_DIAGNOSIS:
                return below(4) == 0 ? EVENT_CONTAINER_FAULT : EVENT_FAULT_FOUND;
        case CALL_LEADER:
                if (by_mischance(3))
                        return EVENT_LEADER_UNKNOWN;
                return world.session ? EVENT_LEADER_FOUND : EVENT_LEADER_NONE;
        case CALL_NAMESPACE:
                if (by_mischance(3))
                        return EVENT_NAMESPACE_UNKNOWN;
                return world.left_behind ? EVENT_NAMESPACE_NEW : EVENT_NAMESPACE_SAME;
        case CALL_GONE:
                return answer_gone();
        default:
                return answer_stop();
        }
}

static enum lease_event fire(enum wait wait) {
        static const enum lease_event events[WAITS] = {
                [TIMER_DEADLINE] = EVENT_DEADLINE,
                [TIMER_LEADER] = EVENT_LEADER_TIMER,
                [TIMER_NAMESPACE] = EVENT_NAMESPACE_TIMER,
                [TIMER_LINGER] = EVENT_LINGER_OVER,
                [TIMER_KEEP] = EVENT_KEEP_OVER,
                [TIMER_LOOK] = EVENT_LOOK_TIMER,
                [TIMER_GONE] = EVENT_GONE_TIMER,
                [TIMER_STOP] = EVENT_STOP_TIMER,
                [WATCH_OPENER] = EVENT_OPENER_DIED,
                [WATCH_GROUP] = EVENT_GROUP_CHANGED,
        };

        /* The watch of the control group lasts, as a control group may change often. */
        if (wait != WATCH_GROUP)
                world.waits &= ~BIT(wait);
        return wait <= CALL_STOP ? finish_call(wait) : events[wait];
}

/* systemd takes the unit away; its signal is on its way. */
static void remove_unit(void) {
        world.unit = UNIT_NONE;
        world.n_removed++;
}

/* The job that is under way ends. */
static void end_job(void) {
        enum lease_event event = EVENT_JOB_ENDED;
        bool own = world.knows_job && world.unit == UNIT_QUEUED;

        world.job_under_way = false;
        world.knows_job = false;
        if (world.unit == UNIT_STOPPING)
                remove_unit();
        else if (by_mischance(4)) {
                event = EVENT_JOB_CANCELLED;
                remove_unit();
        } else if (by_mischance(4)) {
                event = EVENT_JOB_FAILED;
                remove_unit();
        } else {
                event = EVENT_JOB_DONE;
                world.unit = UNIT_UP;
        }
        handle(own ? event : EVENT_JOB_ENDED);
}

/* Whether that wait can be over now. */
static bool can_fire(enum wait wait) {
        if (!(world.waits & BIT(wait)))
                return false;
        return wait != WATCH_OPENER || !world.opener_alive;
}

/* One of the waits that can be over. False: there is none. */
static bool fire_any(enum wait first, enum wait last) {
        enum wait chosen = WAITS;
        unsigned n = 0;

        for (enum wait wait = first; wait <= last; wait++)
                if (can_fire(wait) && below(++n) == 0)
                        chosen = wait;
        if (chosen == WAITS)
                return false;
        handle(fire(chosen));
        return true;
}

static void hang_up(void) {
        world.tied = false;
        if (!world.waiting && below(2) == 0)
                return; /* it has read the answer */
        world.n_hung_up += world.waiting;
        world.waiting = false;
        handle(EVENT_ABANDONED);
}

/* The next activator: a lease whose start is under way has nobody who waits any more, but for wait=none. */
static void restore(void) {
        bool starts = world.unit == UNIT_QUEUED, given = !world.waiting && world.n_answers == 1;
        enum lease_state before = history[(n_events - 1) % HISTORY].state;

        world.forgotten = false;
        promise(world.record || before == LEASE_ENDING, "a lost bus loses no lease");
        world.waiting = false;
        world.tied = false;
        world.n_answers = 1;
        world.n_hung_up = 0;
        /* Subscribed anew: signals of before are lost, and what they told is asked. */
        world.n_removed = world.n_sessions = world.n_jobs = 0;
        world.knows_job = false;
        if (!world.record || world.unit == UNIT_NONE || world.unit == UNIT_STOPPING ||
                (starts && !(world.no_wait && given))) {
                world.freed = true;
                return;
        }
        world.state = LEASE_NEW;
        promise(world.record_lingers == is_after(before), "a restart knows which logins are over");
        if (world.record_lingers)
                handle(EVENT_RESTORED_LINGER);
        else
                handle(world.hold ? EVENT_RESTORED_HOLD : EVENT_RESTORED);
}

static void new_lease(void) {
        bool hold = below(8) == 0;

        world = (struct world){
                .state = LEASE_NEW,
                .hold = hold,
                .no_wait = !hold && below(4) == 0,
                .waiting = true,
                .tied = true,
                .opener_alive = true,
                .session = !hold && below(2) == 0,
                .keeper = below(2) == 0,
        };
        n_leases++;
        handle(EVENT_OPENED);
}

/* Something that nobody has asked for. */
static void mishap(void) {
        switch (below(14)) {
        case 0:
                world.opener_alive = world.hold;
                break;
        case 1:
                if (world.session) {
                        world.session = false;
                        world.n_sessions++;
                }
                break;
        case 2: /* somebody else's session */
                handle(EVENT_SESSION_REMOVED);
                break;
        case 3: /* daemon-reload */
                world.n_removed += world.unit != UNIT_NONE;
                break;
        case 4: /* systemctl stop of a unit of the seat */
                if (world.unit == UNIT_UP)
                        remove_unit();
                break;
        case 5: /* systemctl restart netns@ */
                if (world.unit == UNIT_UP) {
                        world.left_behind = true;
                        world.n_jobs++;
                }
                break;
        case 6: /* systemctl restart of another unit of the seat */
                world.n_jobs += world.unit == UNIT_UP;
                break;
        case 7:
                world.keeper = !world.keeper;
                break;
        case 8:
                if (world.tied)
                        hang_up();
                break;
        case 9:
                if (world.n_answers == 1 || below(20) == 0)
                        handle(EVENT_CLOSED);
                break;
        case 10:
                if (below(8) == 0)
                        handle(EVENT_STOPPED);
                break;
        case 11:
                if (is_after(world.state) && below(4) == 0)
                        handle(EVENT_TAKEN_OVER);
                break;
        case 12:
                if (below(8) == 0) {
                        handle(EVENT_ACTIVATOR_ENDS);
                        restore();
                }
                break;
        default: /* a job of somebody's */
                world.n_jobs += below(4) == 0;
        }
}

static bool deliver_signal(void) {
        if (world.n_removed > 0) {
                world.n_removed--;
                /* Before a lease has asked for a unit there is none. */
                handle(EVENT_UNIT_REMOVED);
        } else if (world.n_jobs > 0) {
                world.n_jobs--;
                handle(EVENT_JOB_ENDED);
        } else if (world.n_sessions > 0) {
                world.n_sessions--;
                handle(EVENT_SESSION_REMOVED);
        } else
                return false;
        return true;
}

/* What comes of itself. False: nothing does. */
static bool go_on(void) {
        switch (below(4)) {
        case 0:
                return deliver_signal() || fire_any(CALL_WIRING, CALL_STOP);
        case 1:
                if (world.job_under_way) {
                        end_job();
                        return true;
                }
                return fire_any(CALL_WIRING, CALL_STOP);
        case 2:
                return fire_any(CALL_WIRING, CALL_STOP) || fire_any(TIMER_DEADLINE, WATCH_GROUP);
        default:
                return fire_any(CALL_WIRING, WATCH_GROUP);
        }
}

/* No login lasts for ever: once all goes well, each lease ends, and soon. */
static void end_well(void) {
        world.calm = true;
        world.opener_alive = false;
        world.keeper = false;
        if (world.session) {
                world.session = false;
                world.n_sessions++;
        }
        if (world.hold && !world.freed)
                handle(EVENT_STOPPED);
        for (unsigned i = 0; !world.freed; i++) {
                promise(i < 100, "once all goes well, a lease whose opener is dead ends");
                if (world.job_under_way)
                        end_job();
                else if (!deliver_signal() && !fire_any(CALL_WIRING, CALL_STOP) &&
                         !fire_any(TIMER_DEADLINE, WATCH_GROUP))
                        complain("a lease is left that nothing wakes");
        }
        promise(world.n_answers + world.n_hung_up == 1, "an opener gets exactly one answer");
}

static void live(void) {
        unsigned age = below(60);

        new_lease();
        for (unsigned i = 0; i < age && !world.freed; i++)
                if (below(3) == 0)
                        mishap();
                else
                        (void)go_on();
        end_well();
}

static uint64_t read_environment(const char *name, uint64_t otherwise) {
        const char *text = getenv(name);

        return text ? strtoull(text, NULL, 10) : otherwise;
}

/* What the model never reaches is not tested here; only the table's own walk sees it. */
static void check_coverage(void) {
        unsigned n = 0, n_reached = 0;

        for (unsigned i = 0; i < _LEASE_STATE_MAX; i++)
                for (unsigned j = 0; j < _LEASE_EVENT_MAX; j++) {
                        const struct lease_row *row =
                                lease_machine_row((enum lease_state)i, (enum lease_event)j);

                        if (row->next == LEASE_NEVER)
                                continue;
                        n++;
                        n_reached += cells[i][j] > 0;
                        if (cells[i][j] == 0 && row->next != LEASE_SAME)
                                print_message("not reached: %s in %s\n",
                                        lease_event_name((enum lease_event)j),
                                        lease_state_name((enum lease_state)i));
                }
        print_message("%u events, %u leases, %u of %u possible cells\n", n_events, n_leases, n_reached, n);
        /* A short run, as of one seed that failed, reaches less. */
        if (n_events >= EVENTS)
                assert_true(n_reached * 100 >= n * 90);
}

static void random_events_break_no_promise(void **state) {
        uint64_t events = read_environment("COURSENET_EVENTS", EVENTS);

        (void)state;
        seed = read_environment("COURSENET_SEED", (uint64_t)time(NULL));
        random_state = seed;
        print_message("COURSENET_SEED=%" PRIu64 " COURSENET_EVENTS=%" PRIu64 "\n", seed, events);
        while (n_events < events)
                live();
        check_coverage();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(random_events_break_no_promise),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
