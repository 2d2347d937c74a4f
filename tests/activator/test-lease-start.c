/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The start of a lease: from a request to the answer, and what its opener is told when something goes wrong.
 */

#include "lease-stand-ins.h"

/* --- a login ------------------------------------------------------------------------------------------ */

static void a_login_gets_its_seat_and_gives_it_back(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;
        char id[LEASE_ID_SIZE];

        (void)state;
        lease = give(&asker, opener);
        memcpy(id, lease->record.id, sizeof(id));
        assert_string_equal(asker.id, id);
        assert_true(lease_is_active(lease));
        assert_true(has_record(id));
        assert_int_equal(count_timers(lease), 0);

        close_lease(id, opener);
        assert_false(has_record(id));
        answer_job(STOP, 0, "/job/2");
        remove_unit(lease);
        answer_unit(0, NULL);
        assert_null(lease_table_find(&table, id));
        assert_int_equal(world.n_cleared, 1);
        assert_int_equal(asker.n_answers, 1);
        end_opener(opener);
}

static void a_login_is_closed_by_its_process_as_well(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        close_lease("", opener + 1);
        assert_true(lease_is_active(lease));
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void wait_none_is_answered_when_the_start_is_queued(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, REQUEST_NO_WAIT, opener);
        assert_int_equal(asker.n_answers, 0);
        answer_job(START, 0, "/job/1");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        end_job(asker.lease, "/job/1", "failed");
        answer_list(0, "netns@12310.service", "failed");
        assert_int_equal(asker.n_answers, 1);
        assert_null(asker.lease);
        end_opener(opener);
}

static void what_is_stale_in_memory_is_reloaded_first(void **state) {
        const struct wiring_result stale = {.written = 1, .stale = 1};
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct bus_call reload;

        (void)state;
        world.wiring = 1;
        ask(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.lease->state, LEASE_WIRING);
        world.wired(world.wired_userdata, &stale);
        assert_int_equal(systemd.n[START], 0);
        reload = take(RELOAD);
        reload.reload_callback(reload.userdata, -ETIMEDOUT);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "daemon-reload"));
        end_opener(opener);
}

static struct lease *begin_reload(struct asker *asker, pid_t opener) {
        const struct wiring_result stale = {.written = 1, .stale = 1};

        world.wiring = 1;
        ask(asker, REQUEST_OPEN, 0, opener);
        world.wired(world.wired_userdata, &stale);
        return asker->lease;
}

static void a_login_starts_when_its_units_have_been_reloaded(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = begin_reload(&asker, opener);
        struct bus_call reload = take(RELOAD);

        (void)state;
        assert_int_equal(systemd.n[START], 0);
        reload.reload_callback(reload.userdata, 0);
        assert_int_equal(lease->state, LEASE_STARTING);
        assert_int_equal(systemd.n[START], 1);
        end_opener(opener);
}

static void a_reload_that_cannot_be_sent_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        systemd.error = -ENOTCONN;
        (void)begin_reload(&asker, opener);
        systemd.error = 0;
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "daemon-reload"));
        end_opener(opener);
}

/* --- a start that goes wrong -------------------------------------------------------------------------- */

static void a_failed_start_names_the_unit(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/2", "done"); /* another job of the unit says nothing */
        assert_int_equal(asker.n_answers, 0);
        end_job(asker.lease, "/job/1", "dependency");
        answer_list(0, "netns@12310.service", "failed");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "netns@12310.service failed; see: journalctl"));
        end_opener(opener);
}

/* The failure of nsbr@ stops the units that it needs, and the answer must not name one of these. */
static void the_unit_that_failed_is_named_and_not_one_that_stops(void **state) {
        static const struct unit_row rows[][3] = {
                {{.name = "netbr@123.service", .active_state = "deactivating"},
                        {.name = "netns@12310.service", .active_state = "deactivating"},
                        {.name = "nsbr@12310.service", .active_state = "failed"}},
                {{.name = "nsbr@12310.service", .active_state = "failed"},
                        {.name = "netns@12310.service", .active_state = "inactive"},
                        {.name = "netbr@123.service", .active_state = "deactivating"}},
                {{.name = "nsbr@12310.service", .active_state = "failed"},
                        {.name = "netns@12310.service", .active_state = "failed"},
                        {.name = "netbr@123.service", .active_state = "active"}},
        };
        static const char *const named[] = {
                "nsbr@12310.service failed", "nsbr@12310.service failed", "netns@12310.service failed"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                pid_t opener = start_opener();
                struct asker asker = {0};

                ask(&asker, REQUEST_OPEN, 0, opener);
                answer_job(START, 0, "/job/1");
                end_job(asker.lease, "/job/1", "dependency");
                answer_rows(rows[i], ELEMENTSOF(rows[i]));
                assert_int_equal(asker.n_answers, 1);
                assert_non_null(strstr(asker.text, named[i]));
                end_opener(opener);
        }
}

static void a_student_is_not_told_where_an_administrator_looks(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_ENTER, 0, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/1", "dependency");
        answer_list(0, "netns@12310.service", "failed");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_string_equal(asker.text, "netns@12310.service failed");
        end_opener(opener);
}

static void a_start_that_takes_too_long_is_refused_in_time(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, 0, "/job/1");
        hurry(asker.lease, TIMER_DEADLINE);
        answer_list(0, "netns@12310.service", "activating");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_TIMEOUT);
        assert_non_null(strstr(asker.text, "takes too long"));
        end_opener(opener);
}

static void a_late_success_is_a_success(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        hurry(lease, TIMER_DEADLINE);
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.type, REPLY_DONE);
        assert_null(systemd.last[LIST]);
        end_opener(opener);
}

static void wiring_that_cannot_be_written_is_the_reason(void **state) {
        const struct wiring_result failed = {.error = -ENOSPC};
        pid_t opener = start_opener();
        struct asker first = {0}, second = {0};

        (void)state;
        world.wiring = 1;
        ask(&first, REQUEST_OPEN, 0, opener);
        world.wired(world.wired_userdata, &failed);
        assert_int_equal(first.type, REPLY_FAILED);
        assert_string_equal(
                first.text, "the wiring of seat 12310 could not be written: No space left on device");

        world.wiring = -EACCES;
        ask(&second, REQUEST_OPEN, 0, opener);
        assert_int_equal(second.type, REPLY_FAILED);
        assert_string_equal(second.text, "the wiring of seat 12310 could not be written: Permission denied");
        assert_int_equal(systemd.n[START], 0);
        end_opener(opener);
}

static void a_start_that_systemd_refuses_is_refused_in_its_words(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, -EIO, "");
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_string_equal(asker.text, "systemd refused the lease: it does not answer");
        end_opener(opener);
}

static void a_start_of_which_nothing_is_known_has_a_place_to_look(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/1", "dependency");
        answer_list(-ETIMEDOUT, NULL, NULL);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_string_equal(
                asker.text, "nsbr@12310.service did not come up; see: journalctl -b -u 'n*@123*'");
        end_opener(opener);
}

static void a_reason_that_cannot_be_asked_for_is_said_to_be_unknown(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, 0, "/job/1");
        systemd.error = -ENOTCONN;
        end_job(asker.lease, "/job/1", "dependency");
        systemd.error = 0;
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "systemd could not be asked why"));
        end_opener(opener);
}

/* A bus that is lost at any step of a start is an answer, and no lease that waits for ever. */
static void a_start_that_cannot_be_sent_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        systemd.error = -ENOTCONN;
        ask(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_int_equal(lease_table_size(&table), 1); /* its stop is asked for until systemd answers */
        systemd.error = 0;
        hurry(table.leases, TIMER_STOP);
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void a_record_that_cannot_be_written_is_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        table.state_directory = "/nonexistent";
        ask(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "recorded"));
        assert_int_equal(systemd.n[START], 0);
        end_opener(opener);
}

static void who_hangs_up_before_the_answer_has_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        lease_abandon(lease);
        assert_null(asker.lease);
        assert_int_equal(asker.n_answers, 0);
        assert_int_equal(systemd.n[STOP], 1);
        assert_int_equal(count_timers(lease), 0);
        end_opener(opener);
}

static void who_hangs_up_at_the_answer_has_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {.hangs_up = true};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_int_equal(systemd.n[STOP], 1);
        assert_int_equal(count_timers(lease), 0);
        assert_null(lease->opener_watch);
        end_opener(opener);
}

static void a_seat_that_is_gone_cannot_be_handed_over(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_ENTER, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_null(strstr(asker.text, "systemctl")); /* a student may not ask systemd */
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void a_container_that_fails_is_an_answer_of_its_own(void **state) {
        pid_t opener = start_opener();
        const struct unit_value value = {.text = "no image"};
        struct asker asker = {0};
        struct bus_call property;

        (void)state;
        world.container = true;
        ask(&asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/1", "done");
        assert_int_equal(asker.lease->state, LEASE_CHECKING);
        answer_list(0, "cont@12310.service", "failed");
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &value);
        assert_int_equal(asker.type, REPLY_NO_CONTAINER);
        assert_non_null(strstr(asker.text, "no image"));
        end_opener(opener);
}

static struct lease *begin_with_container(struct asker *asker, pid_t opener) {
        world.container = true;
        ask(asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        answer_job(START, 0, "/job/1");
        return asker->lease;
}

static void a_container_that_takes_too_long_is_named(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        hurry(begin_with_container(&asker, opener), TIMER_DEADLINE);
        answer_list(0, "cont@12310.service", "activating");
        assert_int_equal(asker.type, REPLY_NO_CONTAINER);
        assert_non_null(strstr(asker.text, "it is still starting"));
        end_opener(opener);
}

static void a_container_that_says_nothing_is_known_by_its_result(void **state) {
        const struct unit_value none = {.text = ""}, timeout = {.text = "timeout"};
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct bus_call property;

        (void)state;
        end_job(begin_with_container(&asker, opener), "/job/1", "done");
        answer_list(0, "cont@12310.service", "failed");
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &none);
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &timeout);
        assert_int_equal(asker.type, REPLY_NO_CONTAINER);
        assert_non_null(strstr(asker.text, "it did not start in time"));
        end_opener(opener);
}

static void a_container_that_cannot_be_asked_about_is_no_container(void **state) {
        pid_t opener = start_opener();
        struct asker first = {0}, second = {0};
        struct lease *lease;

        (void)state;
        lease = begin_with_container(&first, opener);
        systemd.error = -ENOTCONN;
        end_job(lease, "/job/1", "done");
        systemd.error = 0;
        assert_int_equal(first.type, REPLY_NO_CONTAINER);
        assert_non_null(strstr(first.text, "systemd could not be asked about it"));

        end_job(begin_with_container(&second, opener), "/job/1", "done");
        systemd.error = -ENOTCONN;
        answer_list(0, "cont@12310.service", "failed");
        systemd.error = 0;
        assert_int_equal(second.type, REPLY_NO_CONTAINER);
        end_opener(opener);
}

/* The unit ends while the container is asked about: a lease must not be given on a seat that is gone. */
static void a_seat_that_goes_while_its_container_is_checked_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        world.container = true;
        ask(&asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/1", "done");
        remove_unit(asker.lease);
        answer_unit(0, NULL);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

/* --- who may have a lease ----------------------------------------------------------------------------- */

static void a_request_without_a_pidfd_of_its_sender_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        const struct lease_waiter waiter = {handle_answer, &asker, &asker.lease, NULL};
        const struct ucred peer = {.pid = opener};
        struct request request;

        (void)state;
        request_init(&request, REQUEST_OPEN);
        request.uid = 5001;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.service, sizeof(request.service), "sshd");
        lease_open(&table, &waiter, &request, &peer, -1);
        assert_int_equal(asker.type, REPLY_REFUSED);
        lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, getpid(), 0));
        assert_int_equal(asker.n_answers, 2);
        assert_int_equal(asker.type, REPLY_REFUSED);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static int pidfd_of_ended_process(void) {
        pid_t opener = start_opener();
        int pidfd = (int)syscall(SYS_pidfd_open, opener, 0);

        end_opener(opener);
        return pidfd;
}

static char logged[1024];
static uid_t logged_uid;

static void keep_line(void *userdata, uid_t uid, const char *text) {
        (void)userdata;
        logged_uid = uid;
        (void)snprintf(logged, sizeof(logged), "%s", text);
}

static void the_log_names_who_was_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        const struct lease_waiter waiter = {handle_answer, &asker, &asker.lease, NULL};
        const struct ucred peer = {.pid = opener};
        struct request request;

        (void)state;
        table.log_query = keep_line;
        request_init(&request, REQUEST_ENTER);
        request.uid = 5001;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.service, sizeof(request.service), ENTER_SERVICE);
        lease_open(&table, &waiter, &request, &peer, -1);
        assert_int_equal(logged_uid, 5001);
        assert_string_equal(logged, "No seat for cs123-newellz2 (coursenet-enter): the request came without "
                                    "a pidfd of its sender");

        /* That was no mistake of the program, and anybody could fill the log with it. */
        logged[0] = '\0';
        lease_open(&table, &waiter, &request, &peer, pidfd_of_ended_process());
        assert_int_equal(asker.type, REPLY_REFUSED);
        assert_int_equal(asker.n_answers, 2);
        assert_string_equal(logged, "");

        /* The lease is there, and its process hangs up. */
        ask(&asker, REQUEST_ENTER, 0, opener);
        assert_non_null(asker.lease);
        lease_abandon(asker.lease);
        (void)snprintf(request.user, sizeof(request.user),
                "cs123-newellz2 (coursenet-enter, process %ld) hung up", (long)opener);
        assert_true(string_starts_with(logged, request.user));
        end_opener(opener);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                LEASE_TEST(a_login_gets_its_seat_and_gives_it_back),
                LEASE_TEST(a_login_is_closed_by_its_process_as_well),
                LEASE_TEST(wait_none_is_answered_when_the_start_is_queued),
                LEASE_TEST(what_is_stale_in_memory_is_reloaded_first),
                LEASE_TEST(a_login_starts_when_its_units_have_been_reloaded),
                LEASE_TEST(a_reload_that_cannot_be_sent_is_refused),
                LEASE_TEST(a_failed_start_names_the_unit),
                LEASE_TEST(the_unit_that_failed_is_named_and_not_one_that_stops),
                LEASE_TEST(a_student_is_not_told_where_an_administrator_looks),
                LEASE_TEST(a_start_that_takes_too_long_is_refused_in_time),
                LEASE_TEST(a_late_success_is_a_success),
                LEASE_TEST(wiring_that_cannot_be_written_is_the_reason),
                LEASE_TEST(a_start_that_systemd_refuses_is_refused_in_its_words),
                LEASE_TEST(a_start_of_which_nothing_is_known_has_a_place_to_look),
                LEASE_TEST(a_reason_that_cannot_be_asked_for_is_said_to_be_unknown),
                LEASE_TEST(a_start_that_cannot_be_sent_is_refused),
                LEASE_TEST(a_record_that_cannot_be_written_is_no_lease),
                LEASE_TEST(who_hangs_up_before_the_answer_has_no_lease),
                LEASE_TEST(who_hangs_up_at_the_answer_has_no_lease),
                LEASE_TEST(a_seat_that_is_gone_cannot_be_handed_over),
                LEASE_TEST(a_container_that_fails_is_an_answer_of_its_own),
                LEASE_TEST(a_container_that_takes_too_long_is_named),
                LEASE_TEST(a_container_that_says_nothing_is_known_by_its_result),
                LEASE_TEST(a_container_that_cannot_be_asked_about_is_no_container),
                LEASE_TEST(a_seat_that_goes_while_its_container_is_checked_is_refused),
                LEASE_TEST(a_request_without_a_pidfd_of_its_sender_is_refused),
                LEASE_TEST(the_log_names_who_was_refused),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
