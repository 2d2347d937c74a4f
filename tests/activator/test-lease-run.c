/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An active lease and its end: questions without an answer, openers that die, administrators, logouts,
 * restarts.
 */

#include <fcntl.h>
#include <systemd/sd-journal.h>

#include "lease-stand-ins.h"

/* Entries in the journal about leases. */
static unsigned n_entries;

/* What sd_journal_send() is in a program. */
__attribute__((visibility("default"))) int sd_journal_send_with_location(
        const char *file, const char *line, const char *function, const char *format, ...) {
        (void)file;
        (void)line;
        (void)function;
        n_entries += string_starts_with(format, "MESSAGE=Seat ");
        return 0;
}

/* --- events and actions ------------------------------------------------------------------------------- */

static char done[16];

static void note(struct lease *lease, char action) {
        size_t length = strlen(done);

        (void)lease;
        assert_true(length + 1 < sizeof(done));
        done[length] = action;
}

static void note_namespace(struct lease *lease) {
        note(lease, 'n');
        lease_raise(lease, EVENT_OPENER_DIED);
}

static void note_held(struct lease *lease) {
        note(lease, 'h');
}

static void note_watch(struct lease *lease) {
        note(lease, 'w');
}

static void note_leader(struct lease *lease) {
        note(lease, 'l');
}

static void note_forget(struct lease *lease) {
        lease_free(lease);
}

/* The list of EVENT_RESTORED goes on to its end before EVENT_OPENER_DIED is handled. */
static void an_event_is_handled_to_its_end_before_the_next_one(void **state) {
        static const lease_action_t actions[_LEASE_ACTION_MAX] = {
                [DO_LOG_HELD] = note_held,
                [DO_ASK_NAMESPACE] = note_namespace,
                [DO_WATCH_OPENER] = note_watch,
                [DO_ASK_LEADER] = note_leader,
                [DO_FORGET] = note_forget,
        };
        const struct lease_record record = {.id = "12310_01"};
        struct lease *lease = lease_new(&table, &record, -1, actions);

        (void)state;
        memset(done, 0, sizeof(done));
        assert_non_null(lease);
        lease_raise(lease, EVENT_RESTORED);
        assert_string_equal(done, "hnwl");
        assert_int_equal(lease->state, LEASE_ORPHANED);
        /* What cannot come is logged, and changes nothing. */
        lease_raise(lease, EVENT_WIRED);
        assert_string_equal(done, "hnwl");
        assert_int_equal(lease->state, LEASE_ORPHANED);
}

/* --- questions that get no answer --------------------------------------------------------------------- */

/* A start that was cancelled waits for the old unit to be gone, while its deadline runs. */
static void a_cancelled_start_is_tried_again_though_systemd_did_not_answer(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "canceled");
        remove_unit(lease);
        answer_unit(-ETIMEDOUT, NULL);
        assert_non_null(lease->timers[TIMER_DEADLINE].source);
        hurry(lease, TIMER_GONE);
        answer_unit(0, NULL);
        assert_int_equal(systemd.n[START], 2);
        answer_job(START, 0, "/job/2");
        end_job(lease, "/job/2", "done");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        end_opener(opener);
}

static void a_dead_opener_is_asked_for_again_while_the_unit_is_in_question(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        remove_unit(lease);
        answer_unit(-ETIMEDOUT, NULL);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(lease->state, LEASE_ORPHANED);
        world.session = true;
        answer_leader(LEADER_UNKNOWN);
        hurry(lease, TIMER_GONE);
        answer_unit(0, "active");
        hurry(lease, TIMER_LEADER);
        assert_int_equal(systemd.n_searches, 2);
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ENDING);
}

/* Such as one that has lost the bus, and whose unit is up. */
static void a_logind_that_does_not_answer_keeps_no_lease_without_a_session(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        world.session = true;
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        answer_leader(LEADER_UNKNOWN);
        assert_int_equal(lease->state, LEASE_ORPHANED);
        world.session = false;
        hurry(lease, TIMER_LEADER);
        answer_leader(LEADER_UNKNOWN);
        assert_int_equal(lease->state, LEASE_ENDING);
}

/* logind was restarted. It does not report the end of such a session, so the lease asks again. */
static void a_session_that_logind_forgot_keeps_the_lease_while_it_has_processes(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        world.forgotten_session = true;
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ORPHANED);
        hurry(lease, TIMER_LEADER);
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ORPHANED);
        world.forgotten_session = false;
        hurry(lease, TIMER_LEADER);
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ENDING);
}

static void a_lingering_lease_learns_that_its_unit_is_gone(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        world.after_logout.linger_seconds = 3600;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_LINGERING);
        remove_unit(lease);
        answer_unit(-ETIMEDOUT, NULL);
        assert_non_null(lease->timers[TIMER_LINGER].source);
        hurry(lease, TIMER_GONE);
        answer_unit(0, NULL);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

/* systemd has the unit in memory, and then does not say in which state. */
static void a_state_that_is_not_told_is_asked_for_again(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        remove_unit(lease);
        answer_job(FIND, 0, "/unit");
        answer_seat(-ETIMEDOUT, "", "");
        assert_true(lease_is_active(lease));
        hurry(lease, TIMER_GONE);
        systemd.error = -ENOTCONN;
        answer_job(FIND, 0, "/unit");
        systemd.error = 0;
        assert_true(lease_is_active(lease));
        hurry(lease, TIMER_GONE);
        answer_unit(0, NULL);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void a_stop_that_fails_is_asked_for_until_the_unit_is_gone(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        close_lease("", opener);
        answer_job(STOP, -ETIMEDOUT, "");
        hurry(lease, TIMER_STOP);
        answer_job(STOP, 0, "/job/9");
        hurry(lease, TIMER_STOP); /* no signal has come */
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

/* A stop that another job cancelled is not asked for again at once: who cancels each one would keep both
 * busy. */
static void a_cancelled_stop_is_asked_for_again_soon(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);
        uint64_t now, when;

        (void)state;
        close_lease("", opener);
        answer_job(STOP, 0, "/job/9");
        end_job(lease, "/job/9", "canceled");
        assert_int_equal(systemd.n[STOP], 1);
        assert_true(sd_event_now(table.event, CLOCK_MONOTONIC, &now) >= 0);
        assert_true(sd_event_source_get_time(lease->timers[TIMER_STOP].source, &when) >= 0);
        assert_true(when > now && when <= now + 5 * USEC_PER_SEC);
        hurry(lease, TIMER_STOP);
        assert_int_equal(systemd.n[STOP], 2);
        end_opener(opener);
}

/* How many more times a file cannot be removed. */
static unsigned n_unlink_failures;

__attribute__((visibility("default"))) int unlink(const char *path) {
        if (n_unlink_failures == 0)
                return unlinkat(AT_FDCWD, path, 0);
        n_unlink_failures--;
        errno = ENOMEM;
        return -1;
}

static void try_records_again(void) {
        assert_non_null(table.record_timer);
        assert_true(sd_event_source_set_time(table.record_timer, 0) >= 0);
        assert_true(sd_event_run(table.event, 0) >= 0);
}

/* The end of the lease does not depend on it. */
static void a_record_that_cannot_be_removed_is_tried_again(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0}, other_asker = {0};
        struct lease *lease = give(&asker, opener), *other = give(&other_asker, opener);
        char id[LEASE_ID_SIZE];

        (void)state;
        memcpy(id, lease->record.id, sizeof(id));
        n_unlink_failures = 2;
        close_lease(id, opener);
        assert_true(has_record(id));
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 1);

        try_records_again();
        assert_int_equal(n_unlink_failures, 0);
        assert_true(has_record(id));
        try_records_again();
        assert_false(has_record(id));
        assert_null(table.record_timer);
        assert_true(has_record(other->record.id));
        end_opener(opener);
}

/* It would be a lease for the next activator. */
static void the_record_of_a_lease_that_ends_is_tried_again_too(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        n_unlink_failures = 1;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_true(has_record(lease->record.id));
        try_records_again();
        assert_false(has_record(lease->record.id));
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

/* Memory may be short for both. */
static void the_next_lease_that_ends_sets_the_timer_that_could_not_be_set(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        table.records_left = true;
        close_lease("", opener);
        assert_false(has_record(lease->record.id));
        try_records_again();
        assert_false(table.records_left);
        end_opener(opener);
}

static void a_login_left_behind_is_told_when_the_seat_has_a_namespace_again(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        world.namespace = 7;
        lease = give(&asker, opener);
        end_job(lease, "/job/5", "done");
        assert_true(lease_is_active(lease));
        assert_int_equal(count_timers(lease), 0);
        world.namespace = 0;
        end_job(lease, "/job/6", "done");
        assert_true(lease_is_active(lease));
        world.namespace = 8;
        hurry(lease, TIMER_NAMESPACE);
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_int_equal(world.n_told, 1);
        end_opener(opener);
}

/* --- an opener that dies ------------------------------------------------------------------------------ */

static void a_login_goes_on_as_long_as_its_session(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        systemd.session_removed(&table); /* somebody else's */
        assert_int_equal(systemd.n_searches, 0);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        answer_leader(LEADER_FOUND);
        assert_true(lease_is_active(lease));
        systemd.session_removed(&table);
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ENDING);
}

/* --- an administrator --------------------------------------------------------------------------------- */

static void an_administrator_ends_every_lease_of_a_seat(void **state) {
        pid_t opener = start_opener();
        struct asker active = {0}, starting = {0};

        (void)state;
        (void)give(&active, opener);
        ask(&starting, REQUEST_OPEN, 0, opener);
        assert_int_equal(lease_stop_all(&table, "377"), 0);
        assert_int_equal(lease_stop_all(&table, "123"), 2);
        assert_int_equal(starting.type, REPLY_REFUSED);
        assert_int_equal(world.n_told, 1);
        assert_int_equal(lease_stop_all(&table, "12310"), 0);
        end_opener(opener);
}

static void a_stopped_unit_ends_its_lease_and_a_reload_does_not(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        remove_unit(lease);
        answer_unit(0, "active");
        assert_true(lease_is_active(lease));
        remove_unit(lease);
        answer_unit(0, "inactive");
        assert_int_equal(lease_table_size(&table), 0);
        assert_int_equal(world.n_told, 1);
        end_opener(opener);
}

static void there_is_one_hold_and_no_login_ends_it(void **state) {
        struct asker first = {0}, second = {0}, third = {0};
        pid_t opener = start_opener();
        struct lease *lease;

        (void)state;
        ask(&first, REQUEST_HOLD, 0, 0);
        ask(&second, REQUEST_HOLD, 0, 0);
        assert_int_equal(second.type, REPLY_REFUSED);
        lease = first.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        lease_confirm(lease);
        ask(&third, REQUEST_HOLD, 0, 0);
        assert_int_equal(third.type, REPLY_DONE);
        assert_string_equal(third.id, first.id);
        assert_null(third.lease); /* to hang up ends no hold that was there before */

        close_lease("", opener);
        systemd.session_removed(&table);
        end_job(lease, "/job/7", "done");
        assert_int_equal(lease->state, LEASE_HOLD);
        assert_int_equal(lease_stop_all(&table, "cs123-newellz2"), 1);
        end_opener(opener);
}

static struct lease *give_hold(struct asker *asker, const char *service) {
        struct lease *lease;

        ask_for_hold(asker, service);
        lease = asker->lease;
        assert_non_null(lease);
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker->type, REPLY_DONE);
        lease_confirm(lease);
        assert_int_equal(lease->state, LEASE_HOLD);
        return lease;
}

static void a_release_ends_holds_and_no_login(void **state) {
        struct asker login = {0}, asked = {0}, scheduled = {0};
        pid_t opener = start_opener();
        struct lease *session = give(&login, opener), *hold, *class;

        (void)state;
        hold = give_hold(&asked, "");
        class = give_hold(&scheduled, SCHEDULE_SERVICE);
        assert_string_equal(hold->record.service, HOLD_SERVICE);
        assert_string_equal(class->record.service, SCHEDULE_SERVICE);

        /* The end of a class is none of what an administrator holds. */
        assert_int_equal(lease_release_all(&table, "123", SCHEDULE_SERVICE), 1);
        assert_int_equal(class->state, LEASE_ENDING);
        assert_int_equal(hold->state, LEASE_HOLD);
        assert_int_equal(lease_release_all(&table, "124", ""), 0);
        assert_int_equal(lease_release_all(&table, "cs123-newellz2", ""), 1);
        assert_int_equal(hold->state, LEASE_ENDING);
        assert_int_equal(session->state, LEASE_ACTIVE);
        assert_int_equal(world.n_told, 0);
        assert_int_equal(lease_release_all(&table, "12310", ""), 0);
        end_opener(opener);
}

static void a_release_refuses_a_hold_that_is_being_started(void **state) {
        struct asker asked = {0};
        struct lease *lease;

        (void)state;
        ask_for_hold(&asked, SCHEDULE_SERVICE);
        lease = asked.lease;
        assert_int_equal(lease_release_all(&table, "12310", ""), 1);
        assert_int_equal(asked.type, REPLY_REFUSED);
        assert_int_equal(lease->state, LEASE_ENDING);
}

static void a_hold_is_of_a_known_service(void **state) {
        struct asker asked = {0};

        (void)state;
        ask_for_hold(&asked, "sshd");
        assert_int_equal(asked.type, REPLY_REFUSED);
        assert_int_equal(lease_table_size(&table), 0);
}

/* A seat's number may go to another student before systemd has stopped the seat. */
static void nobody_is_let_into_the_namespace_of_another_user(void **state) {
        struct asker early = {0}, later = {0};
        pid_t opener = start_opener();
        char path[128], owner[64] = "";

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/12310", directory);
        (void)unlinkat(AT_FDCWD, path, 0);
        assert_int_equal(symlink("cs123-former", path), 0);
        world.namespace = 7;
        ask(&early, REQUEST_OPEN, 0, opener);
        assert_int_equal(early.type, REPLY_REFUSED);
        assert_non_null(strstr(early.text, "the network of its former user is still there"));
        assert_int_equal(lease_table_size(&table), 0);
        world.namespace = 0;
        (void)give(&later, opener);
        assert_true(readlink(path, owner, sizeof(owner) - 1) > 0);
        assert_string_equal(owner, "cs123-newellz2");
        end_opener(opener);
}

/* --- after a logout ----------------------------------------------------------------------------------- */

static void a_login_takes_over_what_lingers(void **state) {
        pid_t opener = start_opener();
        struct asker first = {0}, second = {0};
        struct lease *lease = give(&first, opener);
        struct reply reply;

        (void)state;
        world.after_logout.linger_seconds = 60;
        close_lease("", opener);
        assert_true(lease_lingers(lease));
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.type, REPLY_KEPT);
        assert_int_equal(lease->pidfd, -1);
        close_lease(lease->record.id, opener); /* a close may come twice */
        assert_true(lease_lingers(lease));
        (void)give(&second, opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

/* The table can also be searched by user and course, and a seat's number may be one of those. */
static void what_lingers_on_another_seat_stays(void **state) {
        struct lease_record record = {.id = "12310_01", .seat = "45611", .course = "12310", .user = "12310"};
        struct asker asker = {0};
        struct lease *lingering, *entered;
        pid_t opener = start_opener();
        char id[LEASE_ID_SIZE];

        (void)state;
        record.linger_until_usec = now_realtime_usec() + 3600 * USEC_PER_SEC;
        assert_int_equal(lease_restore(&table, &record, -1, 0), 0);
        lingering = lease_table_find(&table, record.id);
        record.linger_until_usec = 0;
        (void)snprintf(record.id, sizeof(record.id), "12310_02");
        (void)snprintf(record.service, sizeof(record.service), ENTER_SERVICE);
        record.opener = opener;
        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0), 0), 0);
        entered = lease_table_find(&table, record.id);

        (void)snprintf(id, sizeof(id), "%s", give(&asker, opener)->record.id);
        assert_int_equal(lingering->state, LEASE_LINGERING);
        world.after_logout.keep_seconds = 3600;
        close_lease(id, opener);
        assert_int_equal(entered->record.keep_until_usec, 0);
        end_opener(opener);
}

static void a_process_keeps_the_seat_until_it_ends(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);
        struct reply reply;

        (void)state;
        world.after_logout.keep_seconds = 3600;
        world.keeper = true;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_SETTLING);
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.pid, 0);
        lease->record.linger_until_usec -= 2 * USEC_PER_SEC; /* the logout was two seconds ago */
        hurry(lease, TIMER_LOOK);
        assert_int_equal(lease->state, LEASE_KEPT);
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.pid, 4711);
        assert_string_equal(reply.tty, "session-3.scope");
        world.keeper = false;
        hurry(lease, TIMER_LOOK);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void nothing_keeps_a_seat_longer_than_leftover_max(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        world.after_logout = (struct after_logout){.linger_seconds = 5, .keep_seconds = 3600};
        world.keeper = true;
        close_lease("", opener);
        hurry(lease, TIMER_LINGER);
        assert_int_equal(lease->state, LEASE_KEPT);
        hurry(lease, TIMER_KEEP);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void coursenet_enter_keeps_a_seat_for_the_last_login_s_time(void **state) {
        pid_t opener = start_opener();
        struct asker login = {0}, entered = {0};
        struct lease *lease = give(&login, opener), *other;
        uint64_t until;

        (void)state;
        ask(&entered, REQUEST_ENTER, 0, opener);
        other = entered.lease;
        other->pass_namespace = false; /* there is none */
        answer_job(START, 0, "/job/2");
        end_job(other, "/job/2", "done");
        lease_confirm(other);
        world.after_logout.keep_seconds = 3600;
        world.keeper = true;
        close_lease(lease->record.id, opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        until = other->record.keep_until_usec;
        assert_true(until > now_realtime_usec());
        close_lease(other->record.id, opener);
        assert_int_equal(other->state, LEASE_SETTLING);
        assert_int_equal(other->record.keep_until_usec, until);
        end_opener(opener);
}

/* --- a restart ---------------------------------------------------------------------------------------- */

static void a_restart_loses_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease_record record = {0};
        struct lease *lease = give(&asker, opener);
        char id[LEASE_ID_SIZE];

        (void)state;
        memcpy(id, lease->record.id, sizeof(id));
        lease_forget_all(&table);
        assert_int_equal(lease_table_size(&table), 0);
        assert_int_equal(systemd.n[STOP], 0);
        memcpy(record.id, id, sizeof(id));
        assert_int_equal(record_store_load(directory, id, &record), 0);

        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0), 0), 0);
        lease = lease_table_find(&table, id);
        assert_non_null(lease);
        assert_int_equal(lease->state, LEASE_ACTIVE);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(lease->state, LEASE_ORPHANED);
}

/* The next activator, which finds the lease in the record and its unit up. */
static struct lease *restart(const char *id, pid_t opener) {
        struct lease_record record = {0};

        lease_forget_all(&table);
        (void)snprintf(record.id, sizeof(record.id), "%s", id);
        assert_int_equal(record_store_load(directory, id, &record), 0);
        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0), 0), 0);
        return lease_table_find(&table, id);
}

/* The seat was restarted while no activator ran, and its slice was not stopped. */
static void a_login_that_was_left_behind_before_a_restart_is_told(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        char id[LEASE_ID_SIZE];

        (void)state;
        world.namespace = 42;
        memcpy(id, give(&asker, opener)->record.id, sizeof(id));
        assert_int_equal(restart(id, opener)->state, LEASE_ACTIVE);
        assert_int_equal(world.n_told, 0);

        world.namespace = 43;
        assert_int_equal(restart(id, opener)->state, LEASE_ENDING);
        assert_int_equal(world.n_told, 1);
        assert_false(has_record(id));
        end_opener(opener);
}

/* The record of an earlier version does not have it. */
static void a_login_of_an_unknown_namespace_goes_on(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;
        char id[LEASE_ID_SIZE];

        (void)state;
        memcpy(id, give(&asker, opener)->record.id, sizeof(id));
        world.namespace = 43;
        lease = restart(id, opener);
        assert_int_equal(lease->state, LEASE_ACTIVE);
        assert_int_equal(lease->record.joined.inode, 43);
        end_opener(opener);
}

/* The unit went while no activator ran. */
static void a_login_whose_unit_went_before_a_restart_is_told(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        char id[LEASE_ID_SIZE];

        (void)state;
        memcpy(id, give(&asker, opener)->record.id, sizeof(id));
        lease_forget_all(&table);
        n_entries = 0;
        lease_forget_record(&table, id);
        assert_int_equal(world.n_told, 1);
        assert_int_equal(n_entries, 1);
        assert_false(has_record(id));
        end_opener(opener);
}

static void a_seat_that_was_never_given_is_not_taken(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        char id[LEASE_ID_SIZE];

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        memcpy(id, asker.lease->record.id, sizeof(id));
        assert_true(has_record(id));
        lease_forget_all(&table);
        n_entries = 0;
        lease_forget_record(&table, id);
        assert_int_equal(world.n_told, 0);
        assert_int_equal(n_entries, 0);
        assert_false(has_record(id));
        end_opener(opener);
}

static void an_opener_that_died_meanwhile_is_found(void **state) {
        struct lease_record record = {
                .id = "12310_01", .seat = "12310", .course = "123", .uid = 5001, .opener = 4242};

        (void)state;
        assert_int_equal(lease_restore(&table, &record, -1, 0), 0);
        answer_leader(LEADER_NONE);
        assert_int_equal(table.leases->state, LEASE_ENDING);
}

static void repeat(struct asker *asker, enum request_type type, uint32_t flags, pid_t opener) {
        const struct lease_waiter waiter = {handle_answer, asker, &asker->lease, NULL};
        const struct ucred peer = {.pid = opener};
        struct request request;

        request_init(&request, type);
        request.uid = 5001;
        request.flags = flags;
        request.timeout_ms = 20000;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.lease, sizeof(request.lease), "abc");
        lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, opener, 0));
        assert_int_equal(lease_table_size(&table), 1);
}

static void restore_unanswered(pid_t opener) {
        const struct lease_record record = {.id = "12310_01",
                .seat = "12310",
                .course = "123",
                .token = "abc",
                .uid = 5001,
                .opener = opener};

        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0), 0), 0);
}

static void a_login_without_an_answer_asks_the_next_activator(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        restore_unanswered(opener);
        repeat(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        assert_string_equal(asker.id, "12310_01");
        end_opener(opener);
}

/* The former activator ended while it looked at the container, and the module asks again. */
static void an_answer_that_waits_for_the_container_waits_again_after_a_restart(void **state) {
        pid_t opener = start_opener();
        const struct unit_value value = {.text = "no image"};
        struct asker asker = {0};
        struct bus_call property;
        struct lease *lease;
        char id[LEASE_ID_SIZE];

        (void)state;
        world.container = true;
        world.namespace = 42;
        ask(&asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        memcpy(id, asker.lease->record.id, sizeof(id));
        (void)snprintf(asker.lease->record.token, sizeof(asker.lease->record.token), "abc");
        assert_int_equal(record_store_save(directory, &asker.lease->record), 0);
        n_entries = 0;
        lease = restart(id, opener);
        assert_int_equal(lease->state, LEASE_ACTIVE);
        assert_int_equal(n_entries, 0); /* nobody has the seat */

        asker = (struct asker){0};
        repeat(&asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        assert_ptr_equal(asker.lease, lease);
        assert_int_equal(lease->state, LEASE_CHECKING);
        assert_int_equal(asker.n_answers, 0);
        answer_list(0, "cont@12310.service", "failed");
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &value);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_NO_CONTAINER);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

/* Here the seat has no namespace that could be passed on: that this is tried shows that it is
 * coursenet-enter's. */
static void coursenet_enter_without_an_answer_gets_the_namespace_of_its_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        restore_unanswered(opener);
        repeat(&asker, REQUEST_ENTER, 0, opener);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_int_equal(table.leases->state, LEASE_ENDING);
        end_opener(opener);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                LEASE_TEST(an_event_is_handled_to_its_end_before_the_next_one),
                LEASE_TEST(a_cancelled_start_is_tried_again_though_systemd_did_not_answer),
                LEASE_TEST(a_dead_opener_is_asked_for_again_while_the_unit_is_in_question),
                LEASE_TEST(a_session_that_logind_forgot_keeps_the_lease_while_it_has_processes),
                LEASE_TEST(a_logind_that_does_not_answer_keeps_no_lease_without_a_session),
                LEASE_TEST(a_lingering_lease_learns_that_its_unit_is_gone),
                LEASE_TEST(a_state_that_is_not_told_is_asked_for_again),
                LEASE_TEST(a_stop_that_fails_is_asked_for_until_the_unit_is_gone),
                LEASE_TEST(a_cancelled_stop_is_asked_for_again_soon),
                LEASE_TEST(a_record_that_cannot_be_removed_is_tried_again),
                LEASE_TEST(the_record_of_a_lease_that_ends_is_tried_again_too),
                LEASE_TEST(the_next_lease_that_ends_sets_the_timer_that_could_not_be_set),
                LEASE_TEST(a_login_left_behind_is_told_when_the_seat_has_a_namespace_again),
                LEASE_TEST(a_login_goes_on_as_long_as_its_session),
                LEASE_TEST(an_administrator_ends_every_lease_of_a_seat),
                LEASE_TEST(a_stopped_unit_ends_its_lease_and_a_reload_does_not),
                LEASE_TEST(there_is_one_hold_and_no_login_ends_it),
                LEASE_TEST(a_release_ends_holds_and_no_login),
                LEASE_TEST(a_release_refuses_a_hold_that_is_being_started),
                LEASE_TEST(a_hold_is_of_a_known_service),
                LEASE_TEST(nobody_is_let_into_the_namespace_of_another_user),
                LEASE_TEST(a_login_takes_over_what_lingers),
                LEASE_TEST(what_lingers_on_another_seat_stays),
                LEASE_TEST(a_process_keeps_the_seat_until_it_ends),
                LEASE_TEST(nothing_keeps_a_seat_longer_than_leftover_max),
                LEASE_TEST(coursenet_enter_keeps_a_seat_for_the_last_login_s_time),
                LEASE_TEST(a_restart_loses_no_lease),
                LEASE_TEST(a_login_that_was_left_behind_before_a_restart_is_told),
                LEASE_TEST(a_login_of_an_unknown_namespace_goes_on),
                LEASE_TEST(a_login_whose_unit_went_before_a_restart_is_told),
                LEASE_TEST(a_seat_that_was_never_given_is_not_taken),
                LEASE_TEST(an_answer_that_waits_for_the_container_waits_again_after_a_restart),
                LEASE_TEST(an_opener_that_died_meanwhile_is_found),
                LEASE_TEST(a_login_without_an_answer_asks_the_next_activator),
                LEASE_TEST(coursenet_enter_without_an_answer_gets_the_namespace_of_its_lease),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
