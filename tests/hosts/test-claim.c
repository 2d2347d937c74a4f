/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done about a seat: each state, with what is known and what happens. */

#include "claim.h"
#include "hosts-protocol.h"
#include "tests/unit/fixture.h"

#define NOW UINT64_C(1000000000)
#define SECOND UINT64_C(1000000)

static struct claim in_state(enum claim_state state) {
        struct claim claim = {.seat = "12310", .user = "cs123-newellz2", .state = state};

        if (state == CLAIM_HELD)
                claim_granted(&claim, 100, 7);
        return claim;
}

static enum claim_step step(const struct claim *claim, bool session, bool cable, bool waiting) {
        const struct claim_view view = {
                .now_usec = NOW, .session = session, .cable = cable, .waiting = waiting};

        return claim_next_step(claim, &view);
}

static void test_a_free_seat_is_asked_for_when_it_is_needed(void **state) {
        struct claim claim = in_state(CLAIM_FREE);

        (void)state;
        assert_int_equal(step(&claim, true, false, false), CLAIM_FORGET);
        assert_int_equal(step(&claim, false, false, false), CLAIM_FORGET);
        assert_int_equal(step(&claim, true, true, false), CLAIM_ASK);
        assert_int_equal(step(&claim, true, false, true), CLAIM_ASK);
        claim.wanted_until_usec = NOW + 1;
        assert_int_equal(step(&claim, true, false, false), CLAIM_ASK);
        claim.wanted_until_usec = NOW;
        assert_int_equal(step(&claim, true, false, false), CLAIM_FORGET);
}

static void test_nothing_is_asked_for_without_a_lease(void **state) {
        struct claim claim = in_state(CLAIM_FREE);

        (void)state;
        assert_int_equal(step(&claim, false, true, true), CLAIM_STAYS);
        claim = in_state(CLAIM_HELD);
        assert_int_equal(step(&claim, false, false, false), CLAIM_STAYS);
}

/* A claim is given up only when its cable is gone. */
static void test_a_held_seat_is_dropped_when_nothing_needs_it(void **state) {
        struct claim claim = in_state(CLAIM_HELD);

        (void)state;
        assert_int_equal(step(&claim, true, true, false), CLAIM_STAYS);
        assert_int_equal(step(&claim, true, false, true), CLAIM_STAYS);
        assert_int_equal(step(&claim, true, false, false), CLAIM_DROP);
        assert_true(claim_want(&claim, "cs123-newellz2", NOW, 60));
        assert_int_equal(step(&claim, true, false, false), CLAIM_STAYS);
}

/* The activator was killed: nobody says that the seat is not wanted any longer. */
static void test_what_nobody_asks_for_again_is_soon_not_wanted(void **state) {
        struct claim claim = in_state(CLAIM_HELD);

        (void)state;
        assert_true(claim_want(&claim, "cs123-newellz2", NOW - SECOND, HOSTS_WANTED_SECONDS));
        claim_orphan(&claim, NOW - HOSTS_ORPHANED_SECONDS * SECOND, HOSTS_ORPHANED_SECONDS);
        assert_int_equal(step(&claim, true, true, false), CLAIM_STAYS);
        assert_int_equal(step(&claim, true, false, false), CLAIM_DROP);
        /* It does not become wanted by that. */
        claim.wanted_until_usec = 0;
        claim_orphan(&claim, NOW, HOSTS_ORPHANED_SECONDS);
        assert_int_equal(step(&claim, true, false, false), CLAIM_DROP);
        /* Another one asks for it. */
        assert_true(claim_want(&claim, "cs123-newellz2", NOW, HOSTS_WANTED_SECONDS));
        assert_int_equal(step(&claim, true, false, false), CLAIM_STAYS);
}

static void test_one_transaction_at_a_time(void **state) {
        static const enum claim_state busy[] = {CLAIM_ASKING, CLAIM_DROPPING};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(busy); i++)
                for (unsigned known = 0; known < 8; known++) {
                        struct claim claim = in_state(busy[i]);

                        assert_int_equal(step(&claim, known & 1, known & 2, known & 4), CLAIM_STAYS);
                }
}

static void test_an_attempt_that_failed_is_repeated_later(void **state) {
        struct claim claim = in_state(CLAIM_ASKING);

        (void)state;
        claim_failed(&claim, NOW);
        assert_int_equal(claim.state, CLAIM_FREE);
        assert_int_equal(step(&claim, true, true, false), CLAIM_STAYS);
        /* Somebody who waits does not wait for that. */
        assert_int_equal(step(&claim, true, true, true), CLAIM_ASK);
        claim.not_before_usec = NOW;
        assert_int_equal(step(&claim, true, true, false), CLAIM_ASK);
}

/* The seat that another member has is not taken back, while its cable is still here. */
static void test_a_seat_that_is_elsewhere_ends_here(void **state) {
        const struct claim_value other = {.host = "hostb", .user = "cs123-newellz2", .since_usec = 42};
        struct claim claim = in_state(CLAIM_ASKING);

        (void)state;
        assert_true(claim_want(&claim, "cs123-newellz2", NOW, 60));
        claim_refused(&claim, &other);
        assert_string_equal(claim.taken_by, "hostb");
        assert_int_equal(claim.taken_since_usec, 42);
        assert_int_equal(step(&claim, true, true, false), CLAIM_STAYS);
        assert_int_equal(step(&claim, true, false, false), CLAIM_FORGET);
        /* A new login finds out how it is now. */
        assert_int_equal(step(&claim, true, true, true), CLAIM_ASK);
        claim_granted(&claim, 200, 7);
        assert_string_equal(claim.taken_by, "");
}

static void test_another_user_is_written_again(void **state) {
        struct claim claim = in_state(CLAIM_HELD);

        (void)state;
        assert_false(claim_want(&claim, "cs123-other", NOW, 60));
        assert_string_equal(claim.user, "cs123-other");
        assert_int_equal(step(&claim, true, true, true), CLAIM_ASK);
}

static void test_a_new_lease_has_no_claims(void **state) {
        static const enum claim_state states[] = {CLAIM_FREE, CLAIM_ASKING, CLAIM_HELD, CLAIM_DROPPING};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                struct claim claim = in_state(states[i]);

                claim_session_over(&claim);
                assert_int_equal(claim.state, CLAIM_FREE);
                assert_int_equal(step(&claim, false, true, false), CLAIM_STAYS);
                assert_int_equal(step(&claim, true, true, false), CLAIM_ASK);
                assert_int_equal(step(&claim, true, false, false), CLAIM_FORGET);
        }
}

/* --- what the store shows --------------------------------------------------------------------- */

static struct claim_sight make_sight(int64_t revision, bool own, bool deleted) {
        struct claim_sight sight = {
                .revision = revision,
                .own = own,
                .deleted = deleted,
                .value = {.user = "cs123-newellz2", .since_usec = 9},
        };

        (void)strcpy(sight.value.host, own ? "hosta" : "hostb");
        return sight;
}

static enum claim_news see(struct claim *claim, int64_t revision, bool own, bool deleted) {
        const struct claim_sight seen = make_sight(revision, own, deleted);

        return claim_see(claim, &seen);
}

static void test_changes_that_are_older_say_nothing(void **state) {
        struct claim claim = in_state(CLAIM_HELD);

        (void)state;
        assert_int_equal(see(&claim, 100, false, false), CLAIM_NO_NEWS);
        assert_int_equal(see(&claim, 99, false, true), CLAIM_NO_NEWS);
        assert_int_equal(claim.state, CLAIM_HELD);
        assert_int_equal(claim.revision, 100);
}

static void test_a_held_claim_can_be_lost(void **state) {
        struct claim claim = in_state(CLAIM_HELD);

        (void)state;
        assert_int_equal(see(&claim, 101, false, false), CLAIM_LOST);
        assert_int_equal(claim.state, CLAIM_FREE);
        assert_string_equal(claim.taken_by, "hostb");

        claim = in_state(CLAIM_HELD);
        assert_int_equal(see(&claim, 101, false, true), CLAIM_LOST);
        assert_string_equal(claim.taken_by, "");
        assert_int_equal(step(&claim, true, true, false), CLAIM_ASK);
}

/* Its transaction was given up, and was carried out even so. */
static void test_a_claim_can_be_found(void **state) {
        struct claim claim = in_state(CLAIM_FREE);

        (void)state;
        assert_int_equal(see(&claim, 50, true, false), CLAIM_FOUND);
        assert_int_equal(claim.state, CLAIM_HELD);
        assert_int_equal(claim.revision, 50);
        assert_int_equal(claim.since_usec, 9);
        assert_int_equal(see(&claim, 60, true, false), CLAIM_NO_NEWS);
        assert_int_equal(claim.revision, 60);
        assert_int_equal(step(&claim, true, false, false), CLAIM_DROP);
}

static void test_the_answer_decides_while_a_transaction_is_under_way(void **state) {
        static const enum claim_state busy[] = {CLAIM_ASKING, CLAIM_DROPPING};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(busy); i++)
                for (unsigned kind = 0; kind < 4; kind++) {
                        struct claim claim = in_state(busy[i]);

                        assert_int_equal(see(&claim, 1000, kind & 1, kind & 2), CLAIM_NO_NEWS);
                        assert_int_equal(claim.state, busy[i]);
                }
}

/* The store may end the lease at sent + claim time. */
static void test_the_deadline_is_before_the_end(void **state) {
        (void)state;
        assert_int_equal(claim_deadline(NOW, 30), NOW + 25 * SECOND);
        for (unsigned seconds = 10; seconds <= 600; seconds++) {
                assert_true(claim_deadline(NOW, seconds) + SECOND < NOW + seconds * SECOND);
                /* Two renewals may fail. */
                assert_true(claim_deadline(NOW, seconds) > NOW + seconds * SECOND / 3 * 2);
        }
}

/* --- values ----------------------------------------------------------------------------------- */

static void test_values(void **state) {
        const struct claim_value value = {
                .host = "hosta", .user = "cs123-newellz2@ad.example.edu", .since_usec = 1796019378397054};
        _cleanup_free_ char *text = claim_value_format(&value);
        struct claim_value parsed;

        (void)state;
        assert_non_null(text);
        assert_int_equal(claim_value_parse(text, &parsed), 0);
        assert_string_equal(parsed.host, value.host);
        assert_string_equal(parsed.user, value.user);
        assert_int_equal(parsed.since_usec, value.since_usec);
}

static void test_values_of_others(void **state) {
        static const char *const bad[] = {"", "{}", "[]", "null", "\"hosta\"", "{\"host\":\"hosta\"}",
                "{\"user\":\"cs123-x\"}", "{\"host\":\"../x\",\"user\":\"cs123-x\"}",
                "{\"host\":\"hosta\",\"user\":\"a b\"}", "{\"host\":\"hosta\",\"user\":\"\"}",
                "{\"host\":1,\"user\":\"cs123-x\"}", "{\"host\":\"hosta\",\"user\":\"cs123-x\",\"since\":-1}",
                "{\"host\":\"hosta\",\"user\":\"cs123-x\""};
        struct claim_value parsed;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(claim_value_parse(bad[i], &parsed), -EBADMSG);
        assert_int_equal(
                claim_value_parse("{\"host\":\"hosta\",\"user\":\"cs123-x\",\"more\":[]}", &parsed), 0);
        assert_int_equal(parsed.since_usec, 0);
}

static void test_keys(void **state) {
        (void)state;
        assert_string_equal(claim_key_seat(STORE_CLAIMS "12310"), "12310");
        assert_null(claim_key_seat(STORE_CLAIMS));
        assert_null(claim_key_seat(STORE_CLAIMS "../12310"));
        assert_null(claim_key_seat(STORE_CLAIMS "1231012310123"));
        assert_null(claim_key_seat(STORE_MEMBERS "12310"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_free_seat_is_asked_for_when_it_is_needed),
                cmocka_unit_test(test_nothing_is_asked_for_without_a_lease),
                cmocka_unit_test(test_a_held_seat_is_dropped_when_nothing_needs_it),
                cmocka_unit_test(test_what_nobody_asks_for_again_is_soon_not_wanted),
                cmocka_unit_test(test_one_transaction_at_a_time),
                cmocka_unit_test(test_an_attempt_that_failed_is_repeated_later),
                cmocka_unit_test(test_a_seat_that_is_elsewhere_ends_here),
                cmocka_unit_test(test_another_user_is_written_again),
                cmocka_unit_test(test_a_new_lease_has_no_claims),
                cmocka_unit_test(test_changes_that_are_older_say_nothing),
                cmocka_unit_test(test_a_held_claim_can_be_lost),
                cmocka_unit_test(test_a_claim_can_be_found),
                cmocka_unit_test(test_the_answer_decides_while_a_transaction_is_under_way),
                cmocka_unit_test(test_the_deadline_is_before_the_end),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_values_of_others),
                cmocka_unit_test(test_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
