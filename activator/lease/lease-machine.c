/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The transition table of a lease. lease-object.c looks up the row of each event, sets the next state and
 * does the actions in their order. tests/activator/test-lease-machine.c states every cell a second time, and
 * test-lease-random.c throws random events at the table.
 *
 * What always holds:
 *
 * - An opener gets one answer: every way out of a start answers, except EVENT_ABANDONED.
 * - A login that is answered before its units are up has a start job, which keeps the seat needed.
 * - When a call to systemd or logind fails, a timer asks again. No state relies on a signal that may be past.
 * - A lease that ends forgets everything except its unit, and asks for its stop until the unit is gone.
 * - A record is on disk from LEASE_WIRING until the lease ends, so the next activator restores the lease.
 */

#include "lease-machine.h"
#include "util.h"

/* clang-format off */

#define S(name) (1U << LEASE_##name)

/* A start is under way. Its opener waits for an answer. */
#define STARTS (S(WIRING) | S(RELOADING) | S(STARTING) | S(RESTARTING) | S(STARTING_AGAIN) | S(CHECKING) | S(DIAGNOSING) | S(LATE))
/* A login has the seat, and its start job has not ended or has failed. */
#define EARLY (S(ADOPTING) | S(BREAKING))
/* A login has the seat. */
#define LOGINS (S(ACTIVE) | S(ORPHANED))
/* The login is over, and the log says that the seat is kept. In LEASE_SETTLING the log does not say so yet. */
#define TOLD (S(LINGERING) | S(KEPT))
/* Its unit may go, and the lease has to know of it. */
#define HAS_UNIT (S(RESTARTING) | S(CHECKING) | S(ADOPTING) | LOGINS | S(HOLD) | TOLD | S(SETTLING) | S(ENDING))
/* Whether its unit is gone may have been asked before one of these states, which do not need the answer. */
#define NO_MATTER (S(STARTING_AGAIN) | S(DIAGNOSING) | S(LATE) | S(BREAKING))
/* All states that no other row of the event names. */
#define REST 0U

/* The event has an effect; it has none; it cannot come (if it does, that is an error in this program, and is logged). */
#define ON(event, states, next, ...)  {EVENT_##event, states, LEASE_##next, NULL, {__VA_ARGS__}}
#define IGNORE(event, states, why)    {EVENT_##event, states, LEASE_SAME, why, {DO_NOTHING}}
#define NEVER(event, states, why)     {EVENT_##event, states, LEASE_NEVER, why, {DO_NOTHING}}

/* The lease ends: its unit has to be stopped; its unit is gone already. */
#define END    DO_REMOVE_RECORD, DO_LET_GO, DO_STOP
#define VANISH DO_REMOVE_RECORD, DO_LET_GO, DO_FREE

/* Yes, before the start job has ended. The opener waits for nothing of the rest. */
#define EARLY_ANSWER DO_SET_PATIENCE, DO_MARK_JOINED, DO_ANSWER_DONE, DO_LOG_GIVEN, DO_TAKE_OVER

/* Why an event has no effect or cannot come. */
#define ONCE      "only the first event of a lease is one of this kind"
#define TRANSIENT "the lease leaves this state before another event is handled"
#define DROPPED   "whatever raises the event is dropped when the lease leaves the state that waits for it"
#define DECIDED   "the start is not tried again; its job, its deadline or the diagnosis decides"
#define OVER      "the lease ends already"
#define JOB_ANSWERS "the end of the start job brings the answer, as without coursenet-worker"

static const struct lease_row rows[] = {
        ON(OPENED,             S(NEW), WIRING, DO_SAVE_RECORD, DO_SET_DEADLINE, DO_WIRE),
        NEVER(OPENED,          REST, ONCE),
        ON(RESTORED,           S(NEW), ACTIVE, DO_LOG_HELD, DO_ASK_NAMESPACE, DO_WATCH_OPENER),
        NEVER(RESTORED,        REST, ONCE),
        ON(RESTORED_STARTING,    S(NEW), ADOPTING, DO_SET_PATIENCE, DO_LOG_HELD),
        NEVER(RESTORED_STARTING, REST, ONCE),
        ON(RESTORED_HOLD,      S(NEW), HOLD, DO_MARK_JOINED, DO_LOG_HELD),
        NEVER(RESTORED_HOLD,   REST, ONCE),
        ON(RESTORED_LINGER,    S(NEW), LINGERING, DO_SET_LINGER_TIMER),
        NEVER(RESTORED_LINGER, REST, ONCE),

        /* Whether the former activator had answered is known only when the opener asks again. */
        ON(REPEATED,    S(ADOPTING), STARTING_AGAIN, DO_SET_DEADLINE, DO_ANSWER_EARLY),
        ON(REPEATED,    S(ACTIVE),   CHECKING, DO_STOP_WATCH, DO_SET_DEADLINE, DO_ANSWER_EARLY, DO_CHECK_CONTAINER),
        NEVER(REPEATED, REST, "only these states can be found by the request's token"),

        ON(CLOSED,     STARTS,       ENDING,  END, DO_ANSWER_CLOSED),
        /* The job may go on: the end of the lease stops the unit, and systemd then stops what has started. */
        ON(CLOSED,     S(ADOPTING),  CLOSING, DO_DROP_START, DO_DROP_DEADLINE, DO_DECIDE),
        ON(CLOSED,     S(BREAKING),  ENDING,  DO_LOG_BACK, END),
        ON(CLOSED,     LOGINS,       CLOSING, DO_DECIDE),
        ON(CLOSED,     S(HOLD),      ENDING,  DO_LOG_BACK, END),
        IGNORE(CLOSED, TOLD | S(SETTLING) | S(ENDING), "a program may close its session twice"),
        NEVER(CLOSED,  REST, TRANSIENT),

        ON(ABANDONED,     STARTS,           ENDING, DO_LOG_HUNG_UP, END),
        ON(ABANDONED,     EARLY | LOGINS | S(HOLD), ENDING, DO_LOG_HUNG_UP, DO_LOG_BACK, END),
        IGNORE(ABANDONED, TOLD | S(SETTLING) | S(ENDING), "the lease was given back or taken before that"),
        NEVER(ABANDONED,  REST, TRANSIENT),

        ON(STOPPED,     STARTS,      ENDING, END, DO_ANSWER_STOPPED),
        ON(STOPPED,     EARLY | LOGINS, ENDING, DO_TELL_ADMIN, DO_LOG_TAKEN, END),
        ON(STOPPED,     S(HOLD),     ENDING, DO_LOG_TAKEN, END),
        ON(STOPPED,     TOLD,        ENDING, DO_LOG_OVER, END),
        ON(STOPPED,     S(SETTLING), ENDING, DO_LOG_BACK, END),
        IGNORE(STOPPED, S(ENDING), OVER),
        NEVER(STOPPED,  REST, TRANSIENT),

        ON(TAKEN_OVER,    TOLD,        ENDING, DO_LOG_OVER, END),
        ON(TAKEN_OVER,    S(SETTLING), ENDING, DO_LOG_BACK, END),
        NEVER(TAKEN_OVER, REST, "only a lease that lingers is taken over"),

        ON(ACTIVATOR_ENDS, REST, GONE, DO_FORGET),

        ON(WIRED,          S(WIRING),    STARTING,  DO_START, DO_ASK_SEAT),
        NEVER(WIRED,       REST, DROPPED),
        ON(WIRED_STALE,    S(WIRING),    RELOADING, DO_RELOAD),
        NEVER(WIRED_STALE, REST, DROPPED),
        ON(RELOADED,       S(RELOADING), STARTING,  DO_START, DO_ASK_SEAT),
        NEVER(RELOADED,    REST, DROPPED),
        ON(ACCEPTED,       S(STARTING) | S(STARTING_AGAIN), SAME, DO_ANSWER_EARLY),
        NEVER(ACCEPTED,    REST, DROPPED),

        /* A login is answered before its start job has ended if the seat is there: by its units, or by coursenet-worker. */
        ON(SEAT_UP,         S(STARTING), ADOPTING, EARLY_ANSWER),
        NEVER(SEAT_UP,      REST, DROPPED),
        ON(SEAT_CLEAR,      S(STARTING), SAME, DO_PREPARE),
        NEVER(SEAT_CLEAR,   REST, DROPPED),
        IGNORE(SEAT_BUSY,   S(STARTING), JOB_ANSWERS),
        NEVER(SEAT_BUSY,    REST, DROPPED),
        ON(PREPARED,        S(STARTING), ADOPTING, EARLY_ANSWER),
        NEVER(PREPARED,     REST, DROPPED),
        IGNORE(NOT_PREPARED, S(STARTING), JOB_ANSWERS),
        NEVER(NOT_PREPARED, REST, DROPPED),
        /* That part is ready soon, and the rest may take longer. */
        ON(WORKER_BUSY,     S(STARTING), SAME, DO_SET_SEAT_TIMER),
        NEVER(WORKER_BUSY,  REST, DROPPED),
        ON(SEAT_TIMER,      S(STARTING), SAME, DO_ASK_SEAT),
        NEVER(SEAT_TIMER,   REST, DROPPED),

        ON(JOB_DONE,          S(STARTING) | S(STARTING_AGAIN) | S(LATE), CHECKING, DO_DROP_CALLS, DO_CHECK_CONTAINER),
        ON(JOB_DONE,          S(ADOPTING), ACTIVE, DO_DROP_DEADLINE, DO_ASK_NAMESPACE, DO_WATCH_OPENER),
        NEVER(JOB_DONE,       REST, "a lease knows a start job only in these states"),
        /* A stop of the seat has crossed the start. The login came later, so it wins. systemd makes a unit of the same
         * name only when the old one is gone. */
        ON(JOB_CANCELLED,     S(STARTING),       RESTARTING, DO_DROP_CALLS),
        ON(JOB_CANCELLED,     S(STARTING_AGAIN), DIAGNOSING, DO_DIAGNOSE),
        /* A stop of a unit of a live seat ends its logins. A second start would make a namespace that the login is not in. */
        ON(JOB_CANCELLED,     S(ADOPTING),       BREAKING, DO_DROP_DEADLINE, DO_DIAGNOSE),
        IGNORE(JOB_CANCELLED, S(LATE), "there is no time to start again; the diagnosis brings the answer"),
        NEVER(JOB_CANCELLED,  REST, "a lease knows a start job only in these states"),
        ON(JOB_FAILED,        S(STARTING) | S(STARTING_AGAIN) | S(LATE), DIAGNOSING, DO_DROP_CALLS, DO_DIAGNOSE),
        ON(JOB_FAILED,        S(ADOPTING), BREAKING, DO_DROP_DEADLINE, DO_DIAGNOSE),
        NEVER(JOB_FAILED,     REST, "a lease knows a start job only in these states"),

        ON(READY,               S(CHECKING), ACTIVE, DO_DROP_DEADLINE, DO_MARK_JOINED, DO_LOG_GIVEN, DO_TAKE_OVER,
                                DO_WATCH_OPENER, DO_ANSWER_DONE),
        NEVER(READY,            REST, DROPPED),
        ON(READY_HOLD,          S(CHECKING), HOLD, DO_DROP_DEADLINE, DO_MARK_JOINED, DO_LOG_GIVEN, DO_ANSWER_DONE),
        NEVER(READY_HOLD,       REST, DROPPED),
        ON(CONTAINER_FAULT,     S(CHECKING) | S(DIAGNOSING) | S(LATE), ENDING, END, DO_ANSWER_NO_CONTAINER),
        NEVER(CONTAINER_FAULT,  REST, DROPPED),
        ON(FAULT_FOUND,         S(DIAGNOSING), ENDING, END, DO_ANSWER_FAILED),
        ON(FAULT_FOUND,         S(LATE),       ENDING, END, DO_ANSWER_TIMEOUT),
        ON(FAULT_FOUND,         S(BREAKING),   ENDING, DO_LOG_BROKEN, DO_TELL_BROKEN, DO_LOG_TAKEN, END),
        NEVER(FAULT_FOUND,      REST, DROPPED),
        ON(DEADLINE,            STARTS & ~S(LATE), LATE, DO_DROP_CALLS, DO_DIAGNOSE),
        /* No signal has told of the end of the job. From here on the lease asks for its unit as any other. */
        ON(DEADLINE,            S(ADOPTING), ACTIVE, DO_DROP_START, DO_ASK_NAMESPACE, DO_ASK_GONE, DO_WATCH_OPENER),
        NEVER(DEADLINE,         REST, DROPPED),

        ON(FAULT,    STARTS | S(ADOPTING), ENDING, END, DO_ANSWER_FAILED),
        /* The login may have its answer already. */
        ON(FAULT,    LOGINS,      ENDING, DO_LOG_BROKEN, DO_TELL_BROKEN, DO_LOG_TAKEN, END, DO_ANSWER_FAILED),
        ON(FAULT,    TOLD,        ENDING, DO_LOG_OVER, END),
        ON(FAULT,    S(SETTLING), ENDING, DO_LOG_BACK, END),
        NEVER(FAULT, REST, "nothing that these states do can raise it"),

        ON(JOB_ENDED,     LOGINS,               SAME, DO_ASK_NAMESPACE),
        ON(JOB_ENDED,     S(SETTLING) | S(KEPT), SAME, DO_LOOK_SOON),
        IGNORE(JOB_ENDED, STARTS | EARLY, "its own start job decides, and until then its deadline"),
        IGNORE(JOB_ENDED, S(HOLD),      "a hold has no process that could be left behind"),
        IGNORE(JOB_ENDED, S(LINGERING), "linger= keeps the seat in any case"),
        /* Perhaps its stop was cancelled (`systemctl cancel`). If it was done, the lease is freed before that timer. */
        ON(JOB_ENDED,     S(ENDING), SAME, DO_STOP_SOON),
        NEVER(JOB_ENDED,  REST, TRANSIENT),

        /* At a daemon-reload systemd removes all units and loads them again at once, so the lease asks whether its own is gone. */
        ON(UNIT_REMOVED,     HAS_UNIT, SAME, DO_ASK_GONE),
        IGNORE(UNIT_REMOVED, S(STARTING) | S(STARTING_AGAIN) | S(DIAGNOSING) | S(LATE) | S(BREAKING), "its start job decides"),
        NEVER(UNIT_REMOVED,  REST, "it has no unit yet"),

        ON(GONE,     S(RESTARTING), STARTING_AGAIN, DO_START),
        ON(GONE,     S(CHECKING),   GONE, DO_REMOVE_RECORD, DO_LET_GO, DO_ANSWER_VANISHED, DO_FREE),
        ON(GONE,     LOGINS,        GONE, DO_TELL_STOPPED, DO_LOG_TAKEN, VANISH),
        ON(GONE,     S(HOLD),       GONE, DO_LOG_TAKEN, VANISH),
        ON(GONE,     TOLD,          GONE, DO_LOG_OVER, VANISH),
        ON(GONE,     S(SETTLING),   GONE, DO_LOG_BACK, VANISH),
        ON(GONE,     S(ENDING),     GONE, DO_FREE),
        ON(GONE,     S(ADOPTING),   BREAKING, DO_DROP_START, DO_DROP_DEADLINE, DO_DIAGNOSE),
        IGNORE(GONE, NO_MATTER,     DECIDED),
        NEVER(GONE,  REST, "the question is not asked in these states"),

        IGNORE(NOT_GONE,      HAS_UNIT | NO_MATTER, "systemd has reloaded and still has the unit"),
        NEVER(NOT_GONE,       REST, "the question is not asked in these states"),
        ON(GONE_UNKNOWN,      HAS_UNIT, SAME, DO_SET_GONE_TIMER),
        IGNORE(GONE_UNKNOWN,  NO_MATTER, DECIDED),
        NEVER(GONE_UNKNOWN,   REST, "the question is not asked in these states"),
        ON(GONE_TIMER,        HAS_UNIT, SAME, DO_ASK_GONE),
        IGNORE(GONE_TIMER,    NO_MATTER, DECIDED),
        NEVER(GONE_TIMER,     REST, "the question is not asked in these states"),

        ON(OPENER_DIED,         S(ACTIVE),   ORPHANED, DO_ASK_LEADER),
        NEVER(OPENER_DIED,      REST, "its process is watched only while the lease is active"),
        ON(SESSION_REMOVED,     S(ORPHANED), SAME, DO_ASK_LEADER),
        IGNORE(SESSION_REMOVED, REST, "it does not wait for the end of a session"),
        ON(LEADER_NONE,         S(ORPHANED), CLOSING, DO_DECIDE),
        NEVER(LEADER_NONE,      REST, DROPPED),
        IGNORE(LEADER_FOUND,    S(ORPHANED), "logind reports the end of that session: EVENT_SESSION_REMOVED"),
        NEVER(LEADER_FOUND,     REST, DROPPED),
        ON(LEADER_UNKNOWN,      S(ORPHANED), SAME, DO_SET_LEADER_TIMER),
        NEVER(LEADER_UNKNOWN,   REST, DROPPED),
        ON(LEADER_TIMER,        S(ORPHANED), SAME, DO_ASK_LEADER),
        NEVER(LEADER_TIMER,     REST, DROPPED),

        IGNORE(NAMESPACE_SAME,   LOGINS, "the restart of the seat's units left the namespace as it was"),
        NEVER(NAMESPACE_SAME,    REST, DROPPED),
        ON(NAMESPACE_NEW,        LOGINS, ENDING, DO_LOG_LEFT_BEHIND, DO_TELL_RESTARTED, DO_LOG_TAKEN, END),
        NEVER(NAMESPACE_NEW,     REST, DROPPED),
        ON(NAMESPACE_UNKNOWN,    LOGINS, SAME, DO_SET_NAMESPACE_TIMER),
        NEVER(NAMESPACE_UNKNOWN, REST, DROPPED),
        ON(NAMESPACE_TIMER,      LOGINS, SAME, DO_ASK_NAMESPACE),
        NEVER(NAMESPACE_TIMER,   REST, DROPPED),

        ON(LINGERS,     S(CLOSING), LINGERING, DO_LOG_KEPT, DO_LET_GO, DO_SET_LINGER_TIMER, DO_SAVE_RECORD),
        NEVER(LINGERS,  REST, "the question is asked only in LEASE_CLOSING"),
        ON(KEEPS,       S(CLOSING), SETTLING,  DO_LET_GO, DO_SET_KEEP_TIMER, DO_LOOK_SETTLED, DO_WATCH_GROUP, DO_SAVE_RECORD),
        NEVER(KEEPS,    REST, "the question is asked only in LEASE_CLOSING"),
        ON(NOT_KEPT,    S(CLOSING), ENDING,    DO_LOG_BACK, END),
        NEVER(NOT_KEPT, REST, "the question is asked only in LEASE_CLOSING"),

        ON(LINGER_OVER,      S(LINGERING), SAME, DO_LOOK),
        NEVER(LINGER_OVER,   REST, DROPPED),
        ON(KEEP_OVER,        S(SETTLING),  ENDING, DO_LOG_MAX_OVER, DO_LOG_BACK, END),
        ON(KEEP_OVER,        S(KEPT),      ENDING, DO_LOG_MAX_OVER, DO_LOG_OVER, END),
        NEVER(KEEP_OVER,     REST, DROPPED),
        ON(LOOK_TIMER,       S(SETTLING) | S(KEPT), SAME, DO_LOOK),
        NEVER(LOOK_TIMER,    REST, DROPPED),
        ON(GROUP_CHANGED,    S(SETTLING) | S(KEPT), SAME, DO_LOOK_SOON),
        NEVER(GROUP_CHANGED, REST, DROPPED),
        ON(KEEPER_FOUND,     S(LINGERING), KEPT, DO_SET_KEEP_TIMER, DO_LOOK_LATER, DO_WATCH_GROUP),
        ON(KEEPER_FOUND,     S(SETTLING),  KEPT, DO_LOG_KEPT, DO_LOOK_LATER, DO_WATCH_GROUP),
        ON(KEEPER_FOUND,     S(KEPT),      SAME, DO_LOOK_LATER, DO_WATCH_GROUP),
        NEVER(KEEPER_FOUND,  REST, "these states do not look"),
        /* After a restart of the activator within that second: the log has already said that the seat is kept. */
        ON(KEEPER_FRESH,     S(LINGERING), KEPT, DO_SET_KEEP_TIMER, DO_LOOK_LATER, DO_WATCH_GROUP),
        ON(KEEPER_FRESH,     S(SETTLING),  SAME, DO_LOOK_SETTLED, DO_WATCH_GROUP),
        ON(KEEPER_FRESH,     S(KEPT),      SAME, DO_LOOK_LATER, DO_WATCH_GROUP),
        NEVER(KEEPER_FRESH,  REST, "these states do not look"),
        ON(KEEPER_NONE,      TOLD,         ENDING, DO_LOG_OVER, END),
        ON(KEEPER_NONE,      S(SETTLING),  ENDING, DO_LOG_BACK, END),
        NEVER(KEEPER_NONE,   REST, "these states do not look"),

        ON(STOP_QUEUED,     S(ENDING), SAME, DO_STOP_LATER),
        NEVER(STOP_QUEUED,  REST, "only a lease that ends stops its unit"),
        ON(STOP_FAILED,     S(ENDING), SAME, DO_STOP_SOON),
        NEVER(STOP_FAILED,  REST, "only a lease that ends stops its unit"),
        ON(NO_SUCH_UNIT,    S(ENDING), GONE, DO_FREE),
        NEVER(NO_SUCH_UNIT, REST, "only a lease that ends stops its unit"),
        ON(STOP_TIMER,      S(ENDING), SAME, DO_STOP),
        NEVER(STOP_TIMER,   REST, "only a lease that ends stops its unit"),
};
/* clang-format on */

const struct lease_row *lease_machine_row(enum lease_state state, enum lease_event event) {
        const struct lease_row *rest = NULL;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (rows[i].event != event)
                        continue;
                if (rows[i].states & (1U << state))
                        return &rows[i];
                if (rows[i].states == REST)
                        rest = &rows[i];
        }
        return rest;
}

const struct lease_row *lease_machine_rows(size_t *ret_n) {
        *ret_n = ELEMENTSOF(rows);
        return rows;
}

#define LEASE_NAME(name, meaning) [name] = #name,

const char *lease_state_name(enum lease_state state) {
        static const char *const names[] = {LEASE_STATES(LEASE_NAME)[LEASE_GONE] = "LEASE_GONE",
                [LEASE_SAME] = "LEASE_SAME", [LEASE_NEVER] = "LEASE_NEVER"};

        return names[state];
}

const char *lease_event_name(enum lease_event event) {
        static const char *const names[] = {LEASE_EVENTS(LEASE_NAME)};

        return names[event];
}

const char *lease_action_name(enum lease_action action) {
        static const char *const names[] = {LEASE_ACTIONS(LEASE_NAME)};

        return names[action];
}
