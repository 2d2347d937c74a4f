/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The life of a lease as a transition table: a state and an event give the next state and a list of actions.
 * The table and its look-up are pure: no D-Bus, no event loop, no clock, no allocation. lease-object.c
 * handles events by the table; lease-run.c has the functions that do the actions.
 *
 * This file lists all states, events and actions, each with its meaning. lease-machine.c has the table.
 */

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define LEASE_STATES(X) \
        /* The lease starts. Its opener waits for the answer, unless it was answered already (wait=none). */ \
        X(LEASE_NEW,            "the lease has just been made; the first event ends this state") \
        X(LEASE_WIRING,         "the drop-ins of its seat are being compared and written") \
        X(LEASE_RELOADING,      "systemd reloads, because it has an old version of the seat's units in memory") \
        X(LEASE_STARTING,       "systemd has been asked to start the unit of the lease") \
        X(LEASE_RESTARTING,     "another job cancelled the start; the lease waits until the old unit is gone, and starts again") \
        X(LEASE_STARTING_AGAIN, "like LEASE_STARTING, for the second and last time") \
        X(LEASE_CHECKING,       "the seat is up; systemd is asked whether the container runs") \
        X(LEASE_DIAGNOSING,     "the start has failed; systemd is asked which unit is the reason") \
        X(LEASE_LATE,           "the start takes too long; systemd is asked which unit is the reason") \
        /* A login has its seat before systemd has started the units of it. */ \
        X(LEASE_ADOPTING,       "the login has the seat, and systemd is still starting the unit of the lease") \
        X(LEASE_BREAKING,       "that start has failed; systemd is asked which unit is the reason") \
        /* Somebody has the lease. */ \
        X(LEASE_ACTIVE,         "a login has the seat, and the process that opened the lease is alive") \
        X(LEASE_ORPHANED,       "that process is dead; logind may still have a session of which it was the leader") \
        X(LEASE_HOLD,           "an administrator holds the seat; there is no process") \
        /* The login is over. */ \
        X(LEASE_CLOSING,        "the settings are read; the answer, which comes at once, ends this state") \
        X(LEASE_LINGERING,      "the seat stays for as long as linger= says") \
        X(LEASE_SETTLING,       "leftover = keep: a process keeps the seat; the logout was less than a second ago") \
        X(LEASE_KEPT,           "leftover = keep: a process keeps the seat, and the log says so") \
        X(LEASE_ENDING,         "the lease waits until its unit is gone")

#define LEASE_EVENTS(X) \
        /* What somebody wants. */ \
        X(EVENT_OPENED,            "a login, coursenet-enter or an administrator asks for a seat") \
        X(EVENT_RESTORED,          "the activator has restarted and restores the lease of a login") \
        X(EVENT_RESTORED_STARTING, "the activator has restarted and restores the lease of a login while its unit is starting") \
        X(EVENT_RESTORED_HOLD,     "the activator has restarted and restores a hold") \
        X(EVENT_RESTORED_LINGER,   "the activator has restarted and restores a lease whose login was over") \
        X(EVENT_REPEATED,          "the activator has restarted, and the opener asks again because it has no answer") \
        X(EVENT_CLOSED,            "the opener closes the lease") \
        X(EVENT_ABANDONED,         "the opener hung up before it read the answer") \
        X(EVENT_STOPPED,           "an administrator ends the lease") \
        X(EVENT_TAKEN_OVER,        "a new login, or coursenet-enter, has the seat of a lease that lingers") \
        X(EVENT_ACTIVATOR_ENDS,    "the activator ends, or has lost the bus; the next one restores the lease") \
        /* The start. */ \
        X(EVENT_WIRED,             "the drop-ins are up to date") \
        X(EVENT_WIRED_STALE,       "the drop-ins are written, but systemd has an old version of a unit in memory") \
        X(EVENT_RELOADED,          "systemd has reloaded") \
        X(EVENT_ACCEPTED,          "systemd has queued the start job") \
        X(EVENT_SEAT_UP,           "all units of the seat are up") \
        X(EVENT_SEAT_CLEAR,        "each unit of the seat is up or starts") \
        X(EVENT_SEAT_BUSY,         "a unit of the seat stops or has failed, or systemd did not answer") \
        X(EVENT_PREPARED,          "coursenet-worker has made what is missing of the seat") \
        X(EVENT_NOT_PREPARED,      "coursenet-worker could not make it, or is not there") \
        X(EVENT_WORKER_BUSY,       "the program of a unit is making a part of it") \
        X(EVENT_SEAT_TIMER,        "it is time to ask for the units of the seat again") \
        X(EVENT_JOB_DONE,          "the start job has succeeded") \
        X(EVENT_JOB_CANCELLED,     "another job has cancelled the start job") \
        X(EVENT_JOB_FAILED,        "the start job has failed") \
        X(EVENT_READY,             "everything is up that the login waits for") \
        X(EVENT_READY_HOLD,        "everything is up that the hold waits for") \
        X(EVENT_CONTAINER_FAULT,   "the seat is up, but the container does not run") \
        X(EVENT_FAULT_FOUND,       "the reason is known, or systemd does not say it") \
        X(EVENT_DEADLINE,          "the start takes too long") \
        X(EVENT_FAULT,             "a step without which the lease cannot go on has failed") \
        /* The unit. */ \
        X(EVENT_JOB_ENDED,         "another job of the unit has ended") \
        X(EVENT_UNIT_REMOVED,      "systemd has dropped the unit, because it is gone or because systemd reloads") \
        X(EVENT_GONE,              "systemd says that the unit is gone") \
        X(EVENT_NOT_GONE,          "systemd says that the unit is there") \
        X(EVENT_GONE_UNKNOWN,      "systemd did not answer whether the unit is gone") \
        X(EVENT_GONE_TIMER,        "it is time to ask again whether the unit is gone") \
        /* The opener. */ \
        X(EVENT_OPENER_DIED,       "the process that opened the lease is dead") \
        X(EVENT_SESSION_REMOVED,   "some session of logind has ended") \
        X(EVENT_LEADER_NONE,       "logind has no session of which the dead process was the leader") \
        X(EVENT_LEADER_FOUND,      "logind has such a session") \
        X(EVENT_LEADER_UNKNOWN,    "logind did not answer, or has forgotten a session of the user that still has processes") \
        X(EVENT_LEADER_TIMER,      "it is time to ask logind again") \
        /* The namespace: it is looked at when another job of the unit has ended. */ \
        X(EVENT_NAMESPACE_SAME,    "the seat still has the namespace that the login is in") \
        X(EVENT_NAMESPACE_NEW,     "the seat has another namespace than the login") \
        X(EVENT_NAMESPACE_UNKNOWN, "the seat has no namespace now") \
        X(EVENT_NAMESPACE_TIMER,   "it is time to check again") \
        /* After the login, see linger.h. */ \
        X(EVENT_LINGERS,           "linger= keeps the seat") \
        X(EVENT_KEEPS,             "leftover = keep: a process keeps the seat") \
        X(EVENT_NOT_KEPT,          "nothing keeps the seat, or another lease has it") \
        X(EVENT_LINGER_OVER,       "linger= is over") \
        X(EVENT_KEEP_OVER,         "leftover-max= is over") \
        X(EVENT_LOOK_TIMER,        "it is time to look at what keeps the seat") \
        X(EVENT_GROUP_CHANGED,     "the control group of the process that keeps the seat has changed") \
        X(EVENT_KEEPER_FOUND,      "a process keeps the seat") \
        X(EVENT_KEEPER_FRESH,      "a process keeps the seat; the logout was less than a second ago") \
        X(EVENT_KEEPER_NONE,       "no process keeps the seat, or leftover-max= is over") \
        /* The end. */ \
        X(EVENT_STOP_QUEUED,       "systemd has queued the stop job") \
        X(EVENT_STOP_FAILED,       "systemd did not answer, or refused to stop the unit") \
        X(EVENT_NO_SUCH_UNIT,      "systemd has no such unit") \
        X(EVENT_STOP_TIMER,        "it is time to ask for the stop again")

#define LEASE_ACTIONS(X) \
        X(DO_NOTHING,              "the end of a list") \
        /* The log (the words of COURSENET_EVENT, protocol.h), and the terminals of the user. */ \
        X(DO_LOG_GIVEN,            "log \"given to\"") \
        X(DO_LOG_HELD,             "log \"still held by\"") \
        X(DO_LOG_BACK,             "log \"given back by\"") \
        X(DO_LOG_TAKEN,            "log \"taken from\"") \
        X(DO_LOG_KEPT,             "log \"kept for a while for\"") \
        X(DO_LOG_OVER,             "log \"kept no longer for\"") \
        X(DO_LOG_MAX_OVER,         "log that leftover-max= is over") \
        X(DO_LOG_HUNG_UP,          "log that the opener hung up") \
        X(DO_LOG_LEFT_BEHIND,      "log that the login is in a namespace that the seat no longer has") \
        X(DO_LOG_BROKEN,           "log which unit failed after the login had the seat") \
        X(DO_TELL_ADMIN,           "tell the user that an administrator stopped the seat") \
        X(DO_TELL_STOPPED,         "tell the user that the seat was stopped") \
        X(DO_TELL_RESTARTED,       "tell the user that the seat was restarted") \
        X(DO_TELL_BROKEN,          "tell the user that the seat failed while it started") \
        /* The record on disk. */ \
        X(DO_SAVE_RECORD,          "write it") \
        X(DO_REMOVE_RECORD,        "remove it, so that the next activator does not restore the lease") \
        /* The start. */ \
        X(DO_SET_DEADLINE,         "start the timer of EVENT_DEADLINE") \
        X(DO_WIRE,                 "compare the drop-ins of the seat and write what differs") \
        X(DO_RELOAD,               "ask systemd to reload") \
        X(DO_START,                "ask systemd to start the unit") \
        X(DO_ASK_SEAT,             "ask systemd for the units of the seat, if a login waits for nothing else") \
        X(DO_PREPARE,              "ask coursenet-worker to make what is missing of the seat") \
        X(DO_SET_SEAT_TIMER,       "start the timer of EVENT_SEAT_TIMER; each time in a row doubles the wait") \
        X(DO_CHECK_CONTAINER,      "ask whether the container runs, if the lease waits for it") \
        X(DO_DIAGNOSE,             "ask which unit is the reason") \
        X(DO_DROP_CALLS,           "drop the calls of the start") \
        X(DO_DROP_START,           "drop the calls of the start, and forget its job") \
        X(DO_DROP_DEADLINE,        "stop the timer of EVENT_DEADLINE") \
        X(DO_SET_PATIENCE,         "start it again, with a longer time than the units of a seat can take, in case no signal reports the end of the job") \
        X(DO_MARK_JOINED,          "record that the seat is given, and which namespace it has now: the login is in it") \
        /* The answer to the opener, if it still waits. A refusal is logged as well. */ \
        X(DO_ANSWER_EARLY,         "yes, to an opener with wait=none") \
        X(DO_ANSWER_DONE,          "yes") \
        X(DO_ANSWER_FAILED,        "no, for the reason of EVENT_FAULT or EVENT_FAULT_FOUND") \
        X(DO_ANSWER_TIMEOUT,       "no, the start took too long") \
        X(DO_ANSWER_NO_CONTAINER,  "no, the container does not run") \
        X(DO_ANSWER_STOPPED,       "no, an administrator stopped the seat") \
        X(DO_ANSWER_VANISHED,      "no, the seat was stopped while it came up") \
        X(DO_ANSWER_CLOSED,        "no, the opener closed the lease; not logged") \
        /* The opener. */ \
        X(DO_WATCH_OPENER,         "raise EVENT_OPENER_DIED when its process is dead, or is dead already") \
        X(DO_STOP_WATCH,           "stop that, and the timer of EVENT_NAMESPACE_TIMER, because the opener waits for its answer again") \
        X(DO_ASK_LEADER,           "ask logind for a session of the dead process, unless the question is under way") \
        X(DO_SET_LEADER_TIMER,     "start the timer of EVENT_LEADER_TIMER") \
        X(DO_LET_GO,               "drop the opener and every wait, except for the end of the unit") \
        /* The namespace. */ \
        X(DO_ASK_NAMESPACE,        "raise EVENT_NAMESPACE_SAME, EVENT_NAMESPACE_NEW or EVENT_NAMESPACE_UNKNOWN") \
        X(DO_SET_NAMESPACE_TIMER,  "start the timer of EVENT_NAMESPACE_TIMER") \
        /* After the login. */ \
        X(DO_TAKE_OVER,            "raise EVENT_TAKEN_OVER in the leases that linger on the seat") \
        X(DO_DECIDE,               "raise EVENT_LINGERS, EVENT_KEEPS or EVENT_NOT_KEPT") \
        X(DO_SET_LINGER_TIMER,     "start the timer of EVENT_LINGER_OVER") \
        X(DO_SET_KEEP_TIMER,       "start the timer of EVENT_KEEP_OVER") \
        X(DO_LOOK,                 "raise EVENT_KEEPER_FOUND, EVENT_KEEPER_FRESH or EVENT_KEEPER_NONE") \
        X(DO_LOOK_SETTLED,         "start the timer of EVENT_LOOK_TIMER, for when the processes of the login have ended") \
        X(DO_LOOK_SOON,            "start it for a moment from now; each time in a row doubles the moment") \
        X(DO_LOOK_LATER,           "start it for the regular interval") \
        X(DO_WATCH_GROUP,          "watch the control group of the process that keeps the seat") \
        /* The end. */ \
        X(DO_STOP,                 "ask systemd to stop the unit") \
        X(DO_STOP_SOON,            "start the timer of EVENT_STOP_TIMER, because the call failed or the stop may be cancelled") \
        X(DO_STOP_LATER,           "start it for a minute, in case no signal reports the end of the unit") \
        X(DO_ASK_GONE,             "ask systemd whether the unit is gone") \
        X(DO_SET_GONE_TIMER,       "start the timer of EVENT_GONE_TIMER") \
        X(DO_FREE,                 "free the lease; if it was the last of its seat, clear the seat") \
        X(DO_FORGET,               "free the lease; its unit and its record stay")
/* clang-format on */

#define LEASE_ENUMERATOR(name, meaning) name,

enum lease_state {
        LEASE_STATES(LEASE_ENUMERATOR) _LEASE_STATE_MAX,
        /* Only as the next state: */
        LEASE_GONE = _LEASE_STATE_MAX, /* the lease has been freed */
        LEASE_SAME,                    /* the state stays */
        LEASE_NEVER,                   /* the event cannot come in this state */
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
        const char *why; /* in a row without effect: why the event has none, or cannot come; else NULL */
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
