/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many leases one user, coursenet-enter and all together may have. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lease/lease-limit.h"
#include "lease/lease-run.h"
#include "lease/lease-startup.h"
#include "lease/lease-table.h"

static struct lease_table table;

static void add(uid_t uid, enum lease_source source) {
        struct lease_record record = {
                .uid = source == LEASE_BY_ADMIN ? (uid_t)-1 : uid,
                .hold = source == LEASE_BY_ADMIN,
        };

        (void)snprintf(record.id, sizeof(record.id), "12310_%08zx", lease_table_size(&table));
        (void)snprintf(record.service, sizeof(record.service), "%s",
                source == LEASE_BY_ENTER ? "coursenet-enter" : "sshd");
        assert_non_null(lease_new(&table, &record, -1, lease_run_actions));
}

/* Takes as many as the user gets; returns how many. */
static unsigned take(uid_t uid, enum lease_source source) {
        unsigned n = 0;

        for (; !lease_limit_check(&table, uid, source); n++)
                add(uid, source);
        return n;
}

static int forget(void **state) {
        (void)state;
        lease_forget_all(&table);
        return 0;
}

static void a_user_who_enters_in_a_loop_can_still_log_in(void **state) {
        (void)state;
        assert_int_equal(take(2000, LEASE_BY_ENTER), 48);
        assert_non_null(strstr(lease_limit_check(&table, 2000, LEASE_BY_ENTER), "48"));
        assert_int_equal(take(2000, LEASE_BY_LOGIN), 16);
        assert_non_null(strstr(lease_limit_check(&table, 2000, LEASE_BY_LOGIN), "64"));
        assert_int_equal(take(2001, LEASE_BY_LOGIN), 64);
}

static void sixty_four_accounts_that_enter_leave_the_logins_their_place(void **state) {
        unsigned n = 0;

        (void)state;
        for (uid_t uid = 2000; uid < 2064; uid++)
                n += take(uid, LEASE_BY_ENTER);
        assert_in_range(n, 900, 1024);
        /* A class of 2000 can still log in, each once. */
        for (uid_t uid = 10000; uid < 12000; uid++) {
                assert_null(lease_limit_check(&table, uid, LEASE_BY_LOGIN));
                add(uid, LEASE_BY_LOGIN);
        }
        for (uid_t uid = 2000; uid < 2064; uid++)
                assert_null(lease_limit_check(&table, uid, LEASE_BY_LOGIN));
}

static void what_enters_is_limited_in_all(void **state) {
        (void)state;
        for (uid_t uid = 2000; uid < 3000; uid++)
                (void)take(uid, LEASE_BY_ENTER);
        assert_int_equal(lease_table_size(&table), 1024);
        assert_non_null(strstr(lease_limit_check(&table, 5000, LEASE_BY_ENTER), "1024"));
        assert_null(lease_limit_check(&table, 5000, LEASE_BY_LOGIN));
}

static void the_less_is_left_the_less_one_user_gets(void **state) {
        (void)state;
        /* Twenty accounts would have 960 of the 1024 at 48 each. */
        for (uid_t uid = 2000; uid < 2020; uid++)
                (void)take(uid, LEASE_BY_ENTER);
        for (uid_t uid = 3000; uid < 3020; uid++)
                assert_true(take(uid, LEASE_BY_ENTER) >= 4);
}

static void nobody_gets_one_more_than_there_may_be_in_all(void **state) {
        (void)state;
        for (uid_t uid = 2000; lease_table_size(&table) < LEASES_MAX; uid++)
                assert_true(take(uid, LEASE_BY_LOGIN) > 0);
        assert_non_null(lease_limit_check(&table, 1000, LEASE_BY_LOGIN));
        assert_non_null(lease_limit_check(&table, 1000, LEASE_BY_ADMIN));
}

static void an_admins_holds_count_for_nobody(void **state) {
        (void)state;
        for (unsigned i = 0; i < 500; i++)
                add(0, LEASE_BY_ADMIN);
        assert_null(lease_limit_check(&table, 2000, LEASE_BY_ADMIN));
        assert_int_equal(take(2000, LEASE_BY_LOGIN), 64);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(a_user_who_enters_in_a_loop_can_still_log_in, forget),
                cmocka_unit_test_teardown(
                        sixty_four_accounts_that_enter_leave_the_logins_their_place, forget),
                cmocka_unit_test_teardown(what_enters_is_limited_in_all, forget),
                cmocka_unit_test_teardown(the_less_is_left_the_less_one_user_gets, forget),
                cmocka_unit_test_teardown(nobody_gets_one_more_than_there_may_be_in_all, forget),
                cmocka_unit_test_teardown(an_admins_holds_count_for_nobody, forget),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
