/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nsbr@ is restarted if it has survived the end of a unit that it needs, and only then. */

#include "fake-systemd.h"
#include "tests/unit/fixture.h"

#include "seat/stale-cable.h"

#define LIST "list names nsbr@12310.service netns@12310.service netbr@123.service"
#define RESTART "try-restart nsbr@12310.service"

static struct seats seats;

/* What systemd says of the units: states, and the job of nsbr@. */
static void answer_states(const char *nsbr, const char *job, const char *netns, const char *netbr) {
        const struct unit_row rows[] = {
                {"nsbr@12310.service", nsbr, job[0] ? 7 : 0, job},
                {"netns@12310.service", netns, 0, ""},
                {"netbr@123.service", netbr, 0, ""},
        };

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

static void what_was_needed_is_up_again(void **state) {
        (void)state;
        cancel();
        answer_states("active", "", "active", "active");
        answer_time("get nsbr@12310.service InactiveExit", 1000);
        answer_time("get netns@12310.service ActiveExit", 1001);
        asked(RESTART);
        cancel();
        answer_states("active", "", "active", "active");
        answer_time("get nsbr@12310.service InactiveExit", 1000);
        answer_time("get netns@12310.service ActiveExit", 999);
        answer_time("get netbr@123.service ActiveExit", 2000);
        asked(RESTART);
}

static void a_seat_that_stayed_up_is_left_alone(void **state) {
        (void)state;
        cancel();
        answer_states("active", "", "active", "active");
        answer_time("get nsbr@12310.service InactiveExit", 1000);
        answer_time("get netns@12310.service ActiveExit", 0);
        answer_time("get netbr@123.service ActiveExit", 999);
        asked_nothing();
}

static void without_an_answer_nothing_is_restarted(void **state) {
        (void)state;
        cancel();
        asked(LIST);
        answer_list(-ETIMEDOUT, NULL, 0);
        cancel();
        answer_states("active", "", "active", "active");
        asked("get nsbr@12310.service InactiveExit");
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        cancel();
        answer_states("active", "", "active", "active");
        answer_time("get nsbr@12310.service InactiveExit", 1000);
        asked("get netns@12310.service ActiveExit");
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        asked("get netbr@123.service ActiveExit");
        answer_property(-ETIMEDOUT, (struct unit_value){0});
        asked_nothing();
}

static void what_cannot_be_asked_is_left_alone(void **state) {
        (void)state;
        fake_send_error = -ENOTCONN;
        cancel();
        asked(LIST);
        fake_send_error = 0;
        cancel();
        fake_send_error = -ENOTCONN;
        answer_states("active", "", "active", "active");
        asked("get nsbr@12310.service InactiveExit");
        fake_send_error = 0;
        assert_null(seats.stale_cables);
}

static void at_the_end_the_questions_are_dropped(void **state) {
        (void)state;
        cancel();
        stale_cable_job_removed(&seats, "/job/8", "nsbr@12311.service", "canceled");
        asked(LIST);
        asked("list names nsbr@12311.service netns@12311.service netbr@123.service");
        stale_cables_forget(&seats);
        assert_null(seats.stale_cables);
}

/* Course 123 has a bridge; a seat whose number is no seat's has none that is known. */
static void a_bridge_that_is_not_known_is_left_out(void **state) {
        (void)state;
        stale_cable_job_removed(&seats, "/job/7", "nsbr@1.service", "canceled");
        asked("list names nsbr@1.service netns@1.service");
        answer_list(0,
                (const struct unit_row[]){
                        {"nsbr@1.service", "active", 0, ""}, {"netns@1.service", "active", 0, ""}},
                2);
        answer_time("get nsbr@1.service InactiveExit", 1000);
        answer_time("get netns@1.service ActiveExit", 1);
        asked_nothing();
}

static int set_up(void **state) {
        seats = (struct seats){.etc = etc};
        return make_etc(state);
}

static int tear_down(void **state) {
        fake_systemd_done();
        return remove_etc(state);
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
                TEST(a_bridge_that_is_not_known_is_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
