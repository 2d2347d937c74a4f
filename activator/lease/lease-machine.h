/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The life of a lease as a table: state and event give the next state and a list of actions. This part is
 * pure: it knows no D-Bus, no event loop, no clock and no memory. lease-run.c raises the events and carries
 * out the actions.
 *
 * Three lists are here, each entry with its meaning: states, events, actions. The table is in
 * lease-machine.c.
 */

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define LEASE_STATES(X) \
        /* A lease that is being started. Its opener waits for the answer, unless it has hung up or has wait=none. */ \
        X(LEASE_NEW,            "it has just been made; lasts for no event but the first") \
        X(LEASE_WIRING,         "the wiring of its seat is being brought up to date") \
        X(LEASE_RELOADING,      "systemd reloads, because it has an old version of the seat's units in memory") \
        X(LEASE_STARTING,       "systemd has been asked to start its unit") \
        X(LEASE_RESTARTING,     "its start was cancelled; it waits until the old unit is gone, to start again") \
        X(LEASE_STARTING_AGAIN, "the same as LEASE_STARTING for the second and last time") \
        X(LEASE_CHECKING,       "its seat is up; whether its container runs is being asked") \
        X(LEASE_DIAGNOSING,     "its start has failed; which unit is to blame is being asked") \
        X(LEASE_LATE,           "its time to start is over; which unit is slow is being asked") \
        /* A lease that somebody has. */ \
        X(LEASE_ACTIVE,         "its login goes on, and the process that opened it is alive") \
        X(LEASE_ORPHANED,       "the process that opened it is dead; logind may still have a session led by it") \
        X(LEASE_HOLD,           "an administrator's hold on the seat; it has no process") \
        /* A lease that has been given back. */ \
        X(LEASE_CLOSING,        "its login is over; lasts only while its seat's settings are read") \
        X(LEASE_LINGERING,      "its seat stays for linger=") \
        X(LEASE_SETTLING,       "leftover = keep: a process keeps the seat, but the logout was a moment ago") \
        X(LEASE_KEPT,           "leftover = keep: a process keeps the seat, and the log says so") \
        X(LEASE_ENDING,         "it waits until its unit is gone")

#define LEASE_EVENTS(X) \
        /* What somebody asks for. */ \
        X(EVENT_OPENED,            "a login, coursenet-enter or an administrator asks for a seat") \
        X(EVENT_RESTORED,          "a login's lease of an earlier activator is taken up") \
        X(EVENT_RESTORED_HOLD,     "the same of a hold") \
        X(EVENT_RESTORED_LINGER,   "the same of a lease whose login was over") \
        X(EVENT_CLOSED,            "its opener gives it back") \
        X(EVENT_ABANDONED,         "its opener hung up without reading the answer") \
        X(EVENT_STOPPED,           "an administrator ends all leases of its seat") \
        X(EVENT_TAKEN_OVER,        "a new login has its seat") \
        X(EVENT_ACTIVATOR_ENDS,    "the activator ends or has lost the bus; the next one takes the lease up") \
        /* Its start. */ \
        X(EVENT_WIRED,             "the wiring is up to date") \
        X(EVENT_WIRED_STALE,       "the same, but systemd has an old version of a unit in memory") \
        X(EVENT_RELOADED,          "systemd has reloaded") \
        X(EVENT_ACCEPTED,          "systemd has queued the start of its unit") \
        X(EVENT_JOB_DONE,          "its start has succeeded") \
        X(EVENT_JOB_CANCELLED,     "its start was cancelled by another job") \
        X(EVENT_JOB_FAILED,        "its start has failed") \
        X(EVENT_READY,             "all is up that its login waits for") \
        X(EVENT_READY_HOLD,        "all is up that its hold waits for") \
        X(EVENT_CONTAINER_FAULT,   "its seat is up, the container that it waits for is not") \
        X(EVENT_FAULT_FOUND,       "it is known which unit is to blame, or that this cannot be known") \
        X(EVENT_DEADLINE,          "its time to start is over") \
        X(EVENT_FAULT,             "something that cannot be done without has failed: a call, a file, memory") \
        /* Its unit. */ \
        X(EVENT_JOB_ENDED,         "a job of its unit has ended that is not its start") \
        X(EVENT_UNIT_REMOVED,      "systemd has dropped its unit: it is gone, or systemd reloads") \
        X(EVENT_GONE,              "systemd says that the unit is gone") \
        X(EVENT_NOT_GONE,          "systemd says that the unit is there") \
        X(EVENT_GONE_UNKNOWN,      "systemd does not say whether the unit is gone") \
        X(EVENT_GONE_TIMER,        "it is time to ask again whether the unit is gone") \
        /* Its opener. */ \
        X(EVENT_OPENER_DIED,       "the process that opened it is dead") \
        X(EVENT_SESSION_REMOVED,   "a session of logind's has ended, anybody's") \
        X(EVENT_LEADER_NONE,       "logind has no session that the dead process leads") \
        X(EVENT_LEADER_FOUND,      "logind has such a session") \
        X(EVENT_LEADER_UNKNOWN,    "logind does not say") \
        X(EVENT_LEADER_TIMER,      "it is time to ask logind again") \
        /* Its namespace, asked for when a job of its unit has ended. */ \
        X(EVENT_NAMESPACE_SAME,    "the seat has the namespace that the login is in") \
        X(EVENT_NAMESPACE_NEW,     "the seat has a newer one; the login was left behind") \
        X(EVENT_NAMESPACE_UNKNOWN, "systemd does not say") \
        X(EVENT_NAMESPACE_TIMER,   "it is time to ask systemd again") \
        /* After its login: see linger.h. */ \
        X(EVENT_LINGERS,           "linger= keeps its seat") \
        X(EVENT_KEEPS,             "a process keeps its seat") \
        X(EVENT_NOT_KEPT,          "nothing keeps its seat, or another lease has it") \
        X(EVENT_LINGER_OVER,       "linger= is over") \
        X(EVENT_KEEP_OVER,         "leftover-max= is over") \
        X(EVENT_LOOK_TIMER,        "it is time to look at what keeps the seat") \
        X(EVENT_GROUP_CHANGED,     "the control group of the process that keeps the seat has changed") \
        X(EVENT_KEEPER_FOUND,      "a process keeps the seat") \
        X(EVENT_KEEPER_FRESH,      "the same, but the login closed less than a second ago") \
        X(EVENT_KEEPER_NONE,       "no process keeps the seat, or its time is over") \
        /* Its end. */ \
        X(EVENT_STOP_QUEUED,       "systemd has queued the stop of its unit") \
        X(EVENT_STOP_FAILED,       "systemd could not be asked to stop its unit, or refused") \
        X(EVENT_NO_SUCH_UNIT,      "systemd does not know its unit") \
        X(EVENT_STOP_TIMER,        "it is time to ask for the stop again")

#define LEASE_ACTIONS(X) \
        X(DO_NOTHING,              "the end of a list") \
        /* The log, and the user's terminals. */ \
        X(DO_LOG_GIVEN,            "given to") \
        X(DO_LOG_HELD,             "still held by") \
        X(DO_LOG_BACK,             "given back by") \
        X(DO_LOG_TAKEN,            "taken from") \
        X(DO_LOG_KEPT,             "kept for a while for") \
        X(DO_LOG_OVER,             "kept no longer for") \
        X(DO_LOG_MAX_OVER,         "leftover-max= is the reason") \
        X(DO_LOG_HUNG_UP,          "its opener hung up") \
        X(DO_LOG_LEFT_BEHIND,      "its login is in a namespace that the seat no longer has") \
        X(DO_TELL_ADMIN,           "tell the user that an administrator stopped the seat") \
        X(DO_TELL_STOPPED,         "tell the user that the seat was stopped") \
        X(DO_TELL_RESTARTED,       "tell the user that the seat was restarted") \
        /* The record on disk. */ \
        X(DO_SAVE_RECORD,          "write it") \
        X(DO_REMOVE_RECORD,        "remove it: the next activator is not to take the lease up") \
        /* The start. */ \
        X(DO_SET_DEADLINE,         "start the timer of EVENT_DEADLINE") \
        X(DO_WIRE,                 "bring the wiring of the seat up to date") \
        X(DO_RELOAD,               "ask systemd to reload") \
        X(DO_START,                "ask systemd to start the unit") \
        X(DO_CHECK_CONTAINER,      "ask whether the container runs, if the lease waits for it") \
        X(DO_DIAGNOSE,             "ask which unit is to blame") \
        X(DO_DROP_CALLS,           "forget the calls of the start that are under way") \
        X(DO_DROP_DEADLINE,        "stop the timer of EVENT_DEADLINE") \
        X(DO_MARK_JOINED,          "note the time: the login is in the namespace that the seat has now") \
        /* The answer to its opener: the first one counts, and only if the opener still waits. */ \
        X(DO_ANSWER_EARLY,         "yes, to an opener with wait=none") \
        X(DO_ANSWER_DONE,          "yes") \
        X(DO_ANSWER_FAILED,        "no, because of EVENT_FAULT or EVENT_FAULT_FOUND; logged as well") \
        X(DO_ANSWER_TIMEOUT,       "no, it took too long; logged as well") \
        X(DO_ANSWER_NO_CONTAINER,  "no, the container does not run; logged as well") \
        X(DO_ANSWER_STOPPED,       "no, an administrator stopped the seat; logged as well") \
        X(DO_ANSWER_VANISHED,      "no, the seat was stopped while it came up; logged as well") \
        X(DO_ANSWER_CLOSED,        "no, the lease was given back before its seat was up") \
        /* The opener. */ \
        X(DO_WATCH_OPENER,         "raise EVENT_OPENER_DIED when its process is dead, or is dead already") \
        X(DO_ASK_LEADER,           "ask logind for its session, unless that is being asked") \
        X(DO_SET_LEADER_TIMER,     "start the timer of EVENT_LEADER_TIMER") \
        X(DO_LET_GO,               "forget the opener and everything that the lease waits for but its unit's end") \
        /* The namespace. */ \
        X(DO_ASK_NAMESPACE,        "ask systemd since when the namespace is there") \
        X(DO_SET_NAMESPACE_TIMER,  "start the timer of EVENT_NAMESPACE_TIMER") \
        /* After the login. */ \
        X(DO_TAKE_OVER,            "raise EVENT_TAKEN_OVER for the leases that linger on the seat") \
        X(DO_DECIDE,               "raise EVENT_LINGERS, EVENT_KEEPS or EVENT_NOT_KEPT") \
        X(DO_SET_LINGER_TIMER,     "start the timer of EVENT_LINGER_OVER") \
        X(DO_SET_KEEP_TIMER,       "start the timer of EVENT_KEEP_OVER") \
        X(DO_LOOK,                 "raise EVENT_KEEPER_FOUND, EVENT_KEEPER_FRESH or EVENT_KEEPER_NONE") \
        X(DO_LOOK_SETTLED,         "start the timer of EVENT_LOOK_TIMER: when the login's own processes have ended") \
        X(DO_LOOK_SOON,            "the same, at once; the more often, the later") \
        X(DO_LOOK_LATER,           "the same, at the regular interval") \
        X(DO_WATCH_GROUP,          "watch the control group of the process that keeps the seat") \
        /* The end. */ \
        X(DO_STOP,                 "ask systemd to stop the unit") \
        X(DO_STOP_SOON,            "start the timer of EVENT_STOP_TIMER, because the last call failed") \
        X(DO_STOP_LATER,           "the same, in case nothing is heard of the unit's end") \
        X(DO_ASK_GONE,             "ask systemd whether the unit is gone") \
        X(DO_SET_GONE_TIMER,       "start the timer of EVENT_GONE_TIMER") \
        X(DO_FREE,                 "free the lease, and clear the seat if it was the last one") \
        X(DO_FORGET,               "free the lease; its unit, its record and its descriptor in PID 1 stay")
/* clang-format on */

#define LEASE_ENUMERATOR(name, meaning) name,

enum lease_state {
        LEASE_STATES(LEASE_ENUMERATOR) _LEASE_STATE_MAX,
        LEASE_GONE = _LEASE_STATE_MAX, /* only as the next state: the lease has been freed */
        LEASE_SAME,                    /* only as the next state: the one it is in */
        LEASE_NEVER,                   /* only as the next state: the event cannot come in that state */
};

enum lease_event {
        LEASE_EVENTS(LEASE_ENUMERATOR) _LEASE_EVENT_MAX
};
enum lease_action {
        LEASE_ACTIONS(LEASE_ENUMERATOR) _LEASE_ACTION_MAX
};

/* As many actions as the longest list has, and the DO_NOTHING that ends it. */
#define LEASE_ACTIONS_MAX 8U

struct lease_row {
        enum lease_event event;
        uint32_t states; /* a bit for each state; 0: all that no other row of the event names */
        enum lease_state next;
        const char *why; /* of a row without effect: why the event is ignored, or cannot come */
        enum lease_action actions[LEASE_ACTIONS_MAX];
};

/* The row of that cell. There is exactly one for each state below _LEASE_STATE_MAX and each event. */
const struct lease_row *lease_machine_row(enum lease_state state, enum lease_event event);

/* The whole table, for the tests. */
const struct lease_row *lease_machine_rows(size_t *ret_n);

/* "LEASE_ACTIVE", "EVENT_CLOSED", "DO_STOP", for messages. */
const char *lease_state_name(enum lease_state state);
const char *lease_event_name(enum lease_event event);
const char *lease_action_name(enum lease_action action);
