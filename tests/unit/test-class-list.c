/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Class lists, as instructors have them: plain ones, exports of a gradebook, and what is wrong with them. */

#include "fixture.h"

#include "ctl/class-list.h"

#define PATH "LIST"

/* What the header of a Canvas gradebook looks like, shortened. */
#define CANVAS "Student,ID,SIS User ID,SIS Login ID,Section,Essay (17)\r\n"

#define NAME_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_250 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50

static struct settings settings;

static int setup(void **state) {
        struct diagnostics diagnostics = {0};

        if (make_etc(state) < 0)
                return -1;
        return settings_load(etc, &settings, &diagnostics);
}

static void parse(const char *text, struct class_list *ret, struct diagnostics *diagnostics) {
        assert_int_equal(class_list_parse(text, PATH, &settings, "123", ret, diagnostics), 0);
}

/* The students, with blanks between them. */
static void assert_students(const struct class_list *list, const char *expected) {
        char text[1024] = "";

        for (size_t i = 0; i < list->n_entries; i++) {
                size_t length = strlen(text);

                (void)snprintf(text + length, sizeof(text) - length, "%s%s", i > 0 ? " " : "",
                        list->entries[i].student);
        }
        assert_string_equal(text, expected);
}

static void test_good_lists(void **state) {
        static const struct {
                const char *text, *students;
        } rows[] = {
                {"", ""},
                {"# nobody\n\n", ""},
                {"zed\namy\nbob", "zed amy bob"},
                {"  zed  \r\n\tamy\r\n", "zed amy"},
                {"\xef\xbb\xbfzed\namy\n", "zed amy"},
                {"cs123-zed\namy\n", "zed amy"},
                {"Zed\n", "Zed"},
                {"zed # the tutor\n", "zed"},
                /* The lists of the scripts that this grew from. */
                {"cs123:44240000000083090:22-03-13 08:03 PM\n# instructors:\nnewellz2\n# tas:\nfgreen\n# "
                 "students:\nvle\n",
                        "newellz2 fgreen vle"},
                {"cs123:\nzed\n", "zed"},
                {"123:\nzed\n", "zed"},
                {"# a, comma\nzed\n", "zed"},
                /* CSV. */
                {"login,name\nzed,Zed\namy,\"Amy, A.\"\n", "zed amy"},
                {"name,login\n\"Z \"\"Zed\"\" Z\",zed\n\"two\nlines\",amy\n", "zed amy"},
                {"Login\nzed\namy\n", "zed amy"},
                {"# exported today, by me\n\nusername,x\nzed,1\n", "zed"},
                {"Name, USER ,X\nZ, zed ,1\n", "zed"},
                {"user,login,sis login id\na,b,zed\n", "zed"},
                {"user,login\na,zed\n", "zed"},
                {"login,x\n\n\nzed,1\n\n", "zed"},
                {"login,x\nzed@example.edu,1\ncs123-amy@example.edu,1\n", "zed amy"},
                {"login,x\nzed,1", "zed"},
                {"login,x\rzed,1\ramy,2\r", "zed amy"},
                {CANVAS ",,,,,Manual Posting\r\n    Points Possible,,,,,10\r\n"
                        "\"Zed, Z.\",1,800,zed,CS 123.1001,9\r\n\"Amy, A.\",2,801,amy,CS 123.1001,\r\n"
                        "\"Student, Test\",3,,0123456789abcdef0123456789abcdef01234567,CS 123.1001,\r\n",
                        "zed amy"},
                {"\xef\xbb\xbf" CANVAS "\"Zed, Z.\",1,800,zed,CS 123,9\r\n", "zed"},
                {"Student,ID,SIS User ID,Section\n\"Zed, Z.\",1,zed,CS\n", "zed"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_class_list_ struct class_list list = {0};

                parse(rows[i].text, &list, &diagnostics);
                assert_clean(&diagnostics);
                assert_students(&list, rows[i].students);
        }
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } rows[] = {
                {"zed\nZed Zedson\n", 2, "expected one name a line, and 'Zed' has 'Zedson' behind it"},
                {"zed 10\n", 1, "import numbers the seats itself"},
                {"zed\tamy\n", 1, "expected one name a line"},
                {"zed;amy\n", 1, "'zed;amy' cannot be a student's name"},
                {"zed@example.edu\n", 1, "cannot be a student's name"},
                {"-zed\n", 1, "cannot be a student's name"},
                {"\n\nz\xc3\xa9"
                 "d\n",
                        3, "cannot be a student's name"},
                {"../zed\n", 1, "cannot be a student's name"},
                {"cs124-zed\n", 1, "'cs124-zed' is a user name of another course"},
                {"cs124:\nzed\n", 1, "the list of course 124, not of course 123"},
                {"124:x\nzed\n", 1, "the list of course 124"},
                {"students:\nzed\n", 1, "'students:' cannot be"},
                {NAME_250 "\n", 1, "more than 255 characters"},
                {"name,id\nZed,1\n", 1,
                        "'SIS Login ID', 'SIS User ID', 'Login ID', 'login', 'username' or 'user', found "
                        "'name', 'id'"},
                {"\n# c\nzed,10\namy,11\n", 3, "no column holds logins"},
                {"cs123:,x\nzed,1\n", 1, "no column holds logins"},
                {CANVAS "\"Zed, Z.\",1,800,zed,CS,9\r\n\"Amy, A.\",2,801,,CS,9\r\n", 3,
                        "'Amy, A.' has no SIS Login ID"},
                {"login,x\nzed,1\nname,with blanks\n\nbad name,2\n", 5,
                        "'bad name' cannot be a student's name"},
                {"login,x\ncs124-zed,1\n", 2, "another course"},
                {"name,login\n\"a\nb\nc\",zed\nx,bad name\n", 5, "'bad name'"},
                {"login,x\n@example.edu,1\n", 2, "cannot be a student's name"},
                {"login,x\nz\"e\"d,1\n", 2, "quotes in this row"},
                {"login,x\n\"zed,1\n", 2, "never closes"},
                {"login,x\nanna@one.edu,1\nanna@two.edu,2\n", 3,
                        "'anna@two.edu' and 'anna@one.edu' in line 2 would both be"},
                {"zed\ncs123-zed\n", 2, "would both be student zed"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_class_list_ struct class_list list = {0};

                parse(rows[i].text, &list, &diagnostics);
                assert_error(&diagnostics, rows[i].line, rows[i].words);
                assert_int_equal(diagnostics.n_errors, 1);
                assert_string_equal(diagnostics.items[0].path, PATH);
        }
}

static void test_every_mistake_is_told(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_list_ struct class_list list = {0};

        (void)state;
        parse("cs124:\n-a\nok\nb c\nd:\n", &list, &diagnostics);
        assert_error(&diagnostics, 1, "course 124");
        assert_error(&diagnostics, 2, "'-a'");
        assert_error(&diagnostics, 4, "'b'");
        assert_error(&diagnostics, 5, "'d:'");
        assert_int_equal(diagnostics.n_errors, 4);
        assert_students(&list, "ok");
}

static void test_warnings(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words, *students;
        } rows[] = {
                {"zed\namy\nzed\n", 3, "'zed' stands in line 1 already", "zed amy"},
                {"login,x\nZED,1\nAmy@EXAMPLE.edu,2\n", 0, "2 logins have capitals", "zed amy"},
                {"cs123: zed amy\nbob\n", 1, "names go on lines of their own", "bob"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_class_list_ struct class_list list = {0};

                parse(rows[i].text, &list, &diagnostics);
                assert_warning(&diagnostics, rows[i].line, rows[i].words);
                assert_int_equal(diagnostics.n_errors, 0);
                assert_students(&list, rows[i].students);
        }
}

/* With {student} in front, what stands before {course} still names the course in a header. */
static void test_header_by_another_rule(void **state) {
        _cleanup_settings_ struct settings other = {0};
        struct diagnostics ignored = {0};

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nname-rule = {student}-math{course}\n");
        assert_int_equal(settings_load(etc, &other, &ignored), 0);

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_class_list_ struct class_list list = {0};

                assert_int_equal(class_list_parse(i == 0 ? "math123:\nzed-math123\n" : "math124:\nzed\n",
                                         PATH, &other, "123", &list, &diagnostics),
                        0);
                assert_int_equal(diagnostics.n_errors, i);
                assert_students(&list, "zed");
        }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_good_lists),
                TEST(test_mistakes),
                TEST(test_every_mistake_is_told),
                TEST(test_warnings),
                TEST(test_header_by_another_rule),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
