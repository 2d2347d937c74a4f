/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leases that are computed from their log entries. */

#include "fixture.h"

#include "ctl/history/lease-history.h"
#include "protocol.h"

#define BEGINS 100U

static const sd_id128_t last_boot = {.bytes = {1}}, this_boot = {.bytes = {2}}, far_boot = {.bytes = {3}};

static void add_in(
        struct lease_history *history, sd_id128_t boot, const char *what, const char *id, uint64_t usec) {
        struct lease_event event = {
                .what = what,
                .id = id,
                .user = "cs123-newellz2",
                .seat = "12310",
                .address = "10.0.123.10",
                .address6 = "",
                .service = "sshd",
                .remote_host = "192.0.2.7",
                .host = "hosta",
                .usec = usec,
                .since_usec = 50,
                .boot = boot,
        };

        assert_int_equal(lease_history_add(history, &event, BEGINS), 0);
}

static void add(struct lease_history *history, const char *what, const char *id, uint64_t usec) {
        add_in(history, this_boot, what, id, usec);
}

static struct past_lease *find(struct lease_history *history, const char *id) {
        struct past_lease *lease;

        HASH_FIND_STR(history->leases, id, lease);
        return lease;
}

static void assert_lease(
        struct lease_history *history, const char *id, uint64_t since, uint64_t until, enum lease_end end) {
        struct past_lease *lease = find(history, id);

        assert_non_null(lease);
        assert_int_equal(lease->since_usec, since);
        assert_int_equal(lease->until_usec, until);
        assert_int_equal(lease->end, end);
}

static void beginnings_and_ends_are_brought_together(void **state) {
        _cleanup_lease_history_ struct lease_history history = {0};
        struct past_lease *lease;

        (void)state;
        add(&history, LEASE_GIVEN, "a", 110);
        add(&history, LEASE_GIVEN, "b", 120);
        add(&history, LEASE_GIVEN, "c", 130);
        add(&history, LEASE_GIVEN_BACK, "b", 140);
        add(&history, LEASE_TAKEN, "a", 150);
        assert_int_equal(HASH_COUNT(history.leases), 3);
        assert_lease(&history, "a", 110, 150, LEASE_END_TAKEN);
        assert_lease(&history, "b", 120, 140, LEASE_END_LOGOUT);
        assert_lease(&history, "c", 130, 0, LEASE_END_NONE);

        lease = history.leases;
        assert_string_equal(lease->id, "a");
        assert_string_equal(lease->user, "cs123-newellz2");
        assert_string_equal(lease->seat, "12310");
        assert_string_equal(lease->address, "10.0.123.10");
        assert_string_equal(lease->address6, "");
        assert_string_equal(lease->service, "sshd");
        assert_string_equal(lease->remote_host, "192.0.2.7");
        assert_string_equal(lease->host, "hosta");
}

static bool is_b(void *userdata, const struct past_lease *lease) {
        (void)userdata;
        return string_equal(lease->id, "b");
}

static void a_seat_that_lingers_is_its_users_until_it_goes(void **state) {
        _cleanup_lease_history_ struct lease_history history = {0};

        (void)state;
        add(&history, LEASE_GIVEN, "a", 110);
        add(&history, LEASE_LINGERS, "a", 120);
        assert_lease(&history, "a", 110, 0, LEASE_END_NONE);
        lease_history_end_unseen(&history, 150, is_b, NULL);
        assert_lease(&history, "a", 110, 0, LEASE_END_NONE);
        add(&history, LEASE_LINGER_OVER, "a", 180);
        assert_lease(&history, "a", 110, 180, LEASE_END_LOGOUT);
}

static void an_end_without_a_beginning_counts_if_that_is_too_long_ago(void **state) {
        _cleanup_lease_history_ struct lease_history history = {0};
        struct lease_event never_given = {
                .what = LEASE_TAKEN,
                .id = "b",
                .user = "",
                .seat = "",
                .address = "",
                .address6 = "",
                .service = "",
                .remote_host = "",
                .host = "",
                .usec = 130,
                .since_usec = BEGINS,
        };

        (void)state;
        add(&history, LEASE_GIVEN_BACK, "a", 120);
        assert_lease(&history, "a", 50, 120, LEASE_END_LOGOUT);
        assert_int_equal(lease_history_add(&history, &never_given, BEGINS), 0);
        never_given.since_usec = 0;
        assert_int_equal(lease_history_add(&history, &never_given, BEGINS), 0);
        assert_null(find(&history, "b"));
}

static void a_lease_that_is_held_is_known_though_its_beginning_is_not(void **state) {
        _cleanup_lease_history_ struct lease_history history = {0};

        (void)state;
        add(&history, LEASE_GIVEN, "b", 110);
        add(&history, LEASE_HELD, "a", 120);
        add(&history, LEASE_HELD, "b", 130);
        assert_lease(&history, "a", 50, 0, LEASE_END_NONE);
        assert_lease(&history, "b", 110, 0, LEASE_END_NONE);
        lease_history_sort(&history);
        assert_string_equal(history.leases->id, "a");
        add(&history, LEASE_GIVEN_BACK, "a", 140);
        assert_lease(&history, "a", 50, 140, LEASE_END_LOGOUT);
}

static void a_lease_that_has_gone_unseen_has_an_unknown_end(void **state) {
        static const char *const ids[] = {"a", "b", "c", "d"};
        _cleanup_lease_history_ struct lease_history history = {0};

        (void)state;
        for (unsigned i = 0; i < ELEMENTSOF(ids); i++)
                add(&history, LEASE_GIVEN, ids[i], 110 + i * 10);
        add(&history, LEASE_TAKEN, "c", 200);
        lease_history_end_unseen(&history, 140, is_b, NULL);
        assert_lease(&history, "a", 110, 0, LEASE_END_UNKNOWN);
        assert_lease(&history, "b", 120, 0, LEASE_END_NONE);
        assert_lease(&history, "c", 130, 200, LEASE_END_TAKEN);
        assert_lease(&history, "d", 140, 0, LEASE_END_NONE);
        assert_true(past_lease_within(find(&history, "a"), &(struct span){1000, 1001}));
}

static int find_end(void *userdata, sd_id128_t boot, uint64_t *ret_usec) {
        unsigned *n_asked = userdata;

        (*n_asked)++;
        if (sd_id128_equal(boot, this_boot))
                return BOOT_RUNS;
        if (sd_id128_equal(boot, far_boot))
                return BOOT_UNKNOWN;
        *ret_usec = 199;
        return BOOT_OVER;
}

static void no_lease_outlives_its_boot(void **state) {
        _cleanup_lease_history_ struct lease_history history = {0};
        unsigned n_asked = 0;

        (void)state;
        add_in(&history, last_boot, LEASE_GIVEN, "a", 110);
        add_in(&history, last_boot, LEASE_GIVEN, "b", 120);
        add_in(&history, last_boot, LEASE_GIVEN, "c", 130);
        add_in(&history, last_boot, LEASE_GIVEN_BACK, "b", 140);
        add(&history, LEASE_GIVEN, "d", 210);
        assert_int_equal(lease_history_end_boots(&history, find_end, &n_asked), 0);
        assert_lease(&history, "a", 110, 199, LEASE_END_BOOT);
        assert_lease(&history, "b", 120, 140, LEASE_END_LOGOUT);
        assert_lease(&history, "c", 130, 199, LEASE_END_BOOT);
        assert_lease(&history, "d", 210, 0, LEASE_END_NONE);
        assert_int_equal(n_asked, 2);
}

static void leases_of_machines_that_take_turns_end_with_their_own_boots(void **state) {
        static const char *const ids[] = {"a", "b", "c", "d", "e", "f"};
        const sd_id128_t boots[] = {last_boot, this_boot, far_boot};
        _cleanup_lease_history_ struct lease_history history = {0};
        unsigned n_asked = 0;

        (void)state;
        for (unsigned i = 0; i < ELEMENTSOF(ids); i++)
                add_in(&history, boots[i % 3], LEASE_GIVEN, ids[i], 110 + i * 10);
        add_in(&history, far_boot, LEASE_GIVEN_BACK, "f", 300);
        assert_int_equal(lease_history_end_boots(&history, find_end, &n_asked), 0);
        assert_lease(&history, "a", 110, 199, LEASE_END_BOOT);
        assert_lease(&history, "b", 120, 0, LEASE_END_NONE);
        assert_lease(&history, "c", 130, 0, LEASE_END_UNKNOWN);
        assert_lease(&history, "d", 140, 199, LEASE_END_BOOT);
        assert_lease(&history, "e", 150, 0, LEASE_END_NONE);
        assert_lease(&history, "f", 160, 300, LEASE_END_LOGOUT);
        assert_int_equal(n_asked, 3);
}

static void the_same_entries_from_a_copy_of_the_journal_change_nothing(void **state) {
        _cleanup_lease_history_ struct lease_history history = {0};

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                add(&history, LEASE_GIVEN, "a", 110);
                add(&history, LEASE_GIVEN, "b", 120);
                add(&history, LEASE_HELD, "b", 130);
                add(&history, LEASE_GIVEN_BACK, "a", 140);
                assert_int_equal(HASH_COUNT(history.leases), 2);
                assert_lease(&history, "a", 110, 140, LEASE_END_LOGOUT);
                assert_lease(&history, "b", 120, 0, LEASE_END_NONE);
        }
}

static void a_lease_was_there_within_a_span_if_they_touch(void **state) {
        struct past_lease over = {.since_usec = 110, .until_usec = 150, .end = LEASE_END_LOGOUT};
        struct past_lease open = {.since_usec = 110};

        (void)state;
        assert_false(past_lease_within(&over, &(struct span){100, 110}));
        assert_true(past_lease_within(&over, &(struct span){100, 111}));
        assert_true(past_lease_within(&over, &(struct span){120, 121}));
        assert_true(past_lease_within(&over, &(struct span){150, 151}));
        assert_false(past_lease_within(&over, &(struct span){151, 200}));
        assert_true(past_lease_within(&over, &(struct span){0, UINT64_MAX}));
        assert_false(past_lease_within(&open, &(struct span){100, 110}));
        assert_true(past_lease_within(&open, &(struct span){1000, 1001}));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(beginnings_and_ends_are_brought_together),
                cmocka_unit_test(a_seat_that_lingers_is_its_users_until_it_goes),
                cmocka_unit_test(an_end_without_a_beginning_counts_if_that_is_too_long_ago),
                cmocka_unit_test(a_lease_that_is_held_is_known_though_its_beginning_is_not),
                cmocka_unit_test(a_lease_that_has_gone_unseen_has_an_unknown_end),
                cmocka_unit_test(no_lease_outlives_its_boot),
                cmocka_unit_test(leases_of_machines_that_take_turns_end_with_their_own_boots),
                cmocka_unit_test(the_same_entries_from_a_copy_of_the_journal_change_nothing),
                cmocka_unit_test(a_lease_was_there_within_a_span_if_they_touch),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
