/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Units of a seat that are up and not needed are stopped. Units that something needs stay up. */

#include "fake-systemd.h"
#include "fake-timer.h"
#include "tests/unit/fixture.h"

#include "seat/tidy.h"

#define LIST "list coursenet-tidy_12310.slice nsbr@12310.service netns@12310.service netbr@123.service"

static struct seats seats;

/* What the one who tidied was told last. */
static int result;
static unsigned n_results;

static void note_result(void *userdata, int answer) {
        assert_ptr_equal(userdata, &seats);
        result = answer;
        n_results++;
}

static void tidy_seat(void) {
        n_results = 0;
        tidy(&seats, "12310", note_result, &seats);
        asked(LIST);
}

static void told(int expected) {
        assert_int_equal(n_results, 1);
        assert_int_equal(result, expected);
        assert_int_equal(timers_set(), 0);
}

static void a_seat_that_is_down_is_left_alone(void **state) {
        static const struct unit_row rows[] = {
                {"nsbr@12310.service", "inactive", 0, ""},
                {"netns@12310.service", "failed", 0, ""},
        };

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        told(TIDY_SEAT_DOWN);
}

/* systemd looks at a unit again when something that needs it ends: so a slice needs the units for a moment.
 */
static void what_is_up_is_looked_at_by_systemd(void **state) {
        static const struct unit_row rows[] = {
                {"netns@12310.service", "active", 0, ""},
                {"netbr@123.service", "active", 0, ""},
                {"nsbr@12310.service", "failed", 0, ""},
        };

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("start coursenet-tidy_12310.slice fail Requisite=netns@12310.service,netbr@123.service");
        answer_job(0, "/job/7", "");
        tidy_job_removed(&seats, "/job/6", "coursenet-tidy_12310.slice", "done"); /* another one's */
        asked_nothing();
        tidy_job_removed(&seats, "/job/7", "coursenet-tidy_12310.slice", "done");
        asked("stop coursenet-tidy_12310.slice");
        answer_job(0, "/job/8", "");
        assert_int_equal(n_results, 0);
        tidy_job_removed(&seats, "/job/8", "coursenet-tidy_12310.slice", "done");
        told(TIDY_SEAT_UP);
}

static void a_seat_that_somebody_starts_just_now_stays(void **state) {
        static const struct unit_row rows[] = {{"netns@12310.service", "active", 0, ""}};

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("start coursenet-tidy_12310.slice fail Requisite=netns@12310.service");
        answer_job(-EEXIST, "", "Transaction is destructive.");
        told(TIDY_SEAT_UP);
}

static void a_bridge_alone_is_no_seat(void **state) {
        static const struct unit_row rows[] = {{"netbr@123.service", "active", 0, ""}};

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("start coursenet-tidy_12310.slice fail Requisite=netbr@123.service");
        answer_job(-EIO, "", "");
        told(TIDY_SEAT_DOWN);
}

static void a_unit_on_its_way_counts_as_up(void **state) {
        static const struct unit_row rows[] = {{"nsbr@12310.service", "inactive", 12, "start"}};

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        told(TIDY_SEAT_UP);
}

/* Else a thousand seats that stop together would have a thousand slices started and stopped. */
static void a_seat_that_stops_by_itself_gets_no_slice(void **state) {
        static const struct unit_row stopping[] = {
                {"nsbr@12310.service", "deactivating", 12, "stop"},
                {"netns@12310.service", "active", 13, "stop"},
                {"netbr@123.service", "active", 0, ""},
        };

        (void)state;
        tidy_seat();
        answer_list(0, stopping, ELEMENTSOF(stopping));
        told(TIDY_SEAT_UP);
        /* The bridge may have been missed, once the seat is down. */
        tidy_seat();
        answer_list(0, stopping + 2, 1);
        asked("start coursenet-tidy_12310.slice fail Requisite=netbr@123.service");
        answer_job(-EIO, "", "");
        told(TIDY_SEAT_DOWN);
}

/* A slice that stays would hold the seat. */
static void a_slice_that_was_left_behind_is_stopped(void **state) {
        static const struct unit_row rows[] = {{"coursenet-tidy_12310.slice", "active", 0, ""}};

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("stop coursenet-tidy_12310.slice");
        answer_job(-ENOENT, "", "");
        told(TIDY_SEAT_DOWN);
}

static void a_stop_that_was_cancelled_is_asked_for_again(void **state) {
        static const struct unit_row rows[] = {{"coursenet-tidy_12310.slice", "active", 0, ""}};

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("stop coursenet-tidy_12310.slice");
        answer_job(0, "/job/7", "");
        tidy_job_removed(&seats, "/job/7", "coursenet-tidy_12310.slice", "canceled");
        assert_int_equal(n_results, 0);
        pass_ms(5000);
        asked("stop coursenet-tidy_12310.slice");
        answer_job(0, "/job/8", "");
        tidy_job_removed(&seats, "/job/8", "coursenet-tidy_12310.slice", "done");
        told(TIDY_SEAT_DOWN);
}

static void a_stop_is_asked_for_again_for_a_minute(void **state) {
        static const struct unit_row rows[] = {{"coursenet-tidy_12310.slice", "active", 0, ""}};

        (void)state;
        tidy_seat();
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("stop coursenet-tidy_12310.slice");
        for (unsigned seconds = 0; seconds < 60; seconds += 5) {
                assert_int_equal(n_results, 0);
                pass_ms(5000);
                asked("stop coursenet-tidy_12310.slice");
        }
        pass_ms(5000);
        told(-ETIMEDOUT);
}

static void what_systemd_does_not_answer_is_an_error(void **state) {
        (void)state;
        tidy_seat();
        answer_list(-ETIMEDOUT, NULL, 0);
        told(-ETIMEDOUT);

        fake_send_error = -ENOTCONN;
        tidy_seat();
        told(-ENOTCONN);
        fake_send_error = 0;
}

/* An administrator's `systemctl stop netns@12310` while nsbr@12310 waits for it is no failure to systemd. */
static void a_start_that_was_cancelled_leaves_nothing_behind(void **state) {
        (void)state;
        tidy_start_cancelled(&seats, "/job/1", "nsbr@12310.service", "canceled");
        asked(LIST);
        answer_list(0, NULL, 0);

        tidy_start_cancelled(&seats, "/job/1", "nsbr@12310.service", "done");
        tidy_start_cancelled(&seats, "/job/1", "netns@12310.service", "canceled");
        asked_nothing();
}

static void nobody_hears_of_it_once_the_activator_ends(void **state) {
        (void)state;
        tidy_seat();
        tidy_forget_all(&seats);
        assert_int_equal(n_results, 0);
}

static void what_cannot_be_sent_is_an_error_at_once(void **state) {
        static const struct unit_row up[] = {{"nsbr@12310.service", "active", 0, ""}},
                                     slice[] = {{"coursenet-tidy_12310.slice", "active", 0, ""}};

        (void)state;
        fake_send_error = -ENOTCONN;
        tidy_seat();
        told(-ENOTCONN);

        fake_send_error = 0;
        tidy_seat();
        fake_send_error = -ENOTCONN;
        answer_list(0, up, ELEMENTSOF(up));
        asked("start coursenet-tidy_12310.slice fail Requisite=nsbr@12310.service");
        told(-ENOTCONN);

        fake_send_error = 0;
        tidy_seat();
        fake_send_error = -ENOTCONN;
        answer_list(0, slice, ELEMENTSOF(slice));
        asked("stop coursenet-tidy_12310.slice");
        told(-ENOTCONN);
}

static int set_up(void **state) {
        (void)state;
        seats = (struct seats){.etc = etc};
        return make_etc(state) < 0 || sd_event_new(&seats.event) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        (void)state;
        fake_systemd_done();
        seats.event = sd_event_unref(seats.event);
        return remove_etc(state);
}

#define tidy_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                tidy_test(a_seat_that_is_down_is_left_alone),
                tidy_test(what_cannot_be_sent_is_an_error_at_once),
                tidy_test(what_is_up_is_looked_at_by_systemd),
                tidy_test(a_seat_that_somebody_starts_just_now_stays),
                tidy_test(a_bridge_alone_is_no_seat),
                tidy_test(a_unit_on_its_way_counts_as_up),
                tidy_test(a_seat_that_stops_by_itself_gets_no_slice),
                tidy_test(a_slice_that_was_left_behind_is_stopped),
                tidy_test(a_stop_that_was_cancelled_is_asked_for_again),
                tidy_test(a_stop_is_asked_for_again_for_a_minute),
                tidy_test(what_systemd_does_not_answer_is_an_error),
                tidy_test(a_start_that_was_cancelled_leaves_nothing_behind),
                tidy_test(nobody_hears_of_it_once_the_activator_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
