/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens when systemd says that a job of a unit has ended: a user's failed manager, a container's slot.
 */

#include "fake-systemd.h"
#include "tests/unit/fixture.h"

#include "seat/failed-units.h"
#include "seat/slot-release.h"
#include "seat/wiring.h"

enum {
        UID_LOGGED_IN = 2000,
        UID_LOGGED_OUT,
        UID_STRANGER, /* no course user: has no drop-in of ours */
};

static struct seats seats;

static bool user_has_lease(void *userdata, uid_t uid) {
        (void)userdata;
        return uid == UID_LOGGED_IN;
}

static void wire(unsigned uid) {
        struct wiring wiring = {.text = "[Unit]\n"};

        (void)snprintf(wiring.unit, sizeof(wiring.unit), "user@%u.service", uid);
        assert_int_equal(wiring_write(etc, &wiring), 0);
}

static void a_manager_that_failed_after_its_users_last_login_is_reset(void **state) {
        (void)state;
        failed_units_job_removed(&seats, "/job/1", "user@2001.service", "failed");
        asked("reset user@2001.service");
}

static void a_manager_of_a_user_who_is_logged_in_is_not(void **state) {
        (void)state;
        failed_units_job_removed(&seats, "/job/1", "user@2000.service", "failed");
        failed_units_reset_user(&seats, UID_LOGGED_IN);
        asked_nothing();
}

static void what_is_not_ours_is_left_alone(void **state) {
        (void)state;
        failed_units_job_removed(&seats, "/job/1", "user@2002.service", "failed");
        failed_units_job_removed(&seats, "/job/1", "user@2001.service.wants", "failed");
        failed_units_job_removed(&seats, "/job/1", "user@2001x.service", "failed");
        failed_units_job_removed(&seats, "/job/1", "ssh.service", "failed");
        failed_units_reset_user(&seats, (uid_t)-1); /* an administrator's hold */
        asked_nothing();
}

static void a_seat_that_is_down_has_no_failed_units(void **state) {
        (void)state;
        failed_units_reset(&seats, "12310");
        asked("reset nsbr@12310.service");
        asked("reset netns@12310.service");
}

static bool slot_taken(const char *seat) {
        return access(etc_path(seat), F_OK) == 0;
}

static void a_container_that_has_started_gives_its_slot_back(void **state) {
        (void)state;
        write_file("12310", "");
        write_file("12311", "");
        slots_job_removed(&seats, "/job/1", "cont@12310.service", "done");
        assert_false(slot_taken("12310"));
        assert_true(slot_taken("12311"));
        slots_job_removed(&seats, "/job/1", "cont@12311.service", "failed");
        assert_false(slot_taken("12311"));
}

static void no_other_unit_takes_a_slot_away(void **state) {
        static const char *const units[] = {"nsbr@12310.service", "cont@12310.socket", "cont@.service",
                "cont@../12310.service", "cont@./12310.service", "cont@.12310.service", "xcont@12310.service",
                ""};

        (void)state;
        write_file("12310", "");
        write_file(".12310", "");
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                slots_job_removed(&seats, "/job/1", units[i], "done");
        assert_true(slot_taken("12310"));
        assert_true(slot_taken(".12310"));
}

static int set_up(void **state) {
        seats = (struct seats){
                .unit_directory = etc,
                .slot_directory = etc,
                .user_has_lease = user_has_lease,
        };
        if (make_etc(state) < 0)
                return -1;
        wire(UID_LOGGED_IN);
        wire(UID_LOGGED_OUT);
        return 0;
}

static int tear_down(void **state) {
        fake_systemd_done();
        return remove_etc(state);
}

#define job_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                job_test(a_manager_that_failed_after_its_users_last_login_is_reset),
                job_test(a_manager_of_a_user_who_is_logged_in_is_not),
                job_test(what_is_not_ours_is_left_alone),
                job_test(a_seat_that_is_down_has_no_failed_units),
                job_test(a_container_that_has_started_gives_its_slot_back),
                job_test(no_other_unit_takes_a_slot_away),
        };

        return cmocka_run_group_tests_name("job-end", tests, NULL, NULL);
}
