/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What wiring is planned, and how it reaches the disk. When it may be written is shown in a booted guest. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "activator/seat/wiring.h"
#include "trusted-file.h"

static char directory[] = "/tmp/coursenet-wiring-XXXXXX";

static struct seat_plan make_seat(const char *name, const char *bridge_course) {
        struct seat_plan seat;

        seat_plan_name(name, &seat);
        (void)string_copy(seat.bridge_course, sizeof(seat.bridge_course), bridge_course);
        return seat;
}

static char *read_drop_in(const struct wiring *wiring) {
        char path[256], *text = NULL;
        const char *reason;

        (void)snprintf(path, sizeof(path), "%s/%s.d/" WIRING_FILE, directory, wiring->unit);
        assert_int_equal(trusted_file_read(path, &text, &reason), 0);
        return text;
}

static void a_seat_is_bound_to_its_bridge(void **state) {
        struct seat_plan seat = make_seat("12310", "123");
        struct wiring wiring;

        (void)state;
        assert_true(wiring_plan_seat(&seat, &wiring));
        assert_string_equal(wiring.unit, "nsbr@12310.service");
        assert_non_null(
                strstr(wiring.text, "\n[Unit]\nBindsTo=netbr@123.service\nAfter=netbr@123.service\n"));
}

static void a_seat_on_another_courses_bridge_is_bound_to_that(void **state) {
        struct seat_plan seat = make_seat("12310", "377");
        struct wiring wiring;

        (void)state;
        assert_true(wiring_plan_seat(&seat, &wiring));
        assert_non_null(strstr(wiring.text, "BindsTo=netbr@377.service"));
}

static void a_seat_on_an_admins_bridge_needs_no_unit(void **state) {
        struct seat_plan seat = make_seat("12310", "");
        struct wiring wiring;

        (void)state;
        assert_false(wiring_plan_seat(&seat, &wiring));
}

static void a_users_manager_is_put_into_the_seat(void **state) {
        struct seat_plan seat = make_seat("12310", "123");
        struct wiring wiring;

        (void)state;
        wiring_plan_user(&seat, 1001, true, &wiring);
        assert_string_equal(wiring.unit, "user@1001.service");
        assert_non_null(strstr(wiring.text, "\n[Unit]\nPartOf=nsbr@12310.service\n"
                                            "ConditionPathExists=/run/netns/ns12310\n"
                                            "CollectMode=inactive-or-failed\n[Service]\n"
                                            "NetworkNamespacePath=/run/netns/ns12310\n"));
        /* It would delay the seat's end. */
        assert_null(strstr(wiring.text, "After="));
}

/* systemd may go on with either version in memory until the next login. */
static void a_manager_that_is_not_wanted_has_a_condition_that_never_holds(void **state) {
        struct seat_plan seat = make_seat("12310", "123");
        struct wiring with, without;

        (void)state;
        wiring_plan_user(&seat, 1001, true, &with);
        wiring_plan_user(&seat, 1001, false, &without);
        assert_string_equal(without.unit, "user@1001.service");
        assert_non_null(
                strstr(without.text, "\nConditionPathExists=/run/coursenet/user-manager-is-set-to-no\n"));
        assert_null(strstr(without.text, "ConditionPathExists=/run/netns/"));
        /* Started by other means, it is in the seat, too. */
        assert_non_null(strstr(without.text, with.will_do));
        assert_non_null(strstr(with.text, without.will_do));
}

static bool keep_file_exists(const char *unit, const char *line) {
        char path[256];
        _cleanup_free_ char *text = NULL;
        const char *reason;

        (void)snprintf(path, sizeof(path), "%s/%s.d/" WIRING_KEEP_FILE, directory, unit);
        return trusted_file_read(path, &text, &reason) >= 0 && strstr(text, line);
}

static void logind_may_not_end_a_manager_that_is_kept(void **state) {
        (void)state;
        assert_int_equal(wiring_keep_user(directory, 1001, false), 0);
        assert_false(keep_file_exists("user@1001.service", ""));
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(wiring_keep_user(directory, 1001, true), 0);
                assert_true(keep_file_exists("user@1001.service", "\n[Unit]\nRefuseManualStop=yes\n"));
                assert_true(keep_file_exists("user-runtime-dir@1001.service", "\nRefuseManualStop=yes\n"));
                /* Nobody else would stop it. */
                assert_true(keep_file_exists("user-runtime-dir@1001.service", "\nStopWhenUnneeded=yes\n"));
        }
        assert_int_equal(wiring_keep_user(directory, 1001, false), 0);
        assert_false(keep_file_exists("user@1001.service", ""));
        assert_false(keep_file_exists("user-runtime-dir@1001.service", ""));
}

/* systemd would read all its folders again at the next login. */
static void a_folder_that_was_made_at_boot_stays(void **state) {
        char path[256];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/user@1002.service.d", directory);
        assert_return_code(mkdir(path, 0700), errno);
        assert_int_equal(wiring_keep_user(directory, 1002, false), 0);
        assert_return_code(rmdir(path), errno);
}

static void a_service_is_the_students_own_in_the_seat(void **state) {
        struct seat_plan seat = make_seat("12310", "123");
        struct service_settings services = {.units = {"vnc"}, .n_units = 1};
        struct wiring wiring;

        (void)state;
        wiring_plan_service(&seat, "cs123-newellz2", 1001, &services, 0, &wiring);
        assert_string_equal(wiring.unit, "vnc@12310.service");
        assert_non_null(strstr(wiring.text, "\n[Unit]\nStopWhenUnneeded=yes\nBindsTo=nsbr@12310.service\n"
                                            "After=nsbr@12310.service\nCollectMode=inactive-or-failed\n"
                                            "[Service]\nUser=cs123-newellz2\nSlice=user-1001.slice\n"
                                            "NetworkNamespacePath=/run/netns/ns12310\n"));
        /* Nobody knows the uid of a seat's hold whose student has no account. */
        wiring_plan_service(&seat, "cs123-newellz2", 0, &services, 0, &wiring);
        assert_null(strstr(wiring.text, "Slice="));
}

static void limits_are_of_the_users_slice(void **state) {
        static const struct limit_settings limits = {.memory_max = "2G",
                                                   .cpu_weight = "50",
                                                   .cpu_quota = "150%",
                                                   .tasks_max = "500",
                                                   .io_weight = "10"},
                                           none = {.cpu_quota = "infinity", .memory_max = "infinity"};
        struct wiring wiring;

        (void)state;
        assert_true(wiring_plan_limits(1001, &limits, &wiring));
        assert_string_equal(wiring.unit, "user-1001.slice");
        assert_string_equal(wiring.file, "40-coursenet.conf");
        assert_non_null(strstr(wiring.text,
                "\n[Slice]\nMemoryMax=2G\nCPUWeight=50\nCPUQuota=150%\nTasksMax=500\nIOWeight=10\n"));
        assert_true(wiring_plan_limits(1001, &none, &wiring));
        assert_non_null(strstr(wiring.text, "\n[Slice]\nMemoryMax=infinity\nCPUQuota=\n"));
        assert_false(wiring_plan_limits(1001, &(struct limit_settings){0}, &wiring));
        assert_string_equal(wiring.unit, "user-1001.slice");
}

static void the_longest_service_fits(void **state) {
        struct seat_plan seat = make_seat("999999999999", "999999");
        struct service_settings services = {
                .units = {"a-name-of-23-characters"},
                .n_units = 1,
        };
        struct wiring wiring;

        (void)state;
        wiring_plan_service(&seat, "a-user-whose-name-has-sixty-three-characters-and-no-more-of-the",
                UINT32_MAX - 1, &services, 0, &wiring);
        assert_string_equal(wiring.unit, "a-name-of-23-characters@999999999999.service");
        assert_non_null(strstr(wiring.text, "ns999999999999\n"));
}

static void the_largest_user_fits(void **state) {
        struct seat_plan seat = make_seat("999999999999", "999999");
        struct wiring wiring;

        (void)state;
        for (unsigned manager = 0; manager < 2; manager++) {
                wiring_plan_user(&seat, UINT32_MAX - 1, manager, &wiring);
                assert_string_equal(wiring.unit, "user@4294967294.service");
                assert_non_null(strstr(wiring.text, "TimeoutStopSec=5s\n"));
        }
}

static void the_longest_id_fits(void **state) {
        struct seat_plan seat = make_seat("999999999999", "999999");
        struct wiring wiring;

        (void)state;
        assert_true(wiring_plan_seat(&seat, &wiring));
        assert_string_equal(wiring.unit, "nsbr@999999999999.service");
        assert_non_null(strstr(wiring.text, "After=netbr@999999.service\n"));
}

static void what_is_written_is_not_written_again(void **state) {
        struct seat_plan seat = make_seat("12311", "123");
        struct wiring wiring;
        _cleanup_free_ char *text = NULL;

        (void)state;
        assert_true(wiring_plan_seat(&seat, &wiring));
        assert_int_equal(wiring_differs(directory, &wiring), 1);
        assert_int_equal(wiring_write(directory, &wiring), 0);
        assert_int_equal(wiring_differs(directory, &wiring), 0);
        text = read_drop_in(&wiring);
        assert_string_equal(text, wiring.text);
}

static void a_change_is_seen_and_replaces_the_old(void **state) {
        struct seat_plan seat = make_seat("12312", "123"), moved = make_seat("12312", "377");
        struct wiring before, after;
        _cleanup_free_ char *text = NULL;

        (void)state;
        assert_true(wiring_plan_seat(&seat, &before));
        assert_true(wiring_plan_seat(&moved, &after));
        assert_int_equal(wiring_write(directory, &before), 0);
        assert_int_equal(wiring_differs(directory, &after), 1);
        assert_int_equal(wiring_write(directory, &after), 0);
        text = read_drop_in(&after);
        assert_string_equal(text, after.text);
}

static void a_stand_in_names_nobody_and_takes_no_place_of_a_students(void **state) {
        struct seat_plan seat = make_seat("12311", "123");
        struct service_settings services = {.units = {"nsbr"}, .n_units = 1};
        _cleanup_free_ char *text = NULL;
        struct wiring stand_in, own;

        (void)state;
        wiring_plan_stand_in(&seat, "nsbr", &stand_in);
        assert_null(strstr(stand_in.text, "User="));
        assert_non_null(
                strstr(stand_in.text, "\n[Unit]\nStopWhenUnneeded=yes\nAssertPathExists=/run/coursenet/"));
        wiring_plan_service(&seat, "cs123-newellz2", 1001, &services, 0, &own);
        assert_string_equal(stand_in.unit, own.unit);

        assert_int_equal(wiring_write(directory, &stand_in), 0);
        assert_int_equal(wiring_differs(directory, &own), 1);
        assert_int_equal(wiring_write(directory, &own), 0);
        assert_int_equal(wiring_differs(directory, &stand_in), 0);
        assert_int_equal(wiring_write(directory, &stand_in), 0);
        text = read_drop_in(&own);
        assert_string_equal(text, own.text);
}

static void a_drop_in_is_for_root_alone_and_systemd_does_not_mind(void **state) {
        struct seat_plan seat = make_seat("12312", "123");
        struct wiring wiring;
        struct stat st;
        char path[256];

        (void)state;
        assert_true(wiring_plan_seat(&seat, &wiring));
        assert_int_equal(wiring_write(directory, &wiring), 0);
        (void)snprintf(path, sizeof(path), "%s/%s.d/" WIRING_FILE, directory, wiring.unit);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
        *strrchr(path, '/') = '\0';
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void a_directory_that_is_not_there_is_an_error(void **state) {
        struct seat_plan seat = make_seat("12310", "123");
        struct wiring wiring;

        (void)state;
        assert_true(wiring_plan_seat(&seat, &wiring));
        assert_int_equal(wiring_write("/nonexistent", &wiring), -ENOENT);
}

static int set_up(void **state) {
        (void)state;
        return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state) {
        static const char *const names[] = {"12311", "12312"};
        char path[256];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void)snprintf(path, sizeof(path), "%s/nsbr@%s.service.d/" WIRING_FILE, directory, names[i]);
                (void)unlink(path);
                *strrchr(path, '/') = '\0';
                (void)rmdir(path);
        }
        /* Fails, and with it the test, if anything else was left, such as a temporary file. */
        return rmdir(directory);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_seat_is_bound_to_its_bridge),
                cmocka_unit_test(a_seat_on_another_courses_bridge_is_bound_to_that),
                cmocka_unit_test(a_seat_on_an_admins_bridge_needs_no_unit),
                cmocka_unit_test(a_users_manager_is_put_into_the_seat),
                cmocka_unit_test(a_manager_that_is_not_wanted_has_a_condition_that_never_holds),
                cmocka_unit_test(logind_may_not_end_a_manager_that_is_kept),
                cmocka_unit_test(a_folder_that_was_made_at_boot_stays),
                cmocka_unit_test(the_largest_user_fits),
                cmocka_unit_test(a_service_is_the_students_own_in_the_seat),
                cmocka_unit_test(limits_are_of_the_users_slice),
                cmocka_unit_test(the_longest_service_fits),
                cmocka_unit_test(the_longest_id_fits),
                cmocka_unit_test(what_is_written_is_not_written_again),
                cmocka_unit_test(a_change_is_seen_and_replaces_the_old),
                cmocka_unit_test(a_stand_in_names_nobody_and_takes_no_place_of_a_students),
                cmocka_unit_test(a_drop_in_is_for_root_alone_and_systemd_does_not_mind),
                cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
        };

        return cmocka_run_group_tests_name("wiring", tests, set_up, tear_down);
}
