/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which seat a user name has, and the reply for a user without one. */

#include "tests/unit/fixture.h"

#include "base/seat-lookup.h"

static struct settings_cache cache = {.etc = etc};
static struct found_seat seat;
static enum reply_type type;
static char text[REPLY_TEXT_SIZE];

static bool look_up(const char *user) {
        text[0] = '\0';
        memset(&seat, 0, sizeof(seat));
        return seat_lookup(&cache, user, true, &seat, &type, text);
}

static void refused(const char *user, enum reply_type expected, const char *part) {
        assert_false(look_up(user));
        assert_int_equal(type, expected);
        if (!strstr(text, part))
                fail_msg("%s: %s", user, text);
}

static void a_name_on_the_roster_has_its_seat(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\nbob 11\n");
        assert_true(look_up("cs123-bob"));
        assert_string_equal(seat.plan.name, "12311");
        assert_string_equal(seat.plan.id.course, "123");
        assert_int_equal(seat.services.n_units, 0);
        assert_false(seat.keep);
        assert_true(seat.user_manager);
}

static void a_change_counts_at_once(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        refused("cs123-bob", REPLY_NO_SEAT, "");
        write_file("roster.d/123", "amy 10\nbob 12\n");
        assert_true(look_up("cs123-bob"));
        assert_string_equal(seat.plan.name, "12312");
}

static void a_seat_comes_with_what_its_course_has(void **state) {
        (void)state;
        write_file("coursenet.conf", "[course 123]\nunits = notebook\nleftover = keep\nleftover-max = "
                                     "2h\nlinger = 300\nuser-manager = no\n");
        write_file("roster.d/123", "amy 10\n");
        write_file("roster.d/124", "amy 10\n");
        assert_true(look_up("cs123-amy"));
        assert_int_equal(seat.services.n_units, 1);
        assert_string_equal(seat.services.units[0], "notebook");
        assert_true(seat.keep);
        assert_false(seat.user_manager);
        assert_true(look_up("cs124-amy"));
        assert_int_equal(seat.services.n_units, 0);
        assert_false(seat.keep);
        assert_true(seat.user_manager);
}

static void who_is_not_on_the_roster_is_told_how_to_get_there(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        refused("cs123-bob", REPLY_NO_SEAT,
                "not on the roster of course 123; coursenetctl roster add 123 bob");
}

static void a_name_that_is_no_course_user_s_is_told_the_rule(void **state) {
        (void)state;
        refused("root", REPLY_NO_NAME, "does not match this user name");
        refused("cs12-amy", REPLY_NO_NAME, "12, has 2 digits");
}

static void a_mistake_in_a_line_of_the_roster_costs_nobody_else_a_seat(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\nbob ten\n");
        assert_true(look_up("cs123-amy"));
        refused("cs123-bob", REPLY_NO_SEAT, "");
}

static void a_mistake_in_the_settings_is_told_with_file_and_line(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("coursenet.conf", "[site]\nprefix = 99\n");
        refused("cs123-amy", REPLY_FAILED, "coursenet.conf:2:");
}

static void after_the_last_logout_the_course_s_settings_count(void **state) {
        struct after_logout after;

        (void)state;
        write_file("coursenet.conf", "[course 123]\nleftover = keep\nleftover-max = 2h\nlinger = "
                                     "300\n[course 124]\nunits = notebook\n");
        seat_after_logout(&cache, "123", &after);
        assert_int_equal(after.linger_seconds, 300);
        assert_int_equal(after.keep_seconds, 7200);
        seat_after_logout(&cache, "124", &after);
        assert_int_equal(after.linger_seconds, 0);
        assert_int_equal(after.keep_seconds, 0);
        /* Nothing keeps a seat whose settings cannot be read. */
        write_file("coursenet.conf", "[course 123\n");
        seat_after_logout(&cache, "123", &after);
        assert_int_equal(after.linger_seconds + after.keep_seconds, 0);
}

static int finish(void **state) {
        settings_cache_done(&cache);
        return remove_etc(state);
}

#define lookup_test(function) cmocka_unit_test_setup_teardown(function, make_etc, finish)

int main(void) {
        const struct CMUnitTest tests[] = {
                lookup_test(a_name_on_the_roster_has_its_seat),
                lookup_test(a_change_counts_at_once),
                lookup_test(a_seat_comes_with_what_its_course_has),
                lookup_test(who_is_not_on_the_roster_is_told_how_to_get_there),
                lookup_test(a_name_that_is_no_course_user_s_is_told_the_rule),
                lookup_test(a_mistake_in_a_line_of_the_roster_costs_nobody_else_a_seat),
                lookup_test(a_mistake_in_the_settings_is_told_with_file_and_line),
                lookup_test(after_the_last_logout_the_course_s_settings_count),
        };

        return cmocka_run_group_tests_name("seat-lookup", tests, NULL, NULL);
}
