/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* coursenet.conf: every mistake is found, with its line, and none is guessed around. */

#include "fixture.h"

#include "settings.h"

static void assert_site_defaults(const struct settings *settings) {
        assert_string_equal(settings->rule_text, NAME_RULE_DEFAULT);
        assert_string_equal(settings->rule.head, "cs");
        assert_int_equal(settings->course_digits, 3);
        assert_int_equal(settings->first_seat, 10);
        assert_int_equal(settings->network.ip, 10U << 24);
        assert_int_equal(settings->network.prefix, 8);
        assert_int_equal(settings->prefix, 24);
}

static void assert_defaults(const struct settings *settings) {
        assert_site_defaults(settings);
        assert_string_equal(settings->test_host, "");
        assert_int_equal(settings->n_courses, 0);
}

static void test_no_file_means_defaults(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_defaults(&settings);
}

static void test_files_that_say_nothing(void **state) {
        static const char *const rows[] = {
                "",
                "\n\n",
                "# comment\n",
                "; comment\n",
                "[site]\n",
                "[site]\n\n[course 123]\n",
                "\xef\xbb\xbf[site]\n",
                "[site]\n#prefix = 22\n",
                "[site]",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};

                write_file(SETTINGS_FILE, rows[i]);
                assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_defaults(&settings);
        }
}

static void test_everything_set(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        const struct course_settings *course;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\r\n"
                                  "name-rule = {student}.c{course}\r\n"
                                  "course-digits=4\r\n"
                                  "  first-seat = 20\r\n"
                                  "\tnetwork : 172.16.0.0/12\r\n"
                                  "prefix = 26 ; a comment\r\n"
                                  "test-host = gw.example.edu\r\n"
                                  "[course 0123]\r\n"
                                  "subnet = 192.168.0.0/23\r\n"
                                  "[course 0124]\r\n"
                                  "test-host = 192.0.2.1\r\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        assert_string_equal(settings.rule_text, "{student}.c{course}");
        assert_string_equal(settings.rule.middle, ".c");
        assert_int_equal(settings.course_digits, 4);
        assert_int_equal(settings.first_seat, 20);
        assert_int_equal(settings.network.ip, 0xac100000);
        assert_int_equal(settings.network.prefix, 12);
        assert_int_equal(settings.prefix, 26);
        assert_string_equal(settings.test_host, "gw.example.edu");
        assert_int_equal(settings.n_courses, 2);

        course = settings_find_course(&settings, "0123");
        assert_non_null(course);
        assert_true(course->has_subnet);
        assert_int_equal(course->subnet.ip, 0xc0a80000);
        assert_int_equal(course->subnet.prefix, 23);
        assert_null(settings_find_course(&settings, "123"));

        assert_string_equal(settings_test_host(&settings, "0123"), "gw.example.edu");
        assert_string_equal(settings_test_host(&settings, "0124"), "192.0.2.1");
        assert_string_equal(settings_test_host(&settings, "9999"), "gw.example.edu");
}

static void test_how_long_a_seat_stays(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nlinger = 60\nleftover = kill\n"
                                  "[course 123]\nlinger = 0\n"
                                  "[course 124]\nleftover = cut\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        assert_int_equal(settings_linger_seconds(&settings, "122"), 60);
        assert_int_equal(settings_linger_seconds(&settings, "123"), 0);
        assert_int_equal(settings_linger_seconds(&settings, "124"), 60);
        assert_int_equal(settings_leftover(&settings, "122"), LEFTOVER_KILL);
        assert_int_equal(settings_leftover(&settings, "123"), LEFTOVER_KILL);
        assert_int_equal(settings_leftover(&settings, "124"), LEFTOVER_CUT);
}

static void test_services_of_a_seat(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct service_settings services;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nimage = /a.sif\nmemory-max = 2G\ncpu-quota = 150%\n"
                                  "[course 123]\nimage = /b\nmemory-max = 50%\ntasks-max = 7\n"
                                  "[course 124]\nunits = cont  vnc\n"
                                  "[course 125]\nunits =\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        settings_services(&settings, "122", &services);
        assert_string_equal(services.image, "/a.sif");
        assert_int_equal(services.n_units, 1);
        assert_string_equal(services.units[0], "cont");
        settings_services(&settings, "123", &services);
        assert_string_equal(services.image, "/b");
        assert_string_equal(services.memory_max, "50%");
        assert_string_equal(services.cpu_quota, "150%");
        assert_string_equal(services.tasks_max, "7");
        settings_services(&settings, "124", &services);
        assert_int_equal(services.n_units, 2);
        assert_string_equal(services.units[1], "vnc");
        settings_services(&settings, "125", &services);
        assert_int_equal(services.n_units, 0);
}

static void test_no_image_means_no_container(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct service_settings services;

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        settings_services(&settings, "123", &services);
        assert_int_equal(services.n_units, 0);
}

#define LONG_100                                                                                             \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
        "aa"

static const struct mistake {
        const char *text;
        unsigned line;
        const char *words;
} mistakes[] = {
        {"prefix = 24\n", 1, "'prefix' stands before any section"},
        {"[sites]\nprefix = 24\n", 2, "unknown section [sites]"},
        {"[Site]\nprefix = 24\n", 2, "unknown section [Site]"},
        {"[course]\nsubnet = 10.0.0.0/24\n", 2, "unknown section [course]"},
        {"[site]\n\nbogus = 1\n", 3, "unknown setting 'bogus' in [site]"},
        {"[site]\nPrefix = 24\n", 2, "unknown setting 'Prefix'"},
        {"[course 123]\nprefix = 24\n", 2, "unknown setting 'prefix' in [course 123]"},
        {"[site]\nprefix = 24\nprefix = 24\n", 3, "prefix is set twice"},
        {"[site]\nname-rule = {course}-{student}\n\nname-rule = x{course}-{student}\n", 4,
                "name-rule is set twice"},
        {"[site]\ntest-host = a\n[site]\ntest-host = b\n", 4, "test-host is set twice"},
        {"[course 123]\nsubnet = 10.0.0.0/24\nsubnet = 10.0.1.0/24\n", 3,
                "subnet is set twice in [course 123]"},
        {"[course 123]\ntest-host = a\ntest-host = b\n", 3, "test-host is set twice in [course 123]"},
        {"[site]\nprefix = 15\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = 31\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = /24\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix =\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = 24 # comment\n", 2, "prefix = 24 # comment: expected"},
        {"[site]\nprefix = 0x18\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = -24\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = 024\n", 2, "a number from 16 to 30"},
        {"[site]\ncourse-digits = 0\n", 2, "a number from 1 to 6"},
        {"[site]\ncourse-digits = 7\n", 2, "a number from 1 to 6"},
        {"[site]\nfirst-seat = 1\n", 2, "a number from 2 to 65534"},
        {"[site]\nfirst-seat = 65535\n", 2, "a number from 2 to 65534"},
        {"[site]\nfirst-seat = 255\n", 0, "has no seat 255 (first-seat)"},
        {"[site]\nprefix = 29\n", 0, "has no seat 10 (first-seat)"},
        {"[site]\nnetwork = 10.0.0.0\n", 2, "expected an IPv4 network with its prefix"},
        {"[site]\nnetwork = 10.0.0.1/8\n", 2, "the network is 10.0.0.0/8"},
        {"[site]\nnetwork = 10.0.0.0/33\n", 2, "expected an IPv4 network"},
        {"[site]\nnetwork = fd00::/8\n", 2, "expected an IPv4 network"},
        {"[site]\nnetwork = 10.0.0.0/25\n", 0, "prefix = 24 does not fit into network, which is a /25"},
        {"[site]\nname-rule = cs{course}{student}\n", 2, "something must stand between"},
        {"[site]\nname-rule = cs{course}\n", 2, "exactly once"},
        {"[site]\nname-rule = c:{course}-{student}\n", 2, "only letters"},
        {"[site]\nimage = b.sif\n", 2, "expected the whole path"},
        {"[site]\nmemory-max = 2 G\n", 2, "expected a number, with one of these behind it if need be: KMGT%"},
        {"[site]\nmemory-max = lots\n", 2, "expected a number"},
        {"[site]\ncpu-quota = 2\n", 2, "expected a percentage"},
        {"[site]\ntasks-max = 5%\n", 2, "expected a number"},
        {"[site]\nbind = srv\n", 2, "'srv': expected /SOURCE"},
        {"[site]\nbind = /srv,/etc\n", 2, "'/srv,/etc': expected /SOURCE"},
        {"[site]\nenvironment = A\n", 2, "'A': expected NAME=VALUE"},
        {"[site]\nenvironment = A=1,B=2\n", 2, "expected NAME=VALUE"},
        {"[site]\nunits = cont@\n", 2, "'cont@': expected the name of a template unit"},
        {"[site]\nunits = nsbr\n", 2, "'nsbr': expected the name of a template unit"},
        {"[site]\nunits = a b c d e f g h i\n", 2, "8 units at most"},
        {"[site]\nlinger = -1\n", 2, "expected a number from 0 to 86400"},
        {"[course 123]\nlinger = 86401\n", 2, "expected a number from 0 to 86400"},
        {"[site]\nleftover = keep\n", 2, "expected cut or kill"},
        {"[course 123]\nleftover =\n", 2, "expected cut or kill"},
        {"[course 123]\nleftover = cut\nleftover = cut\n", 3, "leftover is set twice in [course 123]"},
        {"[course 123]\nprefix = 24\n", 2, "expected subnet, test-host, linger, leftover, units"},
        {"[site]\ntest-host = -v\n", 2, "expected a host name"},
        {"[site]\ntest-host = a b\n", 2, "expected a host name"},
        {"[site]\ntest-host = $(x)\n", 2, "expected a host name"},
        {"[site]\ntest-host =\n", 2, "expected a host name"},
        {"[course 12]\nsubnet = 10.9.0.0/24\n", 2, "[course 12]: courses are written with exactly 3 digits"},
        {"[course abc]\nsubnet = 10.9.0.0/24\n", 2, "expected a course number"},
        {"[course 1234567]\nsubnet = 10.9.0.0/24\n", 2, "expected a course number"},
        {"[course  123]\nsubnet = 10.9.0.0/24\n", 2, "expected a course number"},
        {"[course 123]\nsubnet = 10.9.0.0\n", 2, "expected an IPv4 network with its prefix"},
        {"[course 123]\nsubnet = 10.9.0.1/24\n", 2, "the network is 10.9.0.0/24"},
        {"[course 123]\nsubnet = 10.8.0.0/15\n", 2, "a prefix from 16 to 30"},
        {"[course 123]\nsubnet = 10.9.0.0/29\n", 2, "a /29 has no seat 10"},
        {"[course 123]\nsubnet = 10.9.0.0/24\n[course 124]\nsubnet = 10.9.0.128/25\n", 4,
                "courses 123 and 124 overlap"},
        {"[course 124]\ntest-host = a\n[course 123]\nsubnet = 10.0.124.0/24\n", 4,
                "courses 124 and 123 overlap"},
        {"[site]\nnetwork = 10.0.0.0/16\n[course 256]\ntest-host = a\n", 4, "has no subnet number 256"},
        {"[site]\nprefix\n", 2, "expected 'NAME = VALUE' or a [section]"},
        {"[site\nprefix = 24\n", 1, "expected 'NAME = VALUE' or a [section]"},
        {"[site]\n#" LONG_100 LONG_100 "\n", 2, "longer than 190"},
        {"[site]\nprefix = 24\ntest-host = " LONG_100 LONG_100, 3, "longer than 190"},
};

static void test_mistakes(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct settings settings = {.prefix = 7};

                write_file(SETTINGS_FILE, mistakes[i].text);
                if (settings_load(etc, &settings, &diagnostics) != -EINVAL)
                        fail_msg("taken: %s", mistakes[i].text);
                assert_error(&diagnostics, mistakes[i].line, mistakes[i].words);
                assert_string_equal(diagnostics.items[0].path, etc_path(SETTINGS_FILE));
                assert_int_equal(settings.prefix, 7);
        }
}

static void test_all_mistakes_at_once(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;

        (void)state;
        write_file(SETTINGS_FILE,
                "[site]\nprefix = 99\nbogus = 1\n\n[nowhere]\na = b\n[course 123]\nsubnet = x\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), -EINVAL);
        assert_error(&diagnostics, 2, "prefix = 99");
        assert_error(&diagnostics, 3, "bogus");
        assert_error(&diagnostics, 6, "unknown section [nowhere]");
        assert_error(&diagnostics, 8, "subnet = x");
        assert_int_equal(diagnostics.n_errors, 4);
}

/* Interface names hold 15 characters: "vl-", the most course digits and the largest seat number just fit. */
static void test_widest_names_fit(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        write_file(SETTINGS_FILE,
                "[site]\ncourse-digits = 6\nprefix = 16\nfirst-seat = 65534\nnetwork = 0.0.0.0/0\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);
}

/* Takes the "#" off every line of the shipped file that shows a setting. */
static void uncomment(const char *text, char *ret) {
        for (bool line_start = true; *text; line_start = *text++ == '\n')
                if (!line_start || *text != '#' || text[1] == ' ' || text[1] == '\n')
                        *ret++ = *text;
        *ret = '\0';
}

/* The file that is installed shows the defaults, and what it shows can be used. Run from the source's folder.
 */
static void test_shipped_file(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings shipped = {0}, shown = {0};
        _cleanup_fclose_ FILE *file = fopen("conf/coursenet.conf", "re");
        char text[8192] = "", uncommented[sizeof(text)];

        (void)state;
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);

        write_file(SETTINGS_FILE, text);
        assert_int_equal(settings_load(etc, &shipped, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_defaults(&shipped);

        uncomment(text, uncommented);
        write_file(SETTINGS_FILE, uncommented);
        assert_int_equal(settings_load(etc, &shown, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_int_equal(shown.n_courses, 1);
        assert_string_equal(shown.test_host, "192.0.2.1");
        assert_site_defaults(&shown);
}

static void test_untrusted_file(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\n");
        assert_int_equal(chmod(etc_path(SETTINGS_FILE), 0646), 0);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), -EPERM);
        assert_error(&diagnostics, 0, "chmod go-w");
}

static void test_courses(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct address subnet;
        char reason[256];

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(settings_check_course(&settings, "007", reason, sizeof(reason)), 0);
        assert_int_equal(settings_check_course(&settings, "7", reason, sizeof(reason)), -EINVAL);
        assert_non_null(strstr(reason, "course-digits"));
        assert_int_equal(settings_check_course(&settings, "1a3", reason, sizeof(reason)), -EINVAL);

        assert_int_equal(settings_course_subnet(&settings, "007", &subnet, reason, sizeof(reason)), 0);
        assert_int_equal(subnet.ip, 0x0a000700);
        assert_int_equal(subnet.prefix, 24);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_no_file_means_defaults),
                TEST(test_files_that_say_nothing),
                TEST(test_everything_set),
                TEST(test_how_long_a_seat_stays),
                TEST(test_services_of_a_seat),
                TEST(test_no_image_means_no_container),
                TEST(test_mistakes),
                TEST(test_all_mistakes_at_once),
                TEST(test_widest_names_fit),
                TEST(test_shipped_file),
                TEST(test_untrusted_file),
                TEST(test_courses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
