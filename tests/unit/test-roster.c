/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rosters: a student keeps the seat number for good, and text of an administrator's stays as it was. */

#include "fixture.h"

#include "roster.h"

#define PATH "ROSTER"

#define NAME_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_250 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50

/* With the settings of this text, or the defaults. */
static void load_settings(const char *text, struct settings *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        write_file(SETTINGS_FILE, text);
        assert_int_equal(settings_load(etc, ret, &diagnostics), 0);
        assert_clean(&diagnostics);
}

static struct settings defaults;

static int setup(void **state) {
        if (make_etc(state) < 0)
                return -1;
        load_settings("", &defaults);
        return 0;
}

static void parse(const char *text, struct roster *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        assert_int_equal(roster_parse(text, PATH, &defaults, "123", ret, &diagnostics), 0);
        assert_clean(&diagnostics);
}

static void assert_text(const struct roster *roster, const char *expected) {
        _cleanup_free_ char *text = roster_format(roster);

        assert_non_null(text);
        assert_string_equal(text, expected);
}

static unsigned seat_of(const struct roster *roster, const char *student) {
        const struct roster_line *line = roster_find(roster, student);

        return line ? line->seat : 0;
}

static unsigned add(struct roster *roster, const char *student, int expected) {
        unsigned seat = 0;

        assert_int_equal(roster_add(roster, student, &seat), expected);
        return seat;
}

static void test_keeps_text_and_order(void **state) {
        static const char text[] = "# CS 123, spring\n"
                                   "\n"
                                   "  zed   12   # sits at the back\n"
                                   "cs123-amy\t10\n"
                                   "\t\n"
                                   "#removed bob 11\n"
                                   "#cs123-not-one 99\n"
                                   "carl 13\n";
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        parse(text, &roster);
        assert_text(&roster, text);
        assert_int_equal(seat_of(&roster, "zed"), 12);
        assert_int_equal(seat_of(&roster, "amy"), 10);
        assert_int_equal(seat_of(&roster, "carl"), 13);
        assert_int_equal(seat_of(&roster, "bob"), 0);
        assert_null(roster_find(&roster, "cs123-amy"));
        assert_null(roster_find(&roster, ""));

        /* An added line comes last; all else stays byte by byte. */
        assert_int_equal(add(&roster, "dora", 1), 14);
        {
                char expected[512];

                (void)snprintf(expected, sizeof(expected), "%sdora 14\n", text);
                assert_text(&roster, expected);
        }
}

static void test_line_ends(void **state) {
        static const struct {
                const char *text, *formatted;
        } rows[] = {
                {"", ""},
                {"amy 10", "amy 10\n"},
                {"amy 10\r\nbob 11\r\n", "amy 10\r\nbob 11\r\n"},
                {"amy 10\n\n", "amy 10\n\n"},
                {"\n", "\n"},
                {"# c", "# c\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_roster_ struct roster roster = {0};

                parse(rows[i].text, &roster);
                assert_text(&roster, rows[i].formatted);
                assert_int_equal(seat_of(&roster, "amy"), strstr(rows[i].text, "amy") ? 10 : 0);
        }
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } rows[] = {
                {"amy\n", 1, "expected 'NAME SEAT'"},
                {"amy 10 11\n", 1, "expected 'NAME SEAT'"},
                {"amy, 10\n", 1, "'amy,' cannot be a student's name"},
                {"-amy 10\n", 1, "cannot be a student's name"},
                {"amy:x 10\n", 1, "cannot be a student's name"},
                {"am\xc3\xbd 10\n", 1, "cannot be a student's name"},
                {"\n\namy ten\n", 3, "seat 'ten'"},
                {"amy 1\n", 1, "a number from 2 to 254"},
                {"amy 0\n", 1, "a number from 2 to 254"},
                {"amy 255\n", 1, "a number from 2 to 254"},
                {"amy 010\n", 1, "seat '010'"},
                {"amy -10\n", 1, "seat '-10'"},
                {"amy 99999999999999999999\n", 1, "seat '9999"},
                {"# c\namy 10\nbob 10\n", 3, "seat '10' is in line 2 already"},
                {"amy 10\namy 11\n", 2, "student 'amy' is in line 1 already"},
                {"amy 10\ncs123-amy 11\n", 2, "is in line 1 already"},
                {"#removed amy 10\nbob 10\n", 2, "seat '10' is in line 1 already"},
                {"#removed amy 10\namy 11\n", 2, "is in line 1 already"},
                {"#removed\tamy 10\namy 11\n", 2, "is in line 1 already"},
                {"#removed amy\n", 1, "expected 'NAME SEAT'"},
                {"cs124-amy 10\n", 1, "a user name of another course"},
                {NAME_250 " 10\n", 1, "more than 255 characters"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_roster_ struct roster roster = {0};
                char text[512];

                /* A typo must not cost the others their seats. */
                (void)snprintf(text, sizeof(text), "%sgood 20\n", rows[i].text);
                assert_int_equal(roster_parse(text, PATH, &defaults, "123", &roster, &diagnostics), 0);
                assert_error(&diagnostics, rows[i].line, rows[i].words);
                assert_string_equal(diagnostics.items[0].path, PATH);
                assert_int_equal(diagnostics.n_errors, 1);
                assert_int_equal(seat_of(&roster, "good"), 20);
        }
}

static void test_seats_in_order(void **state) {
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        parse("", &roster);
        assert_int_equal(add(&roster, "zed", 1), 10);
        assert_int_equal(add(&roster, "amy", 1), 11);
        assert_int_equal(add(&roster, "zed", 0), 10);
        assert_int_equal(add(&roster, "bob", 1), 12);
        assert_text(&roster, "zed 10\namy 11\nbob 12\n");
}

static void test_fills_gaps_but_not_below_the_first(void **state) {
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        parse("staff 5\namy 10\nbob 12\n#removed carl 11\n", &roster);
        assert_int_equal(add(&roster, "dora", 1), 13);
        assert_int_equal(add(&roster, "emil", 1), 14);
        assert_int_equal(add(&roster, "staff", 0), 5);
}

static void test_removed_numbers_stay_reserved(void **state) {
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        parse("amy 10 # front row\nbob 11\n", &roster);
        assert_int_equal(roster_remove(&roster, "amy"), 0);
        assert_text(&roster, "#removed amy 10\nbob 11\n");
        assert_int_equal(roster_remove(&roster, "amy"), -ENOENT);
        assert_int_equal(roster_remove(&roster, "nobody"), -ENOENT);
        assert_int_equal(roster_remove(&roster, ""), -ENOENT);
        assert_null(roster_find(&roster, "amy"));

        assert_int_equal(add(&roster, "carl", 1), 12);

        /* Who comes back gets the old number, also after the file was written and read again. */
        {
                _cleanup_free_ char *text = roster_format(&roster);
                _cleanup_roster_ struct roster again = {0};

                parse(text, &again);
                assert_int_equal(add(&again, "amy", 1), 10);
                assert_text(&again, "amy 10\nbob 11\ncarl 12\n");
        }
}

static void test_names_that_cannot_be_added(void **state) {
        static const char *const names[] = {"", "-a", "a b", "a/b", "a\n", "#a", "a:1"};
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        parse("amy 10\n", &roster);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void)add(&roster, names[i], -EINVAL);
        assert_text(&roster, "amy 10\n");
}

static void test_full_course(void **state) {
        _cleanup_roster_ struct roster roster = {0};
        char name[16];
        unsigned seat = 7;

        (void)state;
        parse("", &roster);
        for (unsigned i = 0; i < 245; i++) {
                (void)snprintf(name, sizeof(name), "s%u", i);
                assert_int_equal(add(&roster, name, 1), 10 + i);
        }
        assert_int_equal(roster_add(&roster, "late", &seat), -ENOSPC);
        assert_int_equal(seat, 7);
        assert_int_equal(add(&roster, "s0", 0), 10);

        /* A reserved number is no free number. */
        assert_int_equal(roster_remove(&roster, "s0"), 0);
        assert_int_equal(roster_add(&roster, "late", &seat), -ENOSPC);
        assert_int_equal(add(&roster, "s0", 1), 10);
}

static void test_wider_and_narrower_subnets(void **state) {
        static const struct {
                const char *settings, *good, *bad;
        } rows[] = {
                {"[site]\nprefix = 22\n", "amy 1022\n", "amy 1023\n"},
                {"[course 123]\nsubnet = 192.168.0.0/16\n", "amy 65534\n", "amy 65535\n"},
                {"[course 123]\nsubnet = 192.168.0.0/28\n", "amy 14\n", "amy 15\n"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_roster_ struct roster good = {0}, bad = {0};
                _cleanup_settings_ struct settings settings = {0};

                load_settings(rows[i].settings, &settings);
                assert_int_equal(roster_parse(rows[i].good, PATH, &settings, "123", &good, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_int_equal(roster_parse(rows[i].bad, PATH, &settings, "123", &bad, &diagnostics), 0);
                assert_error(&diagnostics, 1, "expected a number from 2");
        }
}

static void test_first_seat_setting(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        load_settings("[site]\nfirst-seat = 100\n", &settings);
        assert_int_equal(roster_parse("amy 10\n", PATH, &settings, "123", &roster, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_int_equal(add(&roster, "bob", 1), 100);
}

static void test_words_that_name_a_student(void **state) {
        static const struct {
                const char *word;
                int r;
                const char *student;
        } rows[] = {
                {"newellz2", 0, "newellz2"},
                {"cs123-newellz2", 0, "newellz2"},
                {"cs124-newellz2", -EXDEV, NULL},
                {"cs12-newellz2", -EXDEV, NULL},
                {"cs123-", 0, "cs123-"},
                {"CS123-x", 0, "CS123-x"},
                {"", -EINVAL, NULL},
                {"a@b", -EINVAL, NULL},
                {"a b", -EINVAL, NULL},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char student[USER_NAME_SIZE] = "untouched";

                assert_int_equal(roster_student(&defaults, "123", rows[i].word, student), rows[i].r);
                assert_string_equal(student, rows[i].student ? rows[i].student : "untouched");
                if (rows[i].r < 0)
                        assert_non_null(roster_student_reason(rows[i].r));
        }
}

/* Lists and rosters name users as their directory does, or as people write them. */
static void test_words_with_a_domain(void **state) {
        static const struct {
                const char *rule, *word;
                int r;
        } rows[] = {
                {"cs{course}-{student}@ad.example.edu", "amy", 0},
                {"cs{course}-{student}@ad.example.edu", "cs123-amy", 0},
                {"cs{course}-{student}@ad.example.edu", "cs123-amy@ad.example.edu", 0},
                {"cs{course}-{student}@ad.example.edu", "cs124-amy", -EXDEV},
                {"cs{course}-{student}@ad.example.edu", "cs124-amy@ad.example.edu", -EXDEV},
                {"cs{course}-{student}@ad.example.edu", "cs123-amy@other.example", -EINVAL},
                {"AD\\cs{course}-{student}", "AD\\cs123-amy", 0},
                {"AD\\cs{course}-{student}", "cs123-amy", 0},
                {"AD\\cs{course}-{student}", "XY\\cs123-amy", -EINVAL},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct settings settings = defaults;
                char student[USER_NAME_SIZE] = "untouched";
                const char *reason;

                assert_int_equal(name_rule_parse(rows[i].rule, &settings.rule, &reason), 0);
                assert_int_equal(roster_student(&settings, "123", rows[i].word, student), rows[i].r);
                assert_string_equal(student, rows[i].r < 0 ? "untouched" : "amy");
        }
}

static void test_load(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        assert_int_equal(roster_load(etc, &defaults, "123", &roster, &diagnostics), -ENOENT);
        assert_clean(&diagnostics);

        write_file("roster.d/123", "amy 10\n");
        assert_int_equal(roster_load(etc, &defaults, "123", &roster, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_string_equal(roster.course, "123");
        assert_int_equal(seat_of(&roster, "amy"), 10);

        assert_int_equal(chown(etc_path("roster.d/123"), 65534, 0), 0);
        assert_int_equal(roster_load(etc, &defaults, "123", &roster, &diagnostics), -EPERM);
        assert_error(&diagnostics, 0, "owned by root");
        assert_int_equal(seat_of(&roster, "amy"), 10);
}

/* As another server that shares the course has seated them. */
static void test_numbered(void **state) {
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        parse("amy 10\n#removed bob 11\n", &roster);
        assert_int_equal(roster_add_numbered(&roster, "carl", 12), 0);
        assert_int_equal(seat_of(&roster, "carl"), 12);
        assert_int_equal(roster_add_numbered(&roster, "not a name", 13), -EINVAL);
        assert_int_equal(roster_add_numbered(&roster, "dora", 1), -ERANGE);
        assert_int_equal(roster_add_numbered(&roster, "dora", 255), -ERANGE);
        assert_int_equal(roster_add_numbered(&roster, "dora", 10), -EEXIST);
        assert_int_equal(roster_add_numbered(&roster, "dora", 11), -EEXIST);
        assert_int_equal(roster_add_numbered(&roster, "amy", 13), -EEXIST);
}

/* Only who reads a roster by hand names such a course. */
static void test_course_that_cannot_be(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_roster_ struct roster roster = {0};

        (void)state;
        write_file("roster.d/1234", "amy 10\n");
        assert_int_equal(roster_load(etc, &defaults, "1234", &roster, &diagnostics), -EINVAL);
        assert_error(&diagnostics, 0, "1234");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_keeps_text_and_order),
                TEST(test_line_ends),
                TEST(test_mistakes),
                TEST(test_seats_in_order),
                TEST(test_fills_gaps_but_not_below_the_first),
                TEST(test_removed_numbers_stay_reserved),
                TEST(test_names_that_cannot_be_added),
                TEST(test_full_course),
                TEST(test_wider_and_narrower_subnets),
                TEST(test_first_seat_setting),
                TEST(test_words_that_name_a_student),
                TEST(test_words_with_a_domain),
                TEST(test_load),
                TEST(test_numbered),
                TEST(test_course_that_cannot_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
