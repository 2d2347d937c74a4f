/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A login that is answered before its start job has ended: when that may be, and how it goes on. */

#include "lease-stand-ins.h"

/* A login whose start systemd has accepted. */
static struct lease *start(struct asker *asker, enum request_type type, uint32_t flags, pid_t opener) {
        ask(asker, type, flags, opener);
        answer_job(START, 0, "/job/1");
        assert_non_null(asker->lease);
        return asker->lease;
}

/* --- when ------------------------------------------------------------------------------------------- */

static void a_seat_that_is_up_is_an_answer_before_the_job_has_ended(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        world.namespace = 7;
        ask(&asker, REQUEST_OPEN, 0, opener);
        /* The question is on its way before systemd has answered the first one. */
        assert_non_null(systemd.last[NAMES]);
        answer_job(START, 0, "/job/1");
        lease = asker.lease;
        answer_seat(0, "active", "");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        assert_true(lease_is_active(lease));
        assert_int_equal(worker.n, 0);
        lease_confirm(lease);
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_ACTIVE);
        assert_int_equal(count_timers(lease), 0);
        assert_int_equal(asker.n_answers, 1);
        end_opener(opener);
}

static void a_seat_that_is_down_is_an_answer_when_the_worker_has_made_it(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        lease = start(&asker, REQUEST_OPEN, 0, opener);
        answer_seat(0, "inactive", "start");
        assert_int_equal(worker.n, 1);
        assert_int_equal(asker.n_answers, 0);
        world.namespace = 7;
        answer_worker(0);
        assert_int_equal(asker.type, REPLY_DONE);
        lease_confirm(lease);
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_ACTIVE);
        end_opener(opener);
}

/* systemd has not stopped nsbr@ yet, and starts what it needs again. */
static void nsbr_alone_is_no_seat_that_is_up(void **state) {
        static const struct unit_row rows[] = {{"nsbr@12310.service", "active", 0, ""},
                {"netns@12310.service", "failed", 7, "start"}, {"netbr@123.service", "active", 0, ""}};
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct bus_call names;

        (void)state;
        (void)start(&asker, REQUEST_OPEN, 0, opener);
        names = take(NAMES);
        names.list_callback(names.userdata, 0, rows, ELEMENTSOF(rows));
        assert_int_equal(asker.n_answers, 0);
        assert_int_equal(worker.n, 0);
        end_job(asker.lease, "/job/1", "done");
        assert_int_equal(asker.n_answers, 1);
        end_opener(opener);
}

/* The worker looks for itself what a unit's program is doing. */
static void units_that_are_starting_are_no_reason_to_wait(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        (void)start(&asker, REQUEST_OPEN, 0, opener);
        answer_seat(0, "activating", "start");
        assert_int_equal(worker.n, 1);
        answer_worker(0);
        assert_int_equal(asker.type, REPLY_DONE);
        end_opener(opener);
}

static void without_a_worker_the_units_are_waited_for(void **state) {
        static const int errors[] = {0, -ECONNREFUSED}; /* at its answer, and at the request */
        pid_t opener = start_opener();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                struct asker asker = {0};
                struct lease *lease;

                worker.error = errors[i];
                lease = start(&asker, REQUEST_OPEN, 0, opener);
                answer_seat(0, "inactive", "start");
                if (errors[i] == 0)
                        answer_worker(-EIO);
                assert_int_equal(asker.n_answers, 0);
                assert_int_equal(lease->state, LEASE_STARTING);
                end_job(lease, "/job/1", "done");
                assert_int_equal(asker.n_answers, 1);
                assert_int_equal(asker.type, REPLY_DONE);
                lease_confirm(lease);
        }
        end_opener(opener);
}

/* A unit's program has the lock of the bridge, say, while the namespace is still to be made. */
static void a_worker_that_meets_a_program_of_a_unit_is_tried_again(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        lease = start(&asker, REQUEST_OPEN, 0, opener);
        for (unsigned i = 0; i < 2; i++) {
                answer_seat(0, "activating", "start");
                answer_worker(-EBUSY);
                assert_int_equal(asker.n_answers, 0);
                hurry(lease, TIMER_SEAT);
        }
        answer_seat(0, "activating", "start");
        answer_worker(0);
        assert_int_equal(asker.type, REPLY_DONE);
        assert_null(lease->timers[TIMER_SEAT].source);
        lease_confirm(lease);

        memset(&asker, 0, sizeof(asker));
        lease = start(&asker, REQUEST_OPEN, 0, opener);
        answer_seat(0, "activating", "start");
        answer_worker(-EBUSY);
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.type, REPLY_DONE);
        assert_null(lease->timers[TIMER_SEAT].source);
        end_opener(opener);
}

static void a_worker_that_is_slower_than_the_units_is_not_waited_for(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        lease = start(&asker, REQUEST_OPEN, 0, opener);
        answer_seat(0, "inactive", "start");
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.type, REPLY_DONE);
        assert_null(worker.last);
        end_opener(opener);
}

/* What is there now may be about to be removed. */
static void units_that_stop_or_have_failed_are_waited_for(void **state) {
        static const struct {
                const char *state, *job;
        } seats_that_end[] = {
                {"deactivating", "stop"},
                {"deactivating", "start"},
                {"active", "stop"},
                {"active", "restart"},
                {"failed", "start"},
                {"inactive", ""},
        };
        pid_t opener = start_opener();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(seats_that_end); i++) {
                struct asker asker = {0};
                struct lease *lease = start(&asker, REQUEST_OPEN, 0, opener);

                answer_seat(0, seats_that_end[i].state, seats_that_end[i].job);
                assert_int_equal(worker.n, 0);
                assert_int_equal(asker.n_answers, 0);
                lease_abandon(lease);
        }
        end_opener(opener);
}

static void without_an_answer_of_systemd_the_units_are_waited_for(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        lease = start(&asker, REQUEST_OPEN, 0, opener);
        answer_seat(-ETIMEDOUT, "active", "");
        assert_int_equal(asker.n_answers, 0);
        assert_int_equal(lease->state, LEASE_STARTING);
        end_opener(opener);
}

/* The job is what makes systemd count the seat as needed. */
static void nobody_is_answered_before_systemd_has_accepted_the_start(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_seat(0, "active", "");
        assert_int_equal(asker.n_answers, 0);
        end_opener(opener);
}

static void who_waits_for_more_than_the_network_is_not_early(void **state) {
        pid_t opener = start_opener();
        struct asker container = {0}, none = {0}, hold = {0};

        (void)state;
        (void)start(&container, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        (void)start(&none, REQUEST_OPEN, REQUEST_NO_WAIT, opener);
        (void)start(&hold, REQUEST_HOLD, 0, 0);
        assert_int_equal(systemd.n[NAMES], 0);
        end_opener(opener);
}

static void an_early_login_takes_over_what_lingers(void **state) {
        pid_t opener = start_opener();
        struct asker first = {0}, second = {0};
        struct lease *lease = give(&first, opener);

        (void)state;
        world.after_logout.linger_seconds = 60;
        close_lease("", opener);
        assert_true(lease_lingers(lease));
        (void)start(&second, REQUEST_OPEN, 0, opener);
        answer_seat(0, "active", "");
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

/* --- how it goes on ------------------------------------------------------------------------------- */

/* A login that has its seat by the worker, while systemd is still starting the units. */
static struct lease *begin_early(struct asker *asker, pid_t opener) {
        struct lease *lease = start(asker, REQUEST_OPEN, 0, opener);

        answer_seat(0, "inactive", "start");
        world.namespace = 7;
        answer_worker(0);
        assert_int_equal(asker->type, REPLY_DONE);
        lease_confirm(lease);
        assert_int_equal(lease->state, LEASE_ADOPTING);
        return lease;
}

static void a_start_that_fails_after_the_answer_ends_the_lease(void **state) {
        static const char *const results[] = {"dependency", "canceled"};
        pid_t opener = start_opener();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(results); i++) {
                struct asker asker = {0};
                struct lease *lease = begin_early(&asker, opener);

                end_job(lease, "/job/1", results[i]);
                assert_int_equal(systemd.n[START], i + 1);
                answer_list(0, "netns@12310.service", "failed");
                assert_non_null(strstr(lease->reason, "netns@12310.service failed"));
                assert_int_equal(lease->state, LEASE_ENDING);
                assert_int_equal(world.n_told, i + 1);
                assert_int_equal(asker.n_answers, 1);
                answer_job(STOP, -ENOENT, "");
                assert_int_equal(lease_table_size(&table), 0);
                assert_int_equal(world.n_cleared, i + 1);
        }
        end_opener(opener);
}

static void an_early_login_may_end_before_its_units_are_up(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = begin_early(&asker, opener);

        (void)state;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        answer_job(STOP, 0, "/job/2");
        end_job(lease, "/job/1", "canceled");
        remove_unit(lease);
        answer_unit(0, NULL);
        assert_int_equal(lease_table_size(&table), 0);
        assert_int_equal(world.n_cleared, 1);
        end_opener(opener);
}

static void linger_begins_at_the_logout_of_an_early_login(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = begin_early(&asker, opener);

        (void)state;
        world.after_logout.linger_seconds = 60;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_LINGERING);
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_LINGERING);
        end_opener(opener);
}

static void a_login_in_a_namespace_that_the_units_did_not_adopt_is_told(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = begin_early(&asker, opener);

        (void)state;
        world.namespace = 8;
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_int_equal(world.n_told, 1);
        end_opener(opener);
}

/* A signal of systemd may be lost while it executes itself again. */
static void an_early_login_goes_on_when_no_signal_tells_that_its_job_has_ended(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = begin_early(&asker, opener);

        (void)state;
        hurry(lease, TIMER_DEADLINE);
        assert_int_equal(lease->state, LEASE_ACTIVE);
        answer_unit(0, "active");
        assert_int_equal(lease->state, LEASE_ACTIVE);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(lease->state, LEASE_ORPHANED);
}

/* --- the activator restarts ------------------------------------------------------------------------- */

static void repeat(struct asker *asker, uint32_t flags, pid_t opener) {
        const struct lease_waiter waiter = {handle_answer, asker, &asker->lease, NULL};
        const struct ucred peer = {.pid = opener};
        struct request request;

        request_init(&request, REQUEST_OPEN);
        request.uid = 5001;
        request.flags = flags;
        request.timeout_ms = 20000;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.lease, sizeof(request.lease), "abc");
        lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, opener, 0));
}

/* A lease whose unit is starting, as the next activator finds it. */
static struct lease *restore(pid_t opener) {
        struct lease_record record = {.id = "12310_01",
                .seat = "12310",
                .course = "123",
                .token = "abc",
                .uid = 5001,
                .opener = opener};

        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0), 1), 0);
        return table.leases;
}

static void a_login_that_had_its_answer_goes_on(void **state) {
        pid_t opener = start_opener();
        struct lease *lease = restore(opener);

        (void)state;
        assert_true(lease_is_active(lease));
        world.namespace = 7;
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_ACTIVE);
        assert_int_equal(count_timers(lease), 0);
        end_opener(opener);
}

static void a_login_that_had_none_gets_it_when_the_job_is_done(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = restore(opener);

        (void)state;
        repeat(&asker, 0, opener);
        assert_int_equal(lease_table_size(&table), 1);
        assert_int_equal(asker.n_answers, 0);
        assert_non_null(lease->timers[TIMER_DEADLINE].source);
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        assert_string_equal(asker.id, "12310_01");
        assert_int_equal(lease->state, LEASE_ACTIVE);
        end_opener(opener);
}

static void its_start_that_fails_is_an_answer_as_well(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = restore(opener);

        (void)state;
        repeat(&asker, 0, opener);
        end_job(lease, "/job/1", "canceled");
        answer_list(0, "netns@12310.service", "failed");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void it_waits_for_its_container_as_before(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = restore(opener);

        (void)state;
        world.container = true;
        repeat(&asker, REQUEST_WAIT_CONTAINER, opener);
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.n_answers, 0);
        answer_list(0, "cont@12310.service", "active");
        assert_int_equal(asker.type, REPLY_DONE);
        end_opener(opener);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                LEASE_TEST(a_seat_that_is_up_is_an_answer_before_the_job_has_ended),
                LEASE_TEST(a_seat_that_is_down_is_an_answer_when_the_worker_has_made_it),
                LEASE_TEST(nsbr_alone_is_no_seat_that_is_up),
                LEASE_TEST(units_that_are_starting_are_no_reason_to_wait),
                LEASE_TEST(without_a_worker_the_units_are_waited_for),
                LEASE_TEST(a_worker_that_meets_a_program_of_a_unit_is_tried_again),
                LEASE_TEST(a_worker_that_is_slower_than_the_units_is_not_waited_for),
                LEASE_TEST(units_that_stop_or_have_failed_are_waited_for),
                LEASE_TEST(without_an_answer_of_systemd_the_units_are_waited_for),
                LEASE_TEST(nobody_is_answered_before_systemd_has_accepted_the_start),
                LEASE_TEST(who_waits_for_more_than_the_network_is_not_early),
                LEASE_TEST(an_early_login_takes_over_what_lingers),
                LEASE_TEST(a_start_that_fails_after_the_answer_ends_the_lease),
                LEASE_TEST(an_early_login_may_end_before_its_units_are_up),
                LEASE_TEST(linger_begins_at_the_logout_of_an_early_login),
                LEASE_TEST(a_login_in_a_namespace_that_the_units_did_not_adopt_is_told),
                LEASE_TEST(an_early_login_goes_on_when_no_signal_tells_that_its_job_has_ended),
                LEASE_TEST(a_login_that_had_its_answer_goes_on),
                LEASE_TEST(a_login_that_had_none_gets_it_when_the_job_is_done),
                LEASE_TEST(its_start_that_fails_is_an_answer_as_well),
                LEASE_TEST(it_waits_for_its_container_as_before),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
