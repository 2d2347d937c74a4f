/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The queries of the table of leases, each with a lease that matches and with leases that differ in one
 * property.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "lease/lease-object.h"
#include "lease/lease-run.h"
#include "lease/lease-startup.h"
#include "lease/lease-table.h"

static struct lease_table table;

/* A lease of seat 12310 in that state. */
static struct lease *add(const char *id, enum lease_state state) {
        struct lease_record record = {
                .user = "cs123-newellz2",
                .course = "123",
                .seat = "12310",
                .service = "sshd",
                .token = "abc",
                .uid = 5001,
                .opener = 4242,
        };
        struct lease *lease;

        (void)snprintf(record.id, sizeof(record.id), "%s", id);
        lease = lease_new(&table, &record, -1, lease_run_actions);
        assert_non_null(lease);
        lease->state = state;
        return lease;
}

static struct lease *add_hold(const char *id, enum lease_state state) {
        struct lease *lease = add(id, state);

        lease->record.hold = true;
        (void)snprintf(lease->record.service, SERVICE_SIZE, "%s", HOLD_SERVICE);
        lease->record.uid = (uid_t)-1;
        lease->record.opener = 0;
        return lease;
}

static int forget(void **state) {
        (void)state;
        lease_forget_all(&table);
        return table.leases != NULL;
}

static void a_lease_is_found_by_id_and_by_unit(void **state) {
        struct lease *lease = add("12310_0123456789abcdef", LEASE_ACTIVE);

        (void)state;
        assert_ptr_equal(lease_table_find(&table, "12310_0123456789abcdef"), lease);
        assert_null(lease_table_find(&table, "12310_0123456789abcde"));
        assert_ptr_equal(lease_table_find_unit(&table, "coursenet-12310_0123456789abcdef.slice"), lease);
        assert_null(lease_table_find_unit(&table, "coursenet-12310_0123456789abcdef.service"));
        assert_null(lease_table_find_unit(&table, "coursenet-12310_0123456789abcdee.slice"));
}

static void what_is_no_lease_s_unit_has_no_id(void **state) {
        char id[LEASE_ID_SIZE], unit[LEASE_UNIT_SIZE];

        (void)state;
        assert_true(lease_unit_parse("coursenet-12310_01.slice", id));
        assert_string_equal(id, "12310_01");
        lease_unit_name(id, unit);
        assert_string_equal(unit, "coursenet-12310_01.slice");
        assert_false(lease_unit_parse("coursenet.slice", id));
        assert_false(lease_unit_parse("coursenet-.slice", id));
        assert_false(lease_unit_parse("coursenet-tidy_12310.slice", id));
        assert_false(lease_unit_parse("coursenet-0123456789012345678901234567890123456789.slice", id));
        assert_false(lease_unit_parse("user-12310_01.slice", id));
}

static void a_close_without_an_id_finds_a_lease_of_that_login(void **state) {
        struct lease *lease = add("01", LEASE_ACTIVE);

        (void)state;
        assert_ptr_equal(lease_table_find_login(&table, "cs123-newellz2", "sshd", 4242), lease);
        assert_null(lease_table_find_login(&table, "cs123-newellz3", "sshd", 4242));
        assert_null(lease_table_find_login(&table, "cs123-newellz2", "su", 4242));
        assert_null(lease_table_find_login(&table, "cs123-newellz2", "sshd", 4243));
        /* Its process is dead, so this one is another with the same number. */
        lease->state = LEASE_ORPHANED;
        assert_null(lease_table_find_login(&table, "cs123-newellz2", "sshd", 4242));
        lease->state = LEASE_LINGERING;
        assert_null(lease_table_find_login(&table, "cs123-newellz2", "sshd", 4242));
}

static void a_login_that_does_not_wait_has_its_lease_while_it_starts(void **state) {
        struct lease *lease = add("01", LEASE_STARTING);

        (void)state;
        lease->record.opener = getpid();
        lease->pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        assert_null(lease_table_find_login(&table, "cs123-newellz2", "sshd", getpid()));
        lease->record.no_wait = true;
        assert_ptr_equal(lease_table_find_login(&table, "cs123-newellz2", "sshd", getpid()), lease);
        close_pointer(&lease->pidfd);
        assert_null(lease_table_find_login(&table, "cs123-newellz2", "sshd", getpid()));
}

static void an_answer_that_was_never_given_is_found_by_its_token(void **state) {
        /* The teardown uses it when this function has returned. */
        static struct lease *place;
        struct lease *lease = add("01", LEASE_ACTIVE);
        pid_t opener = getpid();

        (void)state;
        lease->record.opener = opener;
        lease->pidfd = (int)syscall(SYS_pidfd_open, opener, 0);
        assert_ptr_equal(lease_table_find_unanswered(&table, "abc", 5001, opener), lease);
        assert_null(lease_table_find_unanswered(&table, "abd", 5001, opener));
        assert_null(lease_table_find_unanswered(&table, "abc", 5002, opener));
        assert_null(lease_table_find_unanswered(&table, "abc", 5001, opener + 1));
        lease->record.token[0] = '\0';
        assert_null(lease_table_find_unanswered(&table, "", 5001, opener));
        (void)snprintf(lease->record.token, sizeof(lease->record.token), "abc");
        lease->waiter.place = &place; /* somebody waits */
        assert_null(lease_table_find_unanswered(&table, "abc", 5001, opener));
        lease->waiter.place = NULL;
        /* Its process is dead, so this one is another with the same number. */
        close_pointer(&lease->pidfd);
        assert_null(lease_table_find_unanswered(&table, "abc", 5001, opener));
}

static void there_is_a_hold_until_it_ends(void **state) {
        struct lease *lease;

        (void)state;
        (void)add("01", LEASE_ACTIVE);
        assert_null(lease_table_find_hold(&table, "cs123-newellz2", HOLD_SERVICE));
        lease = add_hold("02", LEASE_STARTING);
        assert_ptr_equal(lease_table_find_hold(&table, "cs123-newellz2", HOLD_SERVICE), lease);
        assert_null(lease_table_find_hold(&table, "cs123-newellz3", HOLD_SERVICE));
        assert_null(lease_table_find_hold(&table, "cs123-newellz2", SCHEDULE_SERVICE));
        lease->state = LEASE_ENDING;
        assert_null(lease_table_find_hold(&table, "cs123-newellz2", HOLD_SERVICE));
}

static void a_seat_and_a_user_have_leases_whatever_their_state(void **state) {
        (void)state;
        assert_false(lease_table_has_seat(&table, "12310"));
        (void)add_hold("01", LEASE_HOLD);
        assert_true(lease_table_has_seat(&table, "12310"));
        assert_false(lease_table_has_user(&table, 5001));
        assert_false(lease_table_has_user(&table, (uid_t)-1));
        (void)add("02", LEASE_ENDING);
        assert_true(lease_table_has_user(&table, 5001));
        assert_false(lease_table_has_user(&table, 5002));
        assert_false(lease_table_has_seat(&table, "12311"));
}

static void another_user_of_a_seat_is_found_whatever_the_state(void **state) {
        (void)state;
        assert_false(lease_table_has_other_user(&table, "12310", "cs123-smithj"));
        (void)add("01", LEASE_ENDING);
        assert_true(lease_table_has_other_user(&table, "12310", "cs123-smithj"));
        assert_false(lease_table_has_other_user(&table, "12310", "cs123-newellz2"));
        assert_false(lease_table_has_other_user(&table, "12311", "cs123-smithj"));
        (void)snprintf(add_hold("02", LEASE_HOLD)->record.seat, SEAT_ID_SIZE, "12311");
        assert_true(lease_table_has_other_user(&table, "12311", "cs123-smithj"));
}

static void a_name_comes_from_an_active_lease(void **state) {
        struct lease *lease = add("01", LEASE_STARTING);

        (void)state;
        (void)add_hold("02", LEASE_HOLD);
        assert_null(lease_table_user_name(&table, 5001));
        lease->state = LEASE_ORPHANED;
        assert_string_equal(lease_table_user_name(&table, 5001), "cs123-newellz2");
        assert_null(lease_table_user_name(&table, 5002));
}

static void others_of_a_seat_are_told_apart(void **state) {
        struct lease *lease = add("01", LEASE_ACTIVE), *other;

        (void)state;
        assert_false(lease_table_has_other_login(lease));
        other = add("02", LEASE_LINGERING);
        assert_false(lease_table_has_other_login(lease));
        other->state = LEASE_ORPHANED;
        assert_true(lease_table_has_other_login(lease));
        assert_false(lease_table_has_other_hold(lease));
        (void)snprintf(other->record.seat, sizeof(other->record.seat), "12311");
        assert_false(lease_table_has_other_login(lease));
        (void)add_hold("03", LEASE_HOLD);
        assert_true(lease_table_has_other_hold(lease));
        assert_false(lease_table_has_other_login(lease));
}

static void leases_are_counted_by_what_they_are(void **state) {
        struct lease_counts counts;

        (void)state;
        (void)add("01", LEASE_ACTIVE);
        (void)snprintf(add("02", LEASE_ACTIVE)->record.service, SERVICE_SIZE, ENTER_SERVICE);
        (void)snprintf(add("03", LEASE_ENDING)->record.service, SERVICE_SIZE, ENTER_SERVICE);
        lease_table_find(&table, "03")->record.uid = 5002;
        (void)add_hold("04", LEASE_HOLD);
        lease_table_count(&table, 5001, &counts);
        assert_int_equal(counts.all, 4);
        assert_int_equal(counts.enter, 2);
        assert_int_equal(counts.of_user, 2);
        assert_int_equal(counts.enter_of_user, 1);
        assert_int_equal(lease_table_size(&table), 4);
}

static void count_and_free(struct lease *lease, void *userdata) {
        ++*(unsigned *)userdata;
        lease_free(lease);
}

static void all_of_a_target_are_visited_and_may_go(void **state) {
        unsigned n = 0;

        (void)state;
        for (unsigned i = 0; i < 30; i++) {
                char id[8];

                (void)snprintf(id, sizeof(id), "%02x", i);
                if (i % 3 == 0)
                        (void)snprintf(add(id, LEASE_ACTIVE)->record.course, COURSE_SIZE, "377");
                else
                        (void)add(id, LEASE_ACTIVE);
        }
        lease_table_each_of(&table, "377", count_and_free, &n);
        assert_int_equal(n, 10);
        lease_table_each_of(&table, "12311", count_and_free, &n);
        assert_int_equal(n, 10);
        lease_table_each_of(&table, "cs123-newellz2", count_and_free, &n);
        assert_int_equal(n, 30);
        assert_int_equal(lease_table_size(&table), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(a_lease_is_found_by_id_and_by_unit, forget),
                cmocka_unit_test_teardown(what_is_no_lease_s_unit_has_no_id, forget),
                cmocka_unit_test_teardown(a_close_without_an_id_finds_a_lease_of_that_login, forget),
                cmocka_unit_test_teardown(a_login_that_does_not_wait_has_its_lease_while_it_starts, forget),
                cmocka_unit_test_teardown(an_answer_that_was_never_given_is_found_by_its_token, forget),
                cmocka_unit_test_teardown(there_is_a_hold_until_it_ends, forget),
                cmocka_unit_test_teardown(a_seat_and_a_user_have_leases_whatever_their_state, forget),
                cmocka_unit_test_teardown(another_user_of_a_seat_is_found_whatever_the_state, forget),
                cmocka_unit_test_teardown(a_name_comes_from_an_active_lease, forget),
                cmocka_unit_test_teardown(others_of_a_seat_are_told_apart, forget),
                cmocka_unit_test_teardown(leases_are_counted_by_what_they_are, forget),
                cmocka_unit_test_teardown(all_of_a_target_are_visited_and_may_go, forget),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
