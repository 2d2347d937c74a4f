/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which units that are still starting are stopped with their seat. */

#include "fake-systemd.h"

#include "seat/starting-units.h"
#include "seat/wiring.h"

static char directory[] = "/tmp/coursenet-test-XXXXXX";

static void wire(const char *unit) {
        struct wiring wiring = {.text = "[Unit]\n"};

        assert_true(snprintf(wiring.unit, sizeof(wiring.unit), "%s", unit) > 0);
        assert_int_equal(wiring_write(directory, &wiring), 0);
}

static int make_wiring(void **state) {
        (void)state;
        if (!mkdtemp(directory))
                return -1;
        wire("cont@12310.service");
        wire("nsbr@12310.service");
        wire("user@2001.service");
        wire("user@12310.service");
        return 0;
}

static int remove_wiring(void **state) {
        char command[64];

        (void)state;
        (void)snprintf(command, sizeof(command), "rm -r %s", directory);
        return system(command);
}

static bool has(const char *user_manager, const char *name, const char *active_state, uint32_t job) {
        const struct unit_row row = {.name = name, .active_state = active_state, .job = job};

        return starting_units_has(directory, user_manager, &row);
}

static void what_starts_goes(void **state) {
        (void)state;
        assert_true(has("user@2001.service", "cont@12310.service", "activating", 0));
        assert_true(has("user@2001.service", "cont@12310.service", "inactive", 7));
        assert_true(has("user@2001.service", "user@2001.service", "activating", 0));
        assert_true(has("", "cont@12310.service", "activating", 0));
}

static void what_runs_or_is_the_seat_s_own_stays(void **state) {
        (void)state;
        assert_false(has("user@2001.service", "cont@12310.service", "active", 0));
        assert_false(has("user@2001.service", "cont@12310.service", "inactive", 0));
        assert_false(has("user@2001.service", "nsbr@12310.service", "activating", 0));
        assert_false(has("user@2001.service", "netns@12310.service", "inactive", 7));
        assert_false(has("user@2001.service", "other@12310.service", "activating", 0));
}

/* The uids of a directory may be in the same range as the numbers of seats. */
static void the_manager_of_another_user_stays_though_the_uid_is_the_seat_s_number(void **state) {
        (void)state;
        assert_false(has("user@2001.service", "user@12310.service", "activating", 0));
        assert_false(has("", "user@12310.service", "activating", 0));
        assert_true(has("user@12310.service", "user@12310.service", "activating", 0));
}

static bool has_lease;

static bool seat_has_lease(void *userdata, const char *seat) {
        (void)userdata;
        assert_string_equal(seat, "12310");
        return has_lease;
}

static struct seats make_seats(void) {
        return (struct seats){.unit_directory = directory, .seat_has_lease = seat_has_lease};
}

static const struct unit_row all[] = {
        {"nsbr@12310.service", "active", 0, ""},
        {"cont@12310.service", "activating", 0, ""},
        {"user@12310.service", "activating", 0, ""},
        {"user@2001.service", "activating", 0, ""},
};

static void a_seat_that_is_left_loses_what_starts(void **state) {
        struct seats seats = make_seats();

        (void)state;
        starting_units_stop(&seats, "12310", 2001);
        asked("list *@12310.service user@2001.service");
        answer_list(0, all, ELEMENTSOF(all));
        asked("stop cont@12310.service");
        asked("stop user@2001.service");
        fake_systemd_done();
}

/* With leftover = keep its manager refuses to be stopped by name, as logind would do it. */
static void a_manager_that_refuses_a_stop_is_killed(void **state) {
        struct seats seats = make_seats();

        (void)state;
        assert_int_equal(wiring_keep_user(directory, 2001, true), 0);
        starting_units_stop(&seats, "12310", 2001);
        asked("list *@12310.service user@2001.service");
        answer_list(0, all, ELEMENTSOF(all));
        asked("stop cont@12310.service");
        asked("kill user@2001.service");
        assert_int_equal(wiring_keep_user(directory, 2001, false), 0);
        fake_systemd_done();
}

static void a_seat_that_somebody_has_again_keeps_it(void **state) {
        struct seats seats = make_seats();

        (void)state;
        starting_units_stop(&seats, "12310", (uid_t)-1);
        asked("list *@12310.service");
        has_lease = true;
        answer_list(0, all, ELEMENTSOF(all));
        has_lease = false;
        fake_systemd_done();

        starting_units_stop(&seats, "12310", (uid_t)-1);
        asked("list *@12310.service");
        starting_units_forget(&seats);
        fake_systemd_done();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_starts_goes),
                cmocka_unit_test(what_runs_or_is_the_seat_s_own_stays),
                cmocka_unit_test(the_manager_of_another_user_stays_though_the_uid_is_the_seat_s_number),
                cmocka_unit_test(a_seat_that_is_left_loses_what_starts),
                cmocka_unit_test(a_manager_that_refuses_a_stop_is_killed),
                cmocka_unit_test(a_seat_that_somebody_has_again_keeps_it),
        };

        return cmocka_run_group_tests(tests, make_wiring, remove_wiring);
}
