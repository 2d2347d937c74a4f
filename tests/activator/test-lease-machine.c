/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * States every cell of the transition table in lease-machine.c a second time, by what coursenet-activator(8)
 * and coursenet.conf(5) promise to logins, to administrators and after a logout. A cell that no promise is
 * about must say that the event cannot come.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lease/lease-machine.h"
#include "util.h"

struct promise {
        const char *states, *event, *next, *actions;
};

/* Lists that many promises share. */
#define START "WIRING RELOADING STARTING RESTARTING STARTING_AGAIN CHECKING DIAGNOSING LATE"
#define EARLY "ADOPTING BREAKING"
#define LIVE "ACTIVE ORPHANED HOLD"
#define AFTER "LINGERING SETTLING KEPT"
#define END "REMOVE_RECORD LET_GO STOP"
#define VANISH "REMOVE_RECORD LET_GO FREE"
#define ANSWER_EARLY "SET_PATIENCE MARK_JOINED ANSWER_DONE LOG_GIVEN TAKE_OVER"
#define IGNORED NULL, NULL

/* clang-format off */
static const struct promise promises[] = {
        /* "turns each login of a course user into a lease": its record is there before its unit. */
        {"NEW", "OPENED", "WIRING", "SAVE_RECORD SET_DEADLINE WIRE"},
        {"WIRING", "WIRED", "STARTING", "START ASK_SEAT"},
        {"WIRING", "WIRED_STALE", "RELOADING", "RELOAD"},
        {"RELOADING", "RELOADED", "STARTING", "START ASK_SEAT"},
        {"STARTING STARTING_AGAIN", "ACCEPTED", "SAME", "ANSWER_EARLY"},
        {"STARTING STARTING_AGAIN LATE", "JOB_DONE", "CHECKING", "DROP_CALLS CHECK_CONTAINER"},
        {"CHECKING", "READY", "ACTIVE", "DROP_DEADLINE MARK_JOINED LOG_GIVEN TAKE_OVER WATCH_OPENER ANSWER_DONE"},
        {"CHECKING", "READY_HOLD", "HOLD", "DROP_DEADLINE MARK_JOINED LOG_GIVEN ANSWER_DONE"},

        /* "A login does not wait for the units of its seat if the seat is up, or if coursenet-worker makes it." */
        {"STARTING", "SEAT_UP", "ADOPTING", ANSWER_EARLY},
        {"STARTING", "SEAT_CLEAR", "SAME", "PREPARE"},
        {"STARTING", "PREPARED", "ADOPTING", ANSWER_EARLY},
        {"STARTING", "SEAT_BUSY", IGNORED},
        {"STARTING", "NOT_PREPARED", IGNORED},
        {"STARTING", "WORKER_BUSY", "SAME", "SET_SEAT_TIMER"},
        {"STARTING", "SEAT_TIMER", "SAME", "ASK_SEAT"},
        {"ADOPTING", "JOB_DONE", "ACTIVE", "DROP_DEADLINE ASK_NAMESPACE WATCH_OPENER"},
        {"ADOPTING", "DEADLINE", "ACTIVE", "DROP_START ASK_NAMESPACE ASK_GONE WATCH_OPENER"},
        /* "If the units then fail, or are stopped, the lease ends and the student is told." */
        {"ADOPTING", "JOB_FAILED", "BREAKING", "DROP_DEADLINE DIAGNOSE"},
        {"ADOPTING", "JOB_CANCELLED", "BREAKING", "DROP_DEADLINE DIAGNOSE"},
        {"BREAKING", "FAULT_FOUND", "ENDING", "LOG_BROKEN TELL_BROKEN LOG_TAKEN " END},
        {"ADOPTING", "FAULT", "ENDING", END " ANSWER_FAILED"},
        {"ADOPTING", "GONE", "BREAKING", "DROP_START DROP_DEADLINE DIAGNOSE"},
        {"BREAKING", "UNIT_REMOVED", IGNORED},
        {EARLY, "JOB_ENDED", IGNORED},

        /* A login that comes during the seat's end wins: its start is retried, and only once. */
        {"STARTING", "JOB_CANCELLED", "RESTARTING", "DROP_CALLS"},
        {"RESTARTING", "UNIT_REMOVED", "SAME", "ASK_GONE"},
        {"RESTARTING", "GONE", "STARTING_AGAIN", "START"},
        {"STARTING_AGAIN", "JOB_CANCELLED", "DIAGNOSING", "DIAGNOSE"},
        {"LATE", "JOB_CANCELLED", IGNORED},
        {"STARTING_AGAIN DIAGNOSING LATE BREAKING", "GONE", IGNORED},
        {"STARTING_AGAIN DIAGNOSING LATE BREAKING", "NOT_GONE", IGNORED},
        {"STARTING_AGAIN DIAGNOSING LATE BREAKING", "GONE_UNKNOWN", IGNORED},
        {"STARTING_AGAIN DIAGNOSING LATE BREAKING", "GONE_TIMER", IGNORED},

        /* pam_coursenet(8): a start that fails, or is not done in time, is refused with the unit to look at. */
        {"STARTING STARTING_AGAIN LATE", "JOB_FAILED", "DIAGNOSING", "DROP_CALLS DIAGNOSE"},
        {"DIAGNOSING", "FAULT_FOUND", "ENDING", END " ANSWER_FAILED"},
        {"WIRING RELOADING STARTING RESTARTING STARTING_AGAIN CHECKING DIAGNOSING", "DEADLINE", "LATE", "DROP_CALLS DIAGNOSE"},
        {"LATE", "FAULT_FOUND", "ENDING", END " ANSWER_TIMEOUT"},
        {"CHECKING DIAGNOSING LATE", "CONTAINER_FAULT", "ENDING", END " ANSWER_NO_CONTAINER"},
        {START, "FAULT", "ENDING", END " ANSWER_FAILED"},
        {"ACTIVE ORPHANED", "FAULT", "ENDING", "LOG_BROKEN TELL_BROKEN LOG_TAKEN " END " ANSWER_FAILED"},
        {"STARTING STARTING_AGAIN DIAGNOSING LATE", "UNIT_REMOVED", IGNORED},
        {START, "JOB_ENDED", IGNORED},

        /* "A lease ends when the login closes its PAM session". A hold is closed by root, who names its id. */
        {"ACTIVE ORPHANED", "CLOSED", "CLOSING", "DECIDE"},
        {"ADOPTING", "CLOSED", "CLOSING", "DROP_START DROP_DEADLINE DECIDE"},
        {"BREAKING", "CLOSED", "ENDING", "LOG_BACK " END},
        {"CLOSING", "NOT_KEPT", "ENDING", "LOG_BACK " END},
        {"HOLD", "CLOSED", "ENDING", "LOG_BACK " END},
        {START, "CLOSED", "ENDING", END " ANSWER_CLOSED"},
        {AFTER " ENDING", "CLOSED", IGNORED},

        /* Nobody would close a lease whose opener never read the answer. */
        {START, "ABANDONED", "ENDING", "LOG_HUNG_UP " END},
        {EARLY " " LIVE, "ABANDONED", "ENDING", "LOG_HUNG_UP LOG_BACK " END},
        {AFTER " ENDING", "ABANDONED", IGNORED},

        /* "or when the process that opened it is dead and systemd-logind has no session led by it any more" */
        {"ACTIVE", "OPENER_DIED", "ORPHANED", "ASK_LEADER"},
        {"ORPHANED", "LEADER_NONE", "CLOSING", "DECIDE"},
        {"ORPHANED", "LEADER_FOUND", IGNORED},
        {"ORPHANED", "LEADER_UNKNOWN", "SAME", "SET_LEADER_TIMER"},
        {"ORPHANED", "LEADER_TIMER", "SAME", "ASK_LEADER"},
        {"ORPHANED", "SESSION_REMOVED", "SAME", "ASK_LEADER"},
        {"NEW " START " " EARLY " ACTIVE HOLD CLOSING " AFTER " ENDING", "SESSION_REMOVED", IGNORED},

        /* coursenetctl stop: "the end of every lease of one". */
        {START, "STOPPED", "ENDING", END " ANSWER_STOPPED"},
        {EARLY " ACTIVE ORPHANED", "STOPPED", "ENDING", "TELL_ADMIN LOG_TAKEN " END},
        {"HOLD", "STOPPED", "ENDING", "LOG_TAKEN " END},
        {"LINGERING KEPT", "STOPPED", "ENDING", "LOG_OVER " END},
        {"SETTLING", "STOPPED", "ENDING", "LOG_BACK " END},
        {"ENDING", "STOPPED", IGNORED},

        /* "When an administrator stops a unit of a live seat, its leases end and the students are told". A
         * daemon-reload, after which the unit is there, changes nothing. */
        {"CHECKING ADOPTING " LIVE " " AFTER " ENDING", "UNIT_REMOVED", "SAME", "ASK_GONE"},
        {"RESTARTING CHECKING ADOPTING " LIVE " " AFTER " ENDING", "NOT_GONE", IGNORED},
        {"RESTARTING CHECKING ADOPTING " LIVE " " AFTER " ENDING", "GONE_UNKNOWN", "SAME", "SET_GONE_TIMER"},
        {"RESTARTING CHECKING ADOPTING " LIVE " " AFTER " ENDING", "GONE_TIMER", "SAME", "ASK_GONE"},
        {"CHECKING", "GONE", "GONE", "REMOVE_RECORD LET_GO ANSWER_VANISHED FREE"},
        {"ACTIVE ORPHANED", "GONE", "GONE", "TELL_STOPPED LOG_TAKEN " VANISH},
        {"HOLD", "GONE", "GONE", "LOG_TAKEN " VANISH},
        {"LINGERING KEPT", "GONE", "GONE", "LOG_OVER " VANISH},
        {"SETTLING", "GONE", "GONE", "LOG_BACK " VANISH},
        {"ENDING", "GONE", "GONE", "FREE"},

        /* A login that is left in a namespace from before a restart of netns@ has no network: it is told so. */
        {"ACTIVE ORPHANED", "JOB_ENDED", "SAME", "ASK_NAMESPACE"},
        {"ACTIVE ORPHANED", "NAMESPACE_SAME", IGNORED},
        {"ACTIVE ORPHANED", "NAMESPACE_NEW", "ENDING", "LOG_LEFT_BEHIND TELL_RESTARTED LOG_TAKEN " END},
        {"ACTIVE ORPHANED", "NAMESPACE_UNKNOWN", "SAME", "SET_NAMESPACE_TIMER"},
        {"ACTIVE ORPHANED", "NAMESPACE_TIMER", "SAME", "ASK_NAMESPACE"},
        {"HOLD LINGERING", "JOB_ENDED", IGNORED},

        /* "linger = seconds: How long a seat stays up after its last login has ended" */
        {"CLOSING", "LINGERS", "LINGERING", "LOG_KEPT LET_GO SET_LINGER_TIMER SAVE_RECORD"},
        {"LINGERING", "LINGER_OVER", "SAME", "LOOK"},
        {"LINGERING", "KEEPER_NONE", "ENDING", "LOG_OVER " END},
        /* "A login within that time has its seat at once": what lingers makes way for it. */
        {"LINGERING KEPT", "TAKEN_OVER", "ENDING", "LOG_OVER " END},
        {"SETTLING", "TAKEN_OVER", "ENDING", "LOG_BACK " END},
        {"LINGERING KEPT", "FAULT", "ENDING", "LOG_OVER " END},
        {"SETTLING", "FAULT", "ENDING", "LOG_BACK " END},

        /* "leftover = keep": the seat stays while a process of the student's runs in it. The log says so when it
         * has run for a second. */
        {"CLOSING", "KEEPS", "SETTLING", "LET_GO SET_KEEP_TIMER LOOK_SETTLED WATCH_GROUP SAVE_RECORD"},
        {"SETTLING KEPT", "LOOK_TIMER", "SAME", "LOOK"},
        {"SETTLING KEPT", "GROUP_CHANGED", "SAME", "LOOK_SOON"},
        {"SETTLING KEPT", "JOB_ENDED", "SAME", "LOOK_SOON"},
        {"SETTLING", "KEEPER_FRESH", "SAME", "LOOK_SETTLED WATCH_GROUP"},
        {"SETTLING", "KEEPER_FOUND", "KEPT", "LOG_KEPT LOOK_LATER WATCH_GROUP"},
        {"LINGERING", "KEEPER_FOUND", "KEPT", "SET_KEEP_TIMER LOOK_LATER WATCH_GROUP"},
        {"LINGERING", "KEEPER_FRESH", "KEPT", "SET_KEEP_TIMER LOOK_LATER WATCH_GROUP"},
        {"KEPT", "KEEPER_FOUND", "SAME", "LOOK_LATER WATCH_GROUP"},
        {"KEPT", "KEEPER_FRESH", "SAME", "LOOK_LATER WATCH_GROUP"},
        /* "When no process is left that counts, the seat goes at once." */
        {"SETTLING", "KEEPER_NONE", "ENDING", "LOG_BACK " END},
        {"KEPT", "KEEPER_NONE", "ENDING", "LOG_OVER " END},
        /* "When leftover-max is over, the seat goes as with cut." */
        {"SETTLING", "KEEP_OVER", "ENDING", "LOG_MAX_OVER LOG_BACK " END},
        {"KEPT", "KEEP_OVER", "ENDING", "LOG_MAX_OVER LOG_OVER " END},

        /* "The daemon may be restarted at any time: leases are units, their records [...] are kept" */
        {"NEW " START " " EARLY " " LIVE " CLOSING " AFTER " ENDING", "ACTIVATOR_ENDS", "GONE", "FORGET"},
        {"NEW", "RESTORED", "ACTIVE", "LOG_HELD ASK_NAMESPACE WATCH_OPENER"},
        {"NEW", "RESTORED_STARTING", "ADOPTING", "SET_PATIENCE LOG_HELD"},
        /* A module whose connection broke asks again with the same token, and one login has one lease. */
        {"ADOPTING", "REPEATED", "STARTING_AGAIN", "SET_DEADLINE ANSWER_EARLY"},
        {"ACTIVE", "REPEATED", "CHECKING", "STOP_WATCH SET_DEADLINE ANSWER_EARLY CHECK_CONTAINER"},
        {"NEW", "RESTORED_HOLD", "HOLD", "MARK_JOINED LOG_HELD"},
        {"NEW", "RESTORED_LINGER", "LINGERING", "SET_LINGER_TIMER"},

        /* A lease is not forgotten before its unit is gone. */
        {"ENDING", "STOP_QUEUED", "SAME", "STOP_LATER"},
        {"ENDING", "STOP_FAILED", "SAME", "STOP_SOON"},
        {"ENDING", "STOP_TIMER", "SAME", "STOP"},
        /* Somebody may have cancelled the stop. */
        {"ENDING", "JOB_ENDED", "SAME", "STOP_SOON"},
        {"ENDING", "NO_SUCH_UNIT", "GONE", "FREE"},
};
/* clang-format on */

/* The words stand with single blanks between them. */
static bool has_word(const char *words, const char *word) {
        size_t length = strlen(word);

        for (const char *at = words; (at = strstr(at, word)); at++)
                if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
                        return true;
        return false;
}

static const char *bare(const char *name) {
        return strchr(name, '_') + 1;
}

static const struct promise *find(enum lease_state state, enum lease_event event) {
        const struct promise *found = NULL;

        for (size_t i = 0; i < ELEMENTSOF(promises); i++) {
                if (!string_equal(promises[i].event, bare(lease_event_name(event))) ||
                        !has_word(promises[i].states, bare(lease_state_name(state))))
                        continue;
                assert_null(found); /* each cell is promised once */
                found = &promises[i];
        }
        return found;
}

static void format_actions(const struct lease_row *row, char *ret, size_t size) {
        size_t length = 0;

        *ret = '\0';
        for (size_t i = 0; i < LEASE_ACTIONS_MAX && row->actions[i] != DO_NOTHING; i++)
                length += (size_t)snprintf(ret + length, size - length, "%s%s", i > 0 ? " " : "",
                        bare(lease_action_name(row->actions[i])));
}

static void check_cell(enum lease_state state, enum lease_event event) {
        const struct lease_row *row = lease_machine_row(state, event);
        const struct promise *promise = find(state, event);
        char actions[512];

        assert_non_null(row);
        format_actions(row, actions, sizeof(actions));
        if (!promise || !promise->next) {
                if (row->next != (promise ? LEASE_SAME : LEASE_NEVER) || actions[0] || !row->why)
                        fail_msg("%s in %s should %s", lease_event_name(event), lease_state_name(state),
                                promise ? "be ignored, with a reason" : "be impossible, with a reason");
                return;
        }
        if (!string_equal(bare(lease_state_name(row->next)), promise->next) ||
                !string_equal(actions, promise->actions) || row->why)
                fail_msg("%s in %s should be %s: %s, and is %s: %s", lease_event_name(event),
                        lease_state_name(state), promise->next, promise->actions, lease_state_name(row->next),
                        actions);
}

static void each_cell_is_as_promised(void **state) {
        unsigned n = 0;

        (void)state;
        for (unsigned i = 0; i < _LEASE_STATE_MAX; i++)
                for (unsigned j = 0; j < _LEASE_EVENT_MAX; j++, n++)
                        check_cell((enum lease_state)i, (enum lease_event)j);
        print_message("%u cells\n", n);
        assert_int_equal(n, _LEASE_STATE_MAX * _LEASE_EVENT_MAX);
}

/* A misspelt promise would be one that no cell is held to. */
static void each_promise_is_of_cells_that_there_are(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(promises); i++) {
                unsigned n = 0, words = 1;

                for (const char *at = promises[i].states; *at; at++)
                        words += *at == ' ';
                for (unsigned j = 0; j < _LEASE_STATE_MAX; j++)
                        for (unsigned k = 0; k < _LEASE_EVENT_MAX; k++)
                                n += find((enum lease_state)j, (enum lease_event)k) == &promises[i];
                if (n != words)
                        fail_msg("the promise of %s in %s", promises[i].event, promises[i].states);
        }
}

/* Two rows for a cell, or none, would make the order of the rows count. */
static void each_cell_has_one_row(void **state) {
        size_t n;
        const struct lease_row *rows = lease_machine_rows(&n);

        (void)state;
        for (unsigned event = 0; event < _LEASE_EVENT_MAX; event++) {
                uint32_t seen = 0;
                unsigned rests = 0;

                for (size_t i = 0; i < n; i++) {
                        if (rows[i].event != (enum lease_event)event)
                                continue;
                        rests += rows[i].states == 0;
                        assert_int_equal(seen & rows[i].states, 0);
                        seen |= rows[i].states;
                }
                assert_int_equal(rests, 1);
                assert_true(seen < 1U << _LEASE_STATE_MAX);
        }
}

/* The last action of a list is DO_NOTHING, and behind the action that frees the lease there is no other. */
static void nothing_is_done_to_a_lease_that_is_freed(void **state) {
        size_t n;
        const struct lease_row *rows = lease_machine_rows(&n);

        (void)state;
        for (size_t i = 0; i < n; i++) {
                bool freed = false;

                assert_int_equal(rows[i].actions[LEASE_ACTIONS_MAX - 1], DO_NOTHING);
                for (size_t j = 0; rows[i].actions[j] != DO_NOTHING; j++) {
                        assert_false(freed);
                        freed = rows[i].actions[j] == DO_FREE || rows[i].actions[j] == DO_FORGET;
                }
                assert_int_equal(freed, rows[i].next == LEASE_GONE);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_cell_is_as_promised),
                cmocka_unit_test(each_promise_is_of_cells_that_there_are),
                cmocka_unit_test(each_cell_has_one_row),
                cmocka_unit_test(nothing_is_done_to_a_lease_that_is_freed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
