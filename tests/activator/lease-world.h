/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A model of the world of one lease for test-lease-random.c, which includes this once: a unit in systemd, an
 * opener, coursenet-worker, a session, a process in the seat, calls that may fail, timers, a record on disk.
 * step() takes an event through the table of lease-machine.c and checks what coursenet-activator(8) promises.
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

#define HISTORY 24U

/* What the lease waits for. */
enum wait {
        CALL_WIRING,
        CALL_RELOAD,
        CALL_START,
        CALL_SEAT,
        CALL_WORKER,
        CALL_CONTAINER,
        CALL_DIAGNOSIS,
        CALL_LEADER,
        CALL_GONE,
        CALL_STOP,
        TIMER_DEADLINE,
        TIMER_SEAT,
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
        (BIT(CALL_WIRING) | BIT(CALL_RELOAD) | BIT(CALL_START) | BIT(CALL_SEAT) | BIT(CALL_WORKER) |         \
                BIT(TIMER_SEAT) | BIT(CALL_CONTAINER) | BIT(CALL_DIAGNOSIS))

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
        bool hold, no_wait, wait_container;
        bool waiting; /* for the answer */
        bool tied;    /* it has a connection, on which the answer may be unread */
        unsigned n_answers, n_hung_up;
        bool opener_alive;
        /* the rest */
        enum unit unit;
        bool job_under_way;                     /* a start or a stop */
        unsigned n_removed, n_sessions, n_jobs; /* signals that are on their way */
        bool session, left_behind, keeper;
        bool shared;          /* another lease has the seat, so its units are up */
        bool prepared;        /* coursenet-worker has made the seat, and no unit has adopted it */
        unsigned n_prepares;  /* its requests that it has not looked at */
        unsigned n_discarded; /* seats that were prepared and never adopted */
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

/* Its login has the seat before the units of it are up. */
static bool is_early(enum lease_state state) {
        return state == LEASE_ADOPTING || state == LEASE_BREAKING;
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
        promise(yes == (is_live(world.state) || is_start(world.state) || is_early(world.state)),
                "who is told yes has a lease, and who is told no has none");
        if (yes && is_early(world.state))
                promise(world.shared || world.prepared, "who is told yes has a network");
        /* An answer that says no is not waited for; one that says yes may turn out not to be read. */
        if (!yes)
                world.tied = false;
}

static void let_go(void) {
        world.waits &= UNIT_WAITS;
        world.knows_job = false;
        world.n_raised = 0;
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
        if (!world.keeper)
                raise_event(EVENT_KEEPER_NONE);
        else
                raise_event(by_mischance(2) ? EVENT_KEEPER_FRESH : EVENT_KEEPER_FOUND);
}

static void free_lease(void) {
        promise((world.waits & ~UNIT_WAITS) == 0, "a lease that is freed has let go of everything");
        promise(!world.record, "a lease that is freed has no record");
        promise(world.unit == UNIT_NONE, "a lease is not forgotten before its unit is gone");
        /* The last lease of a seat has it discarded, and the worker does that after what it was asked for
         * before. */
        world.n_discarded += world.prepared || world.n_prepares > 0;
        world.prepared = false;
        world.n_prepares = 0;
        world.waits = 0;
        world.freed = true;
}

static void save_record(void) {
        world.record = true;
        world.record_lingers = is_after(world.state);
}

static void remove_record(void) {
        world.record = false;
}

static void start(void) {
        promise(world.unit == UNIT_NONE, "a unit is started when the old one is gone");
}

static void ask_seat(void) {
        if (!world.hold && !world.no_wait && !world.wait_container)
                world.waits |= BIT(CALL_SEAT);
}

static void prepare(void) {
        world.n_prepares++;
}

static void forget_job(void) {
        world.knows_job = false;
}

static void mark_joined(void) {
        world.left_behind = false;
}

/* While a unit restarts there is no namespace for a moment. */
static void ask_namespace(void) {
        if (by_mischance(3))
                raise_event(EVENT_NAMESPACE_UNKNOWN);
        else
                raise_event(world.left_behind ? EVENT_NAMESPACE_NEW : EVENT_NAMESPACE_SAME);
}

static void answer_early(void) {
        if (world.no_wait)
                answer(true);
}

/* The namespace of a seat that was stopped just now cannot be handed over. */
static void answer_done(void) {
        if (world.waiting && !world.hold && by_mischance(30))
                raise_event(EVENT_FAULT);
        else
                answer(true);
}

static void answer_no(void) {
        answer(false);
}

static void look_soon(void) {
        world.looks_soon = true;
}

static void look_not_soon(void) {
        world.looks_soon = false;
}

static void forget(void) {
        world.waits = 0;
        world.n_raised = 0;
        world.forgotten = true;
}

/* What an action starts and stops, what else it does, and whether it may fail. The log and other leases
 * are left out here. */
static const struct {
        uint32_t starts, stops;
        void (*does)(void);
        bool may_fail;
} effects[_LEASE_ACTION_MAX] = {
        [DO_SAVE_RECORD] = {.does = save_record, .may_fail = true},
        [DO_REMOVE_RECORD] = {.does = remove_record},
        [DO_SET_DEADLINE] = {BIT(TIMER_DEADLINE), 0, NULL, true},
        [DO_WIRE] = {.starts = BIT(CALL_WIRING)},
        [DO_RELOAD] = {.starts = BIT(CALL_RELOAD)},
        [DO_START] = {.starts = BIT(CALL_START), .does = start},
        [DO_ASK_SEAT] = {.does = ask_seat},
        [DO_PREPARE] = {.starts = BIT(CALL_WORKER), .does = prepare},
        [DO_SET_SEAT_TIMER] = {.starts = BIT(TIMER_SEAT)},
        [DO_CHECK_CONTAINER] = {.starts = BIT(CALL_CONTAINER)},
        [DO_DIAGNOSE] = {.starts = BIT(CALL_DIAGNOSIS)},
        [DO_DROP_CALLS] = {.stops = START_CALLS},
        [DO_DROP_START] = {.stops = START_CALLS, .does = forget_job},
        [DO_SET_PATIENCE] = {BIT(TIMER_DEADLINE), 0, NULL, true},
        [DO_DROP_DEADLINE] = {.stops = BIT(TIMER_DEADLINE)},
        [DO_MARK_JOINED] = {.does = mark_joined},
        [DO_ANSWER_EARLY] = {.does = answer_early},
        [DO_ANSWER_DONE] = {.does = answer_done},
        [DO_ANSWER_FAILED] = {.does = answer_no},
        [DO_ANSWER_TIMEOUT] = {.does = answer_no},
        [DO_ANSWER_NO_CONTAINER] = {.does = answer_no},
        [DO_ANSWER_STOPPED] = {.does = answer_no},
        [DO_ANSWER_VANISHED] = {.does = answer_no},
        [DO_ANSWER_CLOSED] = {.does = answer_no},
        [DO_WATCH_OPENER] = {.starts = BIT(WATCH_OPENER)},
        [DO_STOP_WATCH] = {.stops = BIT(WATCH_OPENER) | BIT(TIMER_NAMESPACE)},
        [DO_ASK_LEADER] = {BIT(CALL_LEADER), BIT(TIMER_LEADER), NULL, false},
        [DO_SET_LEADER_TIMER] = {.starts = BIT(TIMER_LEADER)},
        [DO_LET_GO] = {.does = let_go},
        [DO_ASK_NAMESPACE] = {.stops = BIT(TIMER_NAMESPACE), .does = ask_namespace},
        [DO_SET_NAMESPACE_TIMER] = {.starts = BIT(TIMER_NAMESPACE)},
        [DO_DECIDE] = {.does = decide},
        [DO_SET_LINGER_TIMER] = {BIT(TIMER_LINGER), 0, NULL, true},
        [DO_SET_KEEP_TIMER] = {BIT(TIMER_KEEP), 0, NULL, true},
        [DO_LOOK] = {.stops = BIT(TIMER_LOOK), .does = look},
        [DO_LOOK_SETTLED] = {BIT(TIMER_LOOK), 0, look_not_soon, true},
        [DO_LOOK_SOON] = {BIT(TIMER_LOOK), BIT(WATCH_GROUP), look_soon, true},
        [DO_LOOK_LATER] = {BIT(TIMER_LOOK), 0, look_not_soon, true},
        [DO_WATCH_GROUP] = {.starts = BIT(WATCH_GROUP)},
        [DO_STOP] = {BIT(CALL_STOP), BIT(TIMER_STOP), NULL, false},
        [DO_STOP_SOON] = {.starts = BIT(TIMER_STOP)},
        [DO_STOP_LATER] = {.starts = BIT(TIMER_STOP)},
        [DO_ASK_GONE] = {BIT(CALL_GONE), BIT(TIMER_GONE), NULL, false},
        [DO_SET_GONE_TIMER] = {.starts = BIT(TIMER_GONE)},
        [DO_FREE] = {.does = free_lease},
        [DO_FORGET] = {.does = forget},
};

static void act(enum lease_action action) {
        world.waits = (world.waits & ~effects[action].stops) | effects[action].starts;
        if (effects[action].does)
                effects[action].does();
        if (effects[action].may_fail && by_mischance(300))
                raise_event(EVENT_FAULT);
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
                        world.state == LEASE_CHECKING || world.state == LEASE_ADOPTING;

        if (world.state == LEASE_ADOPTING)
                promise(waits_for(BIT(TIMER_DEADLINE)), "a login that is early does not stay so");
        if (world.state == LEASE_ADOPTING && world.knows_job)
                promise(world.job_under_way, "a login that is early learns of the end of its job");
        if (world.state == LEASE_BREAKING)
                promise(waits_for(BIT(CALL_DIAGNOSIS)), "a login whose seat has failed learns why");
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
                promise(waits_for(BIT(TIMER_NAMESPACE)),
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
                "a restart restores every lease except those that end");
        if (world.state == LEASE_ENDING)
                promise((world.waits & ~UNIT_WAITS) == 0, "a lease that ends waits for its unit alone");
        if (is_after(world.state))
                promise(!waits_for(BIT(WATCH_OPENER) | BIT(CALL_LEADER) | BIT(TIMER_LEADER) |
                                   BIT(TIMER_NAMESPACE) | BIT(TIMER_DEADLINE)),
                        "a lease whose login is over has let go of it");
        promise(world.state != LEASE_NEW && world.state != LEASE_CLOSING, "a state that must be left lasts");
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
                                event == EVENT_FAULT || (event == EVENT_REPEATED && to == LEASE_CHECKING),
                        "nothing ends a login that goes on");
        if (from == LEASE_ADOPTING && (to == LEASE_ENDING || to == LEASE_CLOSING || to == LEASE_GONE))
                promise(by_root || event == EVENT_FAULT, "a login that is early ends as any other");
        if (from == LEASE_ADOPTING && to == LEASE_BREAKING)
                promise(world.unit == UNIT_NONE, "a seat that comes up is kept");
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
