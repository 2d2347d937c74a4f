/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A seat stops after its last lease, even if another job prevents that at first. */

#include "fake-systemd.h"
#include "fake-timer.h"
#include "tests/unit/fixture.h"

#include "seat/empty-seat.h"
#include "seat/tidy.h"
#include "seat/worker-client.h"

#define LIST "list coursenet-tidy_12310.slice nsbr@12310.service netns@12310.service netbr@123.service"

static struct seats seats;
static bool has_lease; /* somebody has seat 12310 */

static bool seat_has_lease(void *userdata, const char *seat) {
        assert_ptr_equal(userdata, &has_lease);
        assert_true(string_starts_with(seat, "1231"));
        return has_lease;
}

/* What the worker has made for it: the answers to each request to discard that. */
static const int *discards;
static unsigned n_discards;

int worker_client_discard(struct worker_client *client, const char *seat) {
        (void)client;
        assert_string_equal(seat, "12310");
        n_discards++;
        return discards ? *discards++ : 0;
}

/* The answers of systemd: to the question what is up, and if the seat is, to the one what starts. */
static void seat_is_looked_at(const char *active_state) {
        const struct unit_row row = {"nsbr@12310.service", active_state, 0, ""};

        asked(LIST);
        answer_list(0, &row, 1);
        if (strcmp(active_state, "active") != 0)
                return;
        asked("start coursenet-tidy_12310.slice fail Requisite=nsbr@12310.service");
        answer_job(-EEXIST, "", "");
        asked("list *@12310.service");
        answer_list(0, NULL, 0);
}

static void a_seat_that_has_gone_is_not_failed(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        asked_nothing();
        pass_ms(2000);
        seat_is_looked_at("failed");
        asked("reset nsbr@12310.service");
        asked("reset netns@12310.service");
        assert_int_equal(timers_set(), 0);
}

static void a_seat_that_has_gone_is_nobody_s(void **state) {
        char path[256];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/12310", etc);
        assert_int_equal(symlink("cs123-newellz2", path), 0);
        empty_seat_tidy_later(&seats, "12310");
        pass_ms(2000);
        seat_is_looked_at("active");
        assert_int_equal(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
        pass_ms(4000);
        seat_is_looked_at("inactive");
        asked("reset nsbr@12310.service");
        asked("reset netns@12310.service");
        assert_int_equal(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void a_seat_that_somebody_has_again_is_left_alone(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        has_lease = true;
        pass_ms(2000);
        asked_nothing();
        assert_int_equal(timers_set(), 0);
}

static void what_was_prepared_and_never_adopted_is_discarded_until_it_is_gone(void **state) {
        static const int answers[] = {-EAGAIN, 1, 0};

        (void)state;
        discards = answers;
        empty_seat_tidy_later(&seats, "12310");
        for (uint64_t ms = 2000; ms <= 8000; ms *= 2) {
                pass_ms(ms);
                seat_is_looked_at("inactive");
                asked("reset nsbr@12310.service");
                asked("reset netns@12310.service");
        }
        assert_int_equal(n_discards, 3);
        assert_int_equal(timers_set(), 0);
}

/* Its units may be about to adopt it. */
static void what_is_prepared_for_a_login_is_not_discarded(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        pass_ms(2000);
        seat_is_looked_at("active");
        has_lease = true;
        pass_ms(4000);
        assert_int_equal(n_discards, 0);
        assert_int_equal(timers_set(), 0);
}

/* Its login may still ask which unit has failed. */
static void what_failed_stays_failed_for_a_login_that_came_meanwhile(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        pass_ms(2000);
        asked(LIST);
        has_lease = true;
        answer_list(0, NULL, 0);
        asked_nothing();
        assert_int_equal(timers_set(), 0);
}

/* 2, 4, 8, 16, 32 and 64 seconds: longer than a user's manager may take to start. */
static void a_seat_that_stays_is_looked_at_for_two_minutes(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        for (uint64_t ms = 2000; ms <= 64000; ms *= 2) {
                pass_ms(ms);
                seat_is_looked_at("active");
        }
        assert_int_equal(timers_set(), 0);
}

/* At the end of an hour systemd has enough to do with the stops of the seats. */
static void seats_that_become_empty_together_are_looked_at_one_by_one(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        empty_seat_tidy_later(&seats, "12311");
        empty_seat_tidy_later(&seats, "12312");
        assert_int_equal(timers_set(), 3);
        pass_ms(2000);
        seat_is_looked_at("active");
        has_lease = true;
        pass_ms(2040);
        pass_ms(2080);
        asked_nothing();
        /* Of the first one, which was looked at while there were three. */
        pass_ms(4080);
        assert_int_equal(timers_set(), 0);
}

static void the_next_end_of_a_lease_begins_anew(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        pass_ms(2000);
        seat_is_looked_at("active");
        pass_ms(4000);
        asked(LIST);
        empty_seat_tidy_later(&seats, "12310"); /* while systemd is being asked */
        answer_list(0, NULL, 0);
        asked("reset nsbr@12310.service");
        asked("reset netns@12310.service");

        empty_seat_tidy_later(&seats, "12310");
        empty_seat_tidy_later(&seats, "12310");
        assert_int_equal(timers_set(), 1);
        pass_ms(2000);
        seat_is_looked_at("inactive");
        asked("reset nsbr@12310.service");
        asked("reset netns@12310.service");
}

static void a_seat_whose_units_fail_is_looked_at(void **state) {
        static const struct {
                const char *unit, *result;
                unsigned timers;
        } cases[] = {
                {"nsbr@12310.service", "dependency", 1},
                {"nsbr@12310.service", "failed", 1},
                {"netns@12310.service", "failed", 1},
                {"netns@12310.service", "timeout", 1},
                {"nsbr@12310.service", "done", 0},
                {"nsbr@12310.service", "canceled", 0},
                {"netbr@123.service", "failed", 0},
                {"nsbr@strange.service", "failed", 0},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                empty_seat_job_removed(&seats, "", cases[i].unit, cases[i].result);
                assert_int_equal(timers_set(), cases[i].timers);
                empty_seats_forget(&seats);
        }
        empty_seat_job_removed(&seats, "", "nsbr@12310.service", "dependency");
        pass_ms(2000);
        seat_is_looked_at("inactive");
        asked("reset nsbr@12310.service");
        asked("reset netns@12310.service");
}

static void nothing_is_left_when_the_activator_ends(void **state) {
        (void)state;
        empty_seat_tidy_later(&seats, "12310");
        empty_seats_forget(&seats);
        assert_int_equal(timers_set(), 0);
}

static int set_up(void **state) {
        has_lease = false;
        discards = NULL;
        n_discards = 0;
        seats = (struct seats){
                .etc = etc,
                .unit_directory = etc,
                .owner_directory = etc,
                .seat_has_lease = seat_has_lease,
                .userdata = &has_lease,
        };
        return make_etc(state) < 0 || sd_event_new(&seats.event) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        fake_systemd_done();
        seats.event = sd_event_unref(seats.event);
        return remove_etc(state);
}

#define empty_seat_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                empty_seat_test(a_seat_that_has_gone_is_not_failed),
                empty_seat_test(a_seat_that_has_gone_is_nobody_s),
                empty_seat_test(a_seat_that_somebody_has_again_is_left_alone),
                empty_seat_test(what_was_prepared_and_never_adopted_is_discarded_until_it_is_gone),
                empty_seat_test(what_is_prepared_for_a_login_is_not_discarded),
                empty_seat_test(what_failed_stays_failed_for_a_login_that_came_meanwhile),
                empty_seat_test(a_seat_that_stays_is_looked_at_for_two_minutes),
                empty_seat_test(seats_that_become_empty_together_are_looked_at_one_by_one),
                empty_seat_test(the_next_end_of_a_lease_begins_anew),
                empty_seat_test(a_seat_whose_units_fail_is_looked_at),
                empty_seat_test(nothing_is_left_when_the_activator_ends),
        };

        return cmocka_run_group_tests_name("empty-seat", tests, NULL, NULL);
}
