/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nsbr@ is restarted if it has survived the end of a unit that it needs, and only then. */

#include "fake-systemd.h"

#include "seat/stale-cable.h"

#define NEEDS "get nsbr@12310.service BindsTo"
#define LIST "list names nsbr@12310.service netns@12310.service netbr@123.service"
#define RESTART "try-restart nsbr@12310.service"

static struct seats seats;

static void answer_needs(const char *netns, const char *netbr) {
        char *units[] = {
                (char *)(uintptr_t) "seat.mount", (char *)(uintptr_t)netns, (char *)(uintptr_t)netbr};

        answer_property(0, (struct unit_value){.list = units, .n_list = netbr ? 3 : 2});
}

/* What systemd says of the units: states, and the job of nsbr@. */
static void answer_states(const char *nsbr, const char *job, const char *netns, const char *netbr) {
        const struct unit_row rows[] = {
                {"nsbr@12310.service", nsbr, job[0] ? 7 : 0, job},
                {"netns@12310.service", netns, 0, ""},
                {"netbr@123.service", netbr, 0, ""},
        };

        asked(NEEDS);
        answer_needs("netns@12310.service", "netbr@123.service");
        asked(LIST);
        answer_list(0, rows, ELEMENTSOF(rows));
}

static void answer_time(const char *question, uint64_t usec) {
        asked(question);
        answer_property(0, (struct unit_value){.number = usec});
}

static void cancel(void) {
        stale_cable_job_removed(&seats, "/job/7", "nsbr@12310.service", "canceled");
}

static void only_a_job_of_nsbr_that_was_cancelled_counts(void **state) {
        static const char *const others[][2] = {{"nsbr@12310.service", "done"},
                {"nsbr@12310.service", "failed"}, {"netns@12310.service", "canceled"},
                {"nsbr@x.service", "canceled"}, {"coursenet-12310_0.slice", "canceled"}};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                stale_cable_job_removed(&seats, "/job/7", others[i][0], others[i][1]);
                asked_nothing();
        }
}

static void what_was_needed_is_down(void **state) {
        (void)state;
        cancel();
        answer_states("active", "start", "failed", "active");
        asked(RESTART);
        cancel();
        answer_states("active", "start", "active", "activating");
        asked(RESTART);
        cancel();
        answer_states("activating", "start", "deactivating", "active");
        asked(RESTART);
}

/* The stop takes the cable away. A restart would cancel that. */
static void a_seat_that_is_about_to_stop_is_left_alone(void **state) {
        (void)state;
        cancel();
        answer_states("active", "stop", "failed", "active");
        asked_nothing();
        cancel();
        answer_states("deactivating", "", "active", "active");
        asked_nothing();
        cancel();
        answer_states("inactive", "start", "inactive", "active");
        asked_nothing();
}

static void answer_times(uint64_t netns, uint64_t netbr, uint64_t nsbr) {
        answer_time("get netns@12310.service ActiveExit", netns);
        answer_time("get netbr@123.service ActiveExit", netbr);
        answer_time("get nsbr@12310.service InactiveExit", nsbr);
}

static void what_was_needed_is_up_again(void **state) {
        (void)state;
        cancel();
        answer_states("active", "", "active", "active");
        answer_times(1001, 0, 1000);
        asked(RESTART);
        cancel();
        answer_states("active", "", "active", "active");
        answer_times(999, 2000, 1000);
        asked(RESTART);
}

/* Also one that has stopped and started while the times were asked for. */
static void a_seat_that_stayed_up_is_left_alone(void **state) {
        (void)state;
        cancel();
        answer_states("active", "", "active", "active");
        answer_times(0, 999, 1000);
        asked_nothing();
        cancel();
        answer_states("active", "", "active", "active");
        answer_time("get netns@12310.service ActiveExit", 0);
        answer_time("get netbr@123.service ActiveExit", 0);
        asked_nothing();
        cancel();
        answer_states("active", "", "active", "active");
        answer_times(1500, 1500, 1600);
        asked_nothing();
}

static void without_an_answer_nothing_is_restarted(void **state) {
        (void)state;
        cancel();
        asked(NEEDS);
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        cancel();
        asked(NEEDS);
        answer_needs("netns@12310.service", "netbr@123.service");
        asked(LIST);
        answer_list(-ETIMEDOUT, NULL, 0);
        cancel();
        answer_states("active", "", "active", "active");
        asked("get netns@12310.service ActiveExit");
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        asked("get netbr@123.service ActiveExit");
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        cancel();
        answer_states("active", "", "active", "active");
        answer_time("get netns@12310.service ActiveExit", 1001);
        answer_time("get netbr@123.service ActiveExit", 0);
        asked("get nsbr@12310.service InactiveExit");
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        asked_nothing();
}

static void what_cannot_be_asked_is_left_alone(void **state) {
        (void)state;
        fake_send_error = -ENOTCONN;
        cancel();
        asked(NEEDS);
        fake_send_error = 0;
        cancel();
        asked(NEEDS);
        fake_send_error = -ENOTCONN;
        answer_needs("netns@12310.service", "netbr@123.service");
        asked(LIST);
        fake_send_error = 0;
        assert_null(seats.stale_cables);
}

static void at_the_end_the_questions_are_dropped(void **state) {
        (void)state;
        cancel();
        stale_cable_job_removed(&seats, "/job/8", "nsbr@12311.service", "canceled");
        asked(NEEDS);
        asked("get nsbr@12311.service BindsTo");
        stale_cables_forget(&seats);
        assert_null(seats.stale_cables);
}

/* The settings may have another bridge by now: the seat is on the one that its unit is bound to, or on none.
 */
static void the_bridge_is_the_one_that_systemd_knows(void **state) {
        static const struct unit_row rows[] = {{"nsbr@12310.service", "active", 0, ""},
                {"netns@12310.service", "active", 0, ""}, {"netbr@200.service", "failed", 0, ""}};

        (void)state;
        cancel();
        asked(NEEDS);
        answer_needs("netns@12310.service", "netbr@200.service");
        asked("list names nsbr@12310.service netns@12310.service netbr@200.service");
        answer_list(0, rows, 3);
        asked(RESTART);
        cancel();
        asked(NEEDS);
        answer_needs("netns@12310.service", NULL);
        asked("list names nsbr@12310.service netns@12310.service");
        answer_list(0, rows, 2);
        answer_time("get netns@12310.service ActiveExit", 1);
        answer_time("get nsbr@12310.service InactiveExit", 1000);
        asked_nothing();
}

static int set_up(void **state) {
        (void)state;
        seats = (struct seats){0};
        return 0;
}

static int tear_down(void **state) {
        (void)state;
        fake_systemd_done();
        return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(only_a_job_of_nsbr_that_was_cancelled_counts),
                TEST(what_was_needed_is_down),
                TEST(a_seat_that_is_about_to_stop_is_left_alone),
                TEST(what_was_needed_is_up_again),
                TEST(a_seat_that_stayed_up_is_left_alone),
                TEST(without_an_answer_nothing_is_restarted),
                TEST(what_cannot_be_asked_is_left_alone),
                TEST(at_the_end_the_questions_are_dropped),
                TEST(the_bridge_is_the_one_that_systemd_knows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
