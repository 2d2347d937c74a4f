/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The function for each action of lease-machine.h, and the actions that concern a lease as a whole.
 * lease-object.c calls them. A lease that lets go also drops the events that it has not handled yet.
 */

#include "lease-run.h"
#include "lease-answer.h"
#include "lease-early.h"
#include "lease-log.h"
#include "lease-opener.h"
#include "lease-start.h"
#include "lease-table.h"
#include "lease-unit.h"
#include "linger.h"
#include "record-removal.h"
#include "seat-claim.h"
#include "seat/empty-seat.h"
#include "seat/failed-units.h"
#include "seat/starting-units.h"
#include "seat/user-limits.h"

/* --- the end --------------------------------------------------------------------------------- */

/* Drops what the lease waits for, except its unit's end. */
static void drop_waits(struct lease *lease) {
        for (unsigned i = 0; i < _LEASE_TIMER_MAX; i++)
                if (i != TIMER_GONE && i != TIMER_STOP)
                        lease_stop_timer(lease, (enum lease_timer_purpose)i);
        lease_start_drop(lease);
        lease_opener_drop(lease);
        linger_drop(lease);
        lease->raised = 0;
}

static void forget(struct lease *lease) {
        drop_waits(lease);
        lease_answer_untie(lease);
        lease_unit_drop(lease);
        lease_free(lease);
}

/* Also clears what the last lease of a seat, or of a user, leaves behind. */
static void free_lease(struct lease *lease) {
        struct lease_record record = lease->record;
        struct lease_table *table = lease->table;

        forget(lease);
        failed_units_reset_user(table->seats, record.uid);
        user_limits_release(table->seats, record.uid);
        if (lease_table_has_seat(table, record.seat))
                return;
        starting_units_stop(table->seats, record.seat, record.uid);
        empty_seat_tidy_later(table->seats, record.seat);
        seat_claim_release(table, record.seat);
}

/* --- the record ------------------------------------------------------------------------------ */

static void save_record(struct lease *lease) {
        char reason[128];
        int r = record_store_save(lease->table->state_directory, &lease->record);

        if (r >= 0)
                return;
        (void)snprintf(reason, sizeof(reason), "the lease cannot be recorded: %s", strerror(-r));
        lease_raise_fault(lease, EVENT_FAULT, reason);
}

static void remove_record(struct lease *lease) {
        record_removal_begin(lease->table, lease->record.id);
}

/* --- actions --------------------------------------------------------------------------------- */

static void set_leader_timer(struct lease *lease) {
        lease_set_timer(lease, TIMER_LEADER, LEASE_RETRY_USEC);
}

static void set_namespace_timer(struct lease *lease) {
        lease_set_timer(lease, TIMER_NAMESPACE, LEASE_RETRY_USEC);
}

static void set_gone_timer(struct lease *lease) {
        lease_set_timer(lease, TIMER_GONE, LEASE_RETRY_USEC);
}

static void drop_deadline(struct lease *lease) {
        lease_stop_timer(lease, TIMER_DEADLINE);
}

const lease_action_t lease_run_actions[_LEASE_ACTION_MAX] = {
        [DO_LOG_GIVEN] = lease_log_given,
        [DO_LOG_HELD] = lease_log_held,
        [DO_LOG_BACK] = lease_log_back,
        [DO_LOG_TAKEN] = lease_log_taken,
        [DO_LOG_KEPT] = lease_log_kept,
        [DO_LOG_OVER] = lease_log_over,
        [DO_LOG_MAX_OVER] = lease_log_max_over,
        [DO_LOG_HUNG_UP] = lease_log_hung_up,
        [DO_LOG_LEFT_BEHIND] = lease_log_left_behind,
        [DO_LOG_BROKEN] = lease_log_broken,
        [DO_TELL_ADMIN] = lease_tell_admin,
        [DO_TELL_STOPPED] = lease_tell_stopped,
        [DO_TELL_RESTARTED] = lease_tell_restarted,
        [DO_TELL_BROKEN] = lease_tell_broken,
        [DO_SAVE_RECORD] = save_record,
        [DO_REMOVE_RECORD] = remove_record,
        [DO_SET_DEADLINE] = lease_start_set_deadline,
        [DO_WIRE] = lease_start_wire,
        [DO_RELOAD] = lease_start_reload,
        [DO_START] = lease_start_unit,
        [DO_ASK_SEAT] = lease_early_ask_seat,
        [DO_PREPARE] = lease_early_prepare,
        [DO_SET_SEAT_TIMER] = lease_early_set_timer,
        [DO_CHECK_CONTAINER] = lease_start_check_container,
        [DO_DIAGNOSE] = lease_start_diagnose,
        [DO_DROP_CALLS] = lease_start_drop_calls,
        [DO_DROP_START] = lease_start_drop,
        [DO_DROP_DEADLINE] = drop_deadline,
        [DO_SET_PATIENCE] = lease_start_set_patience,
        [DO_MARK_JOINED] = lease_opener_mark_joined,
        [DO_ANSWER_EARLY] = lease_answer_early,
        [DO_ANSWER_DONE] = lease_answer_done,
        [DO_ANSWER_FAILED] = lease_answer_failed,
        [DO_ANSWER_TIMEOUT] = lease_answer_timeout,
        [DO_ANSWER_NO_CONTAINER] = lease_answer_no_container,
        [DO_ANSWER_STOPPED] = lease_answer_stopped,
        [DO_ANSWER_VANISHED] = lease_answer_vanished,
        [DO_ANSWER_CLOSED] = lease_answer_closed,
        [DO_WATCH_OPENER] = lease_opener_watch,
        [DO_STOP_WATCH] = lease_opener_stop_watch,
        [DO_ASK_LEADER] = lease_opener_ask_leader,
        [DO_SET_LEADER_TIMER] = set_leader_timer,
        [DO_LET_GO] = drop_waits,
        [DO_ASK_NAMESPACE] = lease_opener_ask_namespace,
        [DO_SET_NAMESPACE_TIMER] = set_namespace_timer,
        [DO_TAKE_OVER] = linger_take_over,
        [DO_DECIDE] = linger_decide,
        [DO_SET_LINGER_TIMER] = linger_set_timer,
        [DO_SET_KEEP_TIMER] = linger_set_keep_timer,
        [DO_LOOK] = linger_look,
        [DO_LOOK_SETTLED] = linger_look_settled,
        [DO_LOOK_SOON] = linger_look_soon,
        [DO_LOOK_LATER] = linger_look_later,
        [DO_WATCH_GROUP] = linger_watch_group,
        [DO_STOP] = lease_unit_stop,
        [DO_STOP_SOON] = lease_unit_stop_soon,
        [DO_STOP_LATER] = lease_unit_stop_later,
        [DO_ASK_GONE] = lease_unit_ask_gone,
        [DO_SET_GONE_TIMER] = set_gone_timer,
        [DO_FREE] = free_lease,
        [DO_FORGET] = forget,
};
