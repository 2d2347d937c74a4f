/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The drop-in of a user's slice: when it is written and removed, and what systemd is told of it. */

#include "fake-systemd.h"

#include <sys/stat.h>

#include "seat/user-limits.h"

#define DROP_IN "user-1001.slice.d/40-coursenet.conf"

static char top[] = "/tmp/coursenet-test-XXXXXX";
static char directory[64], control[80];
static bool has_lease;
static struct seats seats;

static const struct limit_settings limits = {.memory_max = "2G",
                                           .cpu_weight = "50",
                                           .cpu_quota = "150%",
                                           .tasks_max = "20%",
                                           .io_weight = "10"},
                                   none;

#define ALL                                                                                                  \
        "set user-1001.slice MemoryMax=2147483648 TasksMaxScale=858993459 CPUQuotaPerSecUSec=1500000 "       \
        "CPUWeight=50 IOWeight=10"

static bool user_has_lease(void *userdata, uid_t uid) {
        (void)userdata;
        assert_int_equal(uid, 1001);
        return has_lease;
}

static int set_up(void **state) {
        (void)state;
        if (!mkdtemp(top))
                return -1;
        (void)snprintf(directory, sizeof(directory), "%s/system", top);
        (void)snprintf(control, sizeof(control), "%s.control", directory);
        seats = (struct seats){.unit_directory = directory, .user_has_lease = user_has_lease};
        has_lease = true;
        return mkdir(directory, 0755) < 0 || mkdir(control, 0755) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        char command[64];

        (void)state;
        user_limits_forget(&seats);
        fake_systemd_done();
        (void)snprintf(command, sizeof(command), "rm -r %s", top);
        if (system(command) != 0)
                return -1;
        (void)snprintf(top, sizeof(top), "/tmp/coursenet-test-XXXXXX");
        return 0;
}

static bool exists(const char *folder, const char *name) {
        char path[160];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        return access(path, F_OK) == 0;
}

/* As systemd does when a property is set. */
static void touch_control(const char *name) {
        char path[160];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/user-1001.slice.d", control);
        (void)mkdir(path, 0755);
        (void)snprintf(path, sizeof(path), "%s/user-1001.slice.d/50-%s.conf", control, name);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
}

/* The first login: the drop-in is there, and systemd will read it. */
static void apply_to_nothing(void) {
        user_limits_apply(&seats, 1001, &limits);
        assert_true(exists(directory, DROP_IN));
        asked("find user-1001.slice");
        answer_job(-ENOENT, "", "not loaded");
}

static void a_login_before_its_session_costs_no_property(void **state) {
        (void)state;
        apply_to_nothing();
        asked_nothing();
        user_limits_apply(&seats, 1001, &limits);
        asked_nothing();
}

static void a_slice_that_is_there_is_told(void **state) {
        (void)state;
        user_limits_apply(&seats, 1001, &limits);
        asked("find user-1001.slice");
        answer_job(0, "/slice", "");
        asked(ALL);
        touch_control("MemoryMax");
        touch_control("TasksMaxScale");
        touch_control("CPUQuota");
        touch_control("CPUWeight");
        touch_control("IOWeight");
        answer_done(0);
        assert_false(exists(control, "user-1001.slice.d"));
        assert_true(exists(directory, DROP_IN));
}

static void what_an_administrator_has_set_stays(void **state) {
        (void)state;
        touch_control("MemoryMaxScale");
        touch_control("CPUQuota");
        user_limits_apply(&seats, 1001, &limits);
        asked("find user-1001.slice");
        answer_job(0, "/slice", "");
        asked("set user-1001.slice TasksMaxScale=858993459 CPUWeight=50 IOWeight=10");
        answer_done(0);
        assert_true(exists(control, "user-1001.slice.d/50-MemoryMaxScale.conf"));
        assert_true(exists(control, "user-1001.slice.d/50-CPUQuota.conf"));
}

static void all_of_it_is_less_than_systemd_takes_for_a_mistake(void **state) {
        static const struct limit_settings all = {.memory_max = "100%", .cpu_quota = "infinity"};

        (void)state;
        user_limits_apply(&seats, 1001, &all);
        asked("find user-1001.slice");
        answer_job(0, "/slice", "");
        asked("set user-1001.slice MemoryMaxScale=4294967294 CPUQuotaPerSecUSec=18446744073709551615");
        answer_done(-EACCES);
}

static void a_course_without_limits_has_no_drop_in(void **state) {
        (void)state;
        user_limits_apply(&seats, 1001, &none);
        assert_false(exists(directory, DROP_IN));
        apply_to_nothing();
        user_limits_apply(&seats, 1001, &none);
        assert_false(exists(directory, DROP_IN));
        asked_nothing();
}

static void the_drop_in_goes_with_the_slice(void **state) {
        (void)state;
        apply_to_nothing();
        user_limits_unit_removed(&seats, "user-1001.slice");
        asked_nothing(); /* the user has a lease */

        has_lease = false;
        user_limits_release(&seats, 1001);
        asked("find user-1001.slice");
        answer_job(0, "/slice", "");
        assert_true(exists(directory, DROP_IN)); /* the session still ends, or processes are left */

        user_limits_unit_removed(&seats, "user-1001.scope");
        user_limits_unit_removed(&seats, "user-1001.slice.d");
        user_limits_unit_removed(&seats, "user.slice");
        asked_nothing();
        user_limits_unit_removed(&seats, "user-1001.slice");
        asked("find user-1001.slice");
        answer_job(-ENOENT, "", "not loaded");
        assert_false(exists(directory, DROP_IN));

        user_limits_unit_removed(&seats, "user-1001.slice");
        asked_nothing();
}

static void a_login_that_comes_meanwhile_keeps_it(void **state) {
        (void)state;
        apply_to_nothing();
        has_lease = false;
        user_limits_unit_removed(&seats, "user-1001.slice");
        asked("find user-1001.slice");
        has_lease = true;
        answer_job(-ENOENT, "", "not loaded");
        assert_true(exists(directory, DROP_IN));
}

/* The login goes on, and its user has the limits from the next start of the slice on. */
static void what_cannot_be_written_or_sent_is_no_reason_to_refuse(void **state) {
        (void)state;
        fake_send_error = -ENOTCONN;
        user_limits_apply(&seats, 1001, &limits);
        asked("find user-1001.slice");
        assert_true(exists(directory, DROP_IN));
        assert_null(seats.user_limits);

        fake_send_error = 0;
        user_limits_apply(&seats, 1001, &none);
        user_limits_apply(&seats, 1001, &limits);
        asked("find user-1001.slice");
        fake_send_error = -ENOTCONN;
        answer_job(0, "/unit", "");
        asked(ALL);
        assert_null(seats.user_limits);

        fake_send_error = 0;
        seats.unit_directory = "/nonexistent";
        user_limits_apply(&seats, 1001, &limits);
        asked_nothing();
        seats.unit_directory = directory;
}

/* An error other than -ENOENT says nothing about the slice. */
static void what_is_not_known_stays(void **state) {
        (void)state;
        apply_to_nothing();
        has_lease = false;
        user_limits_release(&seats, 1001);
        asked("find user-1001.slice");
        answer_job(-ETIMEDOUT, "", "no answer");
        assert_true(exists(directory, DROP_IN));
}

static void an_activator_that_starts_looks_at_all(void **state) {
        (void)state;
        apply_to_nothing();
        has_lease = false;
        user_limits_release_all(&seats);
        asked("find user-1001.slice");
        asked_nothing();
        answer_job(-ENOENT, "", "not loaded");
        assert_false(exists(directory, DROP_IN));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_login_before_its_session_costs_no_property),
                TEST(a_slice_that_is_there_is_told),
                TEST(what_an_administrator_has_set_stays),
                TEST(all_of_it_is_less_than_systemd_takes_for_a_mistake),
                TEST(a_course_without_limits_has_no_drop_in),
                TEST(the_drop_in_goes_with_the_slice),
                TEST(a_login_that_comes_meanwhile_keeps_it),
                TEST(what_cannot_be_written_or_sent_is_no_reason_to_refuse),
                TEST(what_is_not_known_stays),
                TEST(an_activator_that_starts_looks_at_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
