/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Throws random events at the table of lease-machine.c: lease-world.h has the world in which they happen, and
 * what is checked after each of them. Only what can happen in that world is an event.
 *
 * COURSENET_SEED and COURSENET_EVENTS in the environment choose the sequence and its length; both are
 * printed.
 */

#include "lease-world.h"

#define EVENTS 1000000U

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

static enum lease_event answer_seat(void) {
        if (by_mischance(4))
                return EVENT_SEAT_BUSY;
        return world.shared ? EVENT_SEAT_UP : EVENT_SEAT_CLEAR;
}

/* The worker looks at a request, whether or not somebody still waits for the answer. */
static enum lease_event answer_worker(void) {
        world.n_prepares--;
        if (by_mischance(4))
                return below(2) == 0 ? EVENT_NOT_PREPARED : EVENT_WORKER_BUSY;
        world.prepared = world.unit != UNIT_UP;
        return EVENT_PREPARED;
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
        case CALL_SEAT:
                return answer_seat();
        case CALL_WORKER:
                return answer_worker();
        case CALL_CONTAINER:
                if (by_mischance(10))
                        return EVENT_CONTAINER_FAULT;
                return world.hold ? EVENT_READY_HOLD : EVENT_READY;
        case CALL_DIAGNOSIS:
                /* A login that is early does not wait for its container. */
                return !is_early(world.state) && below(4) == 0 ? EVENT_CONTAINER_FAULT : EVENT_FAULT_FOUND;
        case CALL_LEADER:
                if (by_mischance(3))
                        return EVENT_LEADER_UNKNOWN;
                return world.session ? EVENT_LEADER_FOUND : EVENT_LEADER_NONE;
        case CALL_GONE:
                return answer_gone();
        default:
                return answer_stop();
        }
}

static enum lease_event fire(enum wait wait) {
        static const enum lease_event events[WAITS] = {
                [TIMER_DEADLINE] = EVENT_DEADLINE,
                [TIMER_SEAT] = EVENT_SEAT_TIMER,
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
        /* The signal of a job that ends while systemd executes itself again is lost. */
        bool lost = world.state == LEASE_ADOPTING && by_mischance(20);

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
                world.prepared = false;
        }
        if (!lost)
                handle(own ? event : EVENT_JOB_ENDED);
}

/* Whether that wait can be over now. */
static bool can_fire(enum wait wait) {
        if (!(world.waits & BIT(wait)))
                return false;
        /* systemd answers in order. */
        if (wait == CALL_SEAT && (world.waits & BIT(CALL_START)))
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

/* A module without an answer asks again, unless its time is over. */
static void repeat(void) {
        if (below(8) == 0)
                return;
        world.waiting = true;
        world.tied = true;
        world.n_answers = 0;
        handle(EVENT_REPEATED);
}

static void restore_login(bool starts, bool unanswered) {
        handle(starts ? EVENT_RESTORED_STARTING : EVENT_RESTORED);
        if (unanswered && (world.state == LEASE_ADOPTING || world.state == LEASE_ACTIVE))
                repeat();
}

/* The next activator. */
static void restore(void) {
        bool starts = world.unit == UNIT_QUEUED, unanswered = world.waiting;
        enum lease_state before = history[(n_events - 1) % HISTORY].state;

        world.forgotten = false;
        promise(world.record || before == LEASE_ENDING, "a lost bus loses no lease");
        world.waiting = false;
        world.tied = false;
        world.n_answers = 1;
        world.n_hung_up = 0;
        /* With the new subscription earlier signals are lost, and the activator asks for what they told. */
        world.n_removed = world.n_sessions = world.n_jobs = 0;
        world.knows_job = starts && !world.record_lingers;
        if (!world.record || world.unit == UNIT_NONE || world.unit == UNIT_STOPPING ||
                (starts && world.hold)) {
                world.freed = true;
                return;
        }
        world.state = LEASE_NEW;
        promise(world.record_lingers == is_after(before), "a restart knows which logins are over");
        if (world.record_lingers)
                handle(EVENT_RESTORED_LINGER);
        else if (world.hold)
                handle(EVENT_RESTORED_HOLD);
        else
                restore_login(starts, unanswered);
}

static void new_lease(void) {
        bool hold = below(8) == 0;

        world = (struct world){
                .state = LEASE_NEW,
                .hold = hold,
                .no_wait = !hold && below(4) == 0,
                .wait_container = below(8) == 0,
                .shared = below(3) == 0,
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
        switch (below(15)) {
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
        case 13:
                if (world.n_prepares > 0 && !(world.waits & BIT(CALL_WORKER)))
                        (void)answer_worker();
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
