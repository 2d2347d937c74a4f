/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole site: a mistake of one course does not affect another course, and no two seats share an address. */

#include "fixture.h"

#include "site.h"

static void load(struct site *ret, struct diagnostics *diagnostics) {
        assert_int_equal(site_load(etc, ret, diagnostics), 0);
}

static void test_nothing_configured(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        load(&site, &diagnostics);
        assert_clean(&diagnostics);
        assert_int_equal(site.n_courses, 0);
        assert_null(site_find_course(&site, "123"));
}

static void test_courses_and_seats(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};
        const struct site_course *course;

        (void)state;
        write_file("roster.d/377", "zed 10\n");
        write_file("roster.d/123", "# c\nbob 12\n#removed carl 11\namy 10\n");
        write_file("roster.d/.123.new", "garbage\n");
        load(&site, &diagnostics);
        assert_clean(&diagnostics);

        assert_int_equal(site.n_courses, 2);
        assert_string_equal(site.courses[0].bridge.course, "123");
        assert_string_equal(site.courses[1].bridge.course, "377");

        course = site_find_course(&site, "123");
        assert_ptr_equal(course, &site.courses[0]);
        assert_int_equal(course->n_seats, 2);
        assert_string_equal(course->students[0], "bob");
        assert_string_equal(course->seats[0].name, "12312");
        assert_string_equal(course->students[1], "amy");
        assert_string_equal(course->seats[1].name, "12310");
}

static void test_broken_settings_stop_all(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct site site = {.n_courses = 7};

        (void)state;
        write_file("coursenet.conf", "[site]\nprefix = 99\n");
        write_file("roster.d/123", "amy 10\n");
        assert_int_equal(site_load(etc, &site, &diagnostics), -EINVAL);
        assert_error(&diagnostics, 2, "prefix");
        assert_int_equal(site.n_courses, 7);
}

static void test_mistakes_stay_where_they_are(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("roster.d/123", "amy 10\nbob ten\ncarl 12\n");
        write_file("roster.d/124", "amy 10\n");
        write_file("roster.d/12", "amy 10\n");
        write_file("roster.d/125", "amy 10\n");
        write_file("roster.d/126", "amy 10\nbob 11\n");
        write_file("netns/bridge-125.conf", "BR_IP=x\n");
        write_file("netns/ns12611.conf", "VR_IP=x\n");
        assert_int_equal(chmod(etc_path("roster.d/124"), 0666), 0);
        load(&site, &diagnostics);

        assert_error(&diagnostics, 2, "seat 'ten'");
        assert_error(&diagnostics, 0, "chmod go-w");
        assert_error(&diagnostics, 0, "exactly 3 digits");
        assert_error(&diagnostics, 1, "BR_IP=x");
        assert_error(&diagnostics, 1, "VR_IP=x");
        assert_int_equal(diagnostics.n_errors, 5);

        assert_int_equal(site_find_course(&site, "123")->n_seats, 2);
        assert_null(site_find_course(&site, "124"));
        assert_null(site_find_course(&site, "12"));
        assert_null(site_find_course(&site, "125"));
        assert_int_equal(site_find_course(&site, "126")->n_seats, 1);
}

static void test_stray_files(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("roster.d/123~", "amy 10\n");
        write_file("roster.d/README", "hello\n");
        load(&site, &diagnostics);
        assert_warning(&diagnostics, 0, "'123~' is ignored");
        assert_warning(&diagnostics, 0, "'README' is ignored");
        assert_int_equal(diagnostics.n_errors, 0);
        assert_int_equal(site.n_courses, 1);
}

static void test_overlapping_courses(void **state) {
        static const struct {
                const char *file, *text;
        } rows[] = {
                {"coursenet.conf", "[course 124]\nsubnet = 10.0.123.0/24\n"},
                {"coursenet.conf", "[course 124]\nsubnet = 10.0.0.0/16\n"},
                {"coursenet.conf", "[course 124]\nsubnet = 10.0.123.128/25\n"},
                {"netns/bridge-124.conf", "BR_IP=10.0.123.200\n"},
                {"netns/bridge-123.conf", "BR_IP=10.0.124.1/20\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_site_ struct site site = {0};

                write_file("roster.d/123", "amy 10\n");
                write_file("roster.d/124", "bob 11\n");
                write_file(rows[i].file, rows[i].text);
                load(&site, &diagnostics);
                assert_error(&diagnostics, 0, "overlap");
                assert_int_equal(unlink(etc_path(rows[i].file)), 0);
        }
}

static void test_overlapping_courses6(void **state) {
        static const struct {
                const char *text, *words;
        } rows[] = {
                {"[site]\nnetwork6 = 2001:db8::/48\n", NULL},
                {"[site]\nnetwork6 = off\n[course 124]\nsubnet6 = 2001:db8:0:123::/64\n", NULL},
                {"[site]\nnetwork6 = 2001:db8::/48\n[course 124]\nsubnet6 = 2001:db8:0:125::/64\n", NULL},
                {"[site]\nnetwork6 = 2001:db8::/48\n[course 124]\nsubnet6 = 2001:db8:0:123::/64\n",
                        "the IPv6 subnets of courses 123 (2001:db8:0:123::/64) and 124 (2001:db8:0:123::/64) "
                        "overlap"},
                {"[site]\nnetwork6 = 2001:db8::/48\n[course 123]\nsubnet6 = 2001:db8:0:124::/64\n",
                        "subnet6 in [course 123] or [course 124]"},
        };

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("roster.d/124", "bob 11\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_site_ struct site site = {0};

                write_file("coursenet.conf", rows[i].text);
                load(&site, &diagnostics);
                if (rows[i].words) {
                        assert_error(&diagnostics, 0, rows[i].words);
                        assert_int_equal(diagnostics.n_errors, 1);
                } else
                        assert_clean(&diagnostics);
        }
}

/* A course that has no place in the IPv6 network somebody chose is left out; the others are there. */
static void test_course_without_a_subnet6(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("coursenet.conf", "[site]\nnetwork6 = 2001:db8::/56\n");
        write_file("roster.d/099", "amy 10\n");
        write_file("roster.d/123", "amy 10\n");
        load(&site, &diagnostics);
        assert_error(&diagnostics, 0, "course 123: network6 = 2001:db8::/56 has no /64 with the number 123");
        assert_int_equal(diagnostics.n_errors, 1);
        assert_non_null(site_find_course(&site, "099"));
        assert_null(site_find_course(&site, "123"));
}

static void test_seats_with_one_address(void **state) {
        static const struct {
                const char *text, *words;
        } rows[] = {
                {"VR_IP=10.0.123.11\n", "seats 12310 and 12311 both have the address 10.0.123.11"},
                {"BR=br-124\nVR_IP=10.0.124.10\n", "seats 12310 and 12410 both have the address 10.0.124.10"},
        };

        (void)state;
        write_file("roster.d/123", "amy 10\nbob 11\n");
        write_file("roster.d/124", "carl 10\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_site_ struct site site = {0};

                write_file("netns/ns12310.conf", rows[i].text);
                load(&site, &diagnostics);
                assert_error(&diagnostics, 0, rows[i].words);
                assert_int_equal(diagnostics.n_errors, 1);
        }
}

/* An address of its own makes up for a number that the subnet does not have, and leaves no error behind. */
static void test_own_address(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_site_ struct site site = {0};

        (void)state;
        write_file("netns/bridge-123.conf", "BR_IP=10.0.123.1/28\n");
        write_file("roster.d/123", "amy 10\nbob 20\n");
        write_file("netns/ns12320.conf", "VR_IP=10.0.123.14/28\n");
        load(&site, &diagnostics);
        assert_clean(&diagnostics);
        assert_int_equal(site.courses[0].n_seats, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_nothing_configured),
                TEST(test_courses_and_seats),
                TEST(test_broken_settings_stop_all),
                TEST(test_mistakes_stay_where_they_are),
                TEST(test_stray_files),
                TEST(test_overlapping_courses),
                TEST(test_overlapping_courses6),
                TEST(test_course_without_a_subnet6),
                TEST(test_seats_with_one_address),
                TEST(test_own_address),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
