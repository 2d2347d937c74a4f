/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Class lists, as instructors have them: plain ones, exports of a gradebook, and what is wrong with them. */

#include "fixture.h"

#include "ctl/roster/class-parse.h"
#include "ctl/roster/class-text.h"

#define PATH "LIST"

/* Lists as programs write them, with invented names. */
#define SHAPES "tests/unit/class-lists/"

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

/* As `roster import` does it. */
static void parse_as(const char *bytes, size_t size, const struct class_list_options *options,
        struct class_list *ret, struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = NULL;
        const char *reason;

        assert_int_equal(class_text_decode(bytes, size, &text, &reason), 0);
        assert_int_equal(class_parse(text, PATH, &settings, "123", options, ret, diagnostics), 0);
}

static void parse(const char *text, struct class_list *ret, struct diagnostics *diagnostics) {
        static const struct class_list_options options;

        parse_as(text, strlen(text), &options, ret, diagnostics);
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
                {"user,login\nzed,ZED@mail.example\n", "zed"},
                {"Name;e_mail\nZ, zed;zed@mail.example\n", "zed"},
                {"cs123: Systems Programming, spring\nzed\namy\n", "zed amy"},
                {"cs123: a;b\tc|d\nzed\n", "zed"},
                {"zed # the tutor, and more; all\namy\n", "zed amy"},
                {"zed@mail.example\namy\n", "zed amy"},
                {"cs12x\n", "cs12x"},
                {"\"zed\"\namy\n", "zed amy"},
                {"login,x\n\n\nzed,1\n\n", "zed"},
                {"login,x\nzed@example.edu,1\ncs123-amy@example.edu,1\n", "zed amy"},
                {"login,x\n#zed,1\n", "zed"},
                {"login,x,\nzed,1,,,\n", "zed"},
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
                {"zed\nZed Zedson\n", 2, "expected one name on each line, but 'Zed' is followed by 'Zedson'"},
                {"zed 10\n", 1, "import numbers the seats itself"},
                {"zed\tamy\n", 1, "because this is one row: 'zed', 'amy'"},
                {"zed;amy\n", 1, "write each on a line of its own"},
                {"zed\tZ\namy\tA\n", 1, "or --column with one of these: 'zed', 'Z'"},
                {"zed\tZ\namy\tA\n", 1, "If this row is a student's, add a row of column names above it"},
                {"amy\nzed,x\n", 2, "'zed,x' cannot be a student's name"},
                {"al.smith+cs@mail.example\n", 1, "'al.smith+cs@mail.example' cannot be a student's name"},
                {"CS123-zed\n", 1,
                        "'CS123-zed' is a user name except for its capital letters: write 'cs123-zed'"},
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
                        "expected one called 'SIS Login ID', 'Username', 'Login' or 'Email address', or "
                        "--column "
                        "with one of these: 'name', 'id'"},
                {"\n# c\nzed,10\namy,11\n", 3, "no column holds logins"},
                {"cs123:,x\nzed,1\n", 2, "no column holds logins"},
                {"user,login\nzed,zed\na,zed2\n", 1,
                        "for example 'a' and 'zed2' in line 3: choose the right one with --column"},
                {"Name,ID,Contact\nZed,1,Email\nAmy,2,phone\n", 1, "these: 'Name', 'ID', 'Contact'"},
                {"SIS User ID,Name\n801,Zed\n", 1, "'SIS User ID' has numbers, such as 801"},
                {"name,login\nZed, Z.,zed\n", 2, "the row of 'Zed' has 3 cells, but there are 2 columns"},
                {CANVAS "\"Zed, Z.\",1,800,zed,CS,9\r\n\"Amy, A.\",2,801,,CS,9\r\n", 3,
                        "'Amy, A.' has no SIS Login ID"},
                {"login,x\nzed,1\nname,with blanks\n\nbad name,2\n", 5,
                        "'bad name' cannot be a student's name"},
                {"login,x\ncs124-zed,1\n", 2, "another course"},
                {"name,login\n\"a\nb\nc\",zed\nx,bad name\n", 5, "'bad name'"},
                {"login,x\n@example.edu,1\n", 2, "cannot be a student's name"},
                {"login,x\nz\"e\"d,1\n", 2, "quotes in this row"},
                {"login,x\n\"zed,1\n", 2, "is never closed"},
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
                {"zed\namy\nzed\n", 3, "'zed' is in line 1 already", "zed amy"},
                {"login,x\nZED,1\nAmy@EXAMPLE.edu,2\n", 0, "2 logins have capital letters", "zed amy"},
                {"zed\nuser,x\namy,1\n", 1, "'zed' is above the row of column names", "amy"},
                {"login,x\nZED,1\n", 0, "1 login has capital letters", "zed"},
                {"ZED\nAmy\nbob\n", 0, "2 names have capital letters, which are kept", "ZED Amy bob"},
                {"email\nzed@one.edu\namy@two.edu\nbob@one.edu\n", 3,
                        "'amy@two.edu' has another domain than the first address (lines of this kind: 1)",
                        "zed amy bob"},
                {"cs123: zed amy\nbob\n", 1, "write each name on a line of its own", "bob"},
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
        static const struct class_list_options options;
        _cleanup_settings_ struct settings other = {0};
        struct diagnostics ignored = {0};

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nname-rule = {student}-math{course}\n");
        assert_int_equal(settings_load(etc, &other, &ignored), 0);

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_class_list_ struct class_list list = {0};

                assert_int_equal(class_parse(i == 0 ? "math123:\nzed-math123\n" : "math124:\nzed\n", PATH,
                                         &other, "123", &options, &list, &diagnostics),
                        0);
                assert_int_equal(diagnostics.n_errors, i);
                assert_students(&list, "zed");
        }
}

/* Users' names with the domain that the rule has, or without; a domain has capitals, a login has none. */
static void test_names_with_a_domain(void **state) {
        static const struct {
                const char *rule, *list;
        } rows[] = {
                {"cs{course}-{student}@ad.example.edu", "cs123:\ncs123-zed@ad.example.edu\ncs123-amy\nbob\n"},
                {"cs{course}-{student}@ad.example.edu", "name,login\nZ,cs123-zed@ad.example.edu\nA,CS123-AMY@"
                                                        "AD.EXAMPLE.EDU\nB,bob@mail.example\n"},
                {"AD\\cs{course}-{student}", "cs123:\nAD\\cs123-zed\ncs123-amy\nbob\n"},
                {"AD\\cs{course}-{student}", "name,login\nZ,AD\\cs123-zed\nA,cs123-amy\nB,bob\n"},
        };
        static const struct class_list_options options;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_class_list_ struct class_list list = {0};
                struct settings other = settings;
                const char *reason;

                assert_int_equal(name_rule_parse(rows[i].rule, &other.rule, &reason), 0);
                assert_int_equal(
                        class_parse(rows[i].list, PATH, &other, "123", &options, &list, &diagnostics), 0);
                assert_int_equal(diagnostics.n_errors, 0);
                assert_students(&list, "zed amy bob");
        }
}

/* What each file of SHAPES gives. The words are of an error, or of a warning where rows are skipped. */
static const struct shape {
        const char *file, *students;
        const char *column; /* that the logins come from; NULL: a plain list */
        unsigned line;      /* of the finding; 0 without words: there is none */
        const char *words;
        struct class_list_options options;
} shapes[] = {
        {"plain.txt", "quillp rowan-f haddad", NULL, 0, NULL, {0}},
        {"plain-excel.csv", "quillp rowan-f", NULL, 0, NULL, {0}},
        {"plain-mail.txt", "quillp rowan-f haddad", NULL, 0, "1 login has capital letters", {.skip = true}},
        {"plain-bad-address.txt", "quillp haddad", NULL, 2, "'al.smith+cs@mail.example' cannot be", {0}},
        {"plain-bad-address.txt", "quillp haddad", NULL, 2, "this row is skipped", {.skip = true}},
        {"canvas-comma.csv", "quillp rowan-f", "SIS Login ID", 0, NULL, {0}},
        {"canvas-semicolon.csv", "quillp rowan-f", "SIS Login ID", 0, NULL, {0}},
        {"canvas-no-sis-ids.csv", "quillp rowan-f", "SIS Login ID", 0, "1 login has capital letters",
                {.skip = true}},
        {"canvas-two-names.csv", "quillp", "SIS Login ID", 0, NULL, {0}},
        {"canvas-two-sections.csv", "quillp haddad", "SIS Login ID", 0, NULL, {0}},
        {"canvas-no-login.csv", "quillp haddad", "SIS Login ID", 4, "'Fletcher, Rowan' has no SIS Login ID",
                {0}},
        {"canvas-no-login.csv", "quillp haddad", "SIS Login ID", 5, "'al.smith+cs@mail.example' cannot be",
                {.skip = true}},
        {"canvas-no-login.csv", "0091001 0091002 0091003 0091004", "SIS User ID", 0, NULL,
                {.column = "sis user id"}},
        {"canvas-sis-user.csv", "", NULL, 1, "'SIS User ID' has numbers, such as 0091001", {0}},
        {"canvas-sis-user.csv", "", NULL, 1, "'SIS User ID' has numbers", {.skip = true}},
        {"canvas-sis-user.csv", "0091001", "SIS User ID", 0, NULL, {.column = "SIS User ID"}},
        {"canvas-sis-user.csv", "", NULL, 1,
                "there is no column 'Login'; the columns are 'Student', 'ID', 'SIS User ID', 'Section'",
                {.column = "Login"}},
        {"moodle-participants-en.csv", "quillp rowan-f", "Email address", 0, NULL, {0}},
        {"moodle-participants-de.csv", "jgross aweiss", "E-Mail-Adresse", 0, NULL, {0}},
        {"moodle-grades-de.csv", "jgross aweiss", "E-Mail-Adresse", 0, NULL, {0}},
        {"moodle-grades-fr.tsv", "elefevre rdaout", "Adresse de courriel", 0, NULL, {0}},
        {"moodle-users-es.csv", "nibanez jlpez", "Nombre de usuario", 0, NULL, {0}},
        {"moodle-upload-users.csv", "quillp rowan-f", "username", 0, NULL, {0}},
        {"moodle-upload-users.csv", "pat.quill rowan", "email", 3, "'rowan@post.example' has another domain",
                {.column = "EMAIL", .skip = true}},
        {"blackboard.csv", "quillp snunez", "Username", 0, NULL, {0}},
        {"blackboard.xls", "quillp snunez", "Username", 0, NULL, {0}},
        {"brightspace-grades.csv", "quillp rowan-f", "Username", 0, NULL, {0}},
        {"brightspace-grades.csv", "400910001 400910002", "OrgDefinedId", 0, NULL,
                {.column = "orgdefinedid"}},
        {"brightspace-attendance.csv", "quillp nh1234", "Username", 0, NULL, {0}},
        {"excel-sep-line.csv", "jmueller agross", "Benutzername", 0, NULL, {0}},
        {"excel-sep-comma.csv", "quillp", "Login", 0, NULL, {0}},
        {"excel-semicolon-1252.csv", "jmueller agross", "E-Mail", 0, NULL, {0}},
        {"excel-unicode-text.txt", "jmueller ageorgiou", "Login", 0, NULL, {0}},
        {"excel-utf16be.txt", "lzak", "Login", 0, NULL, {0}},
        {"google-sheets.tsv", "quillp rowan-f", "Login", 0, NULL, {0}},
        {"google-mail.csv", "quillp haddad", "Email Address", 3, "'haddad@post.example' has another domain",
                {.skip = true}},
        {"github-classroom.csv", "quillp haddad", "identifier", 0, NULL, {0}},
        {"github-classroom.csv", "patq", "github_username", 3, "'haddad@mail.example' has no github_username",
                {.column = "github_username", .skip = true}},
        {"github-classroom-numbers.csv", "", NULL, 1, "'identifier' has numbers, such as 91001", {0}},
        {"peoplesoft-roster.csv", "", NULL, 4, "'ID', 'Name', 'Grade Basis', 'Units'", {0}},
        {"peoplesoft-roster.csv", "0091001 0091002", "ID", 0, NULL, {.column = "id"}},
        {"banner-titles.csv", "quillp nh1234", "NetID", 0, NULL, {0}},
        {"heading-and-table.csv", "quillp", "Login", 0, NULL, {0}},
        {"pipes.txt", "quillp rowan-f", "Login", 0, NULL, {0}},
        {"old-mac.csv", "quillp haddad", "login", 0, NULL, {0}},
        {"login-first.csv", "quillp haddad", "Login", 3, "'Rowan Fletcher' has no Login", {0}},
        {"login-first.csv", "quillp haddad", "Login", 3, "'Rowan Fletcher' has no Login; this row is skipped",
                {.skip = true}},
        {"unquoted-name.csv", "haddad", "login", 2, "the row of 'Quill' has 3 cells, but there are 2 columns",
                {0}},
        {"two-logins.csv", "", NULL, 1, "for example 'rfletcher' and 'rowan-f' in line 3", {0}},
        {"two-logins.csv", "", NULL, 1, "for example 'rfletcher' and 'rowan-f' in line 3", {.skip = true}},
        {"two-logins.csv", "quillp rowan-f", "username", 0, NULL, {.column = "Username"}},
        {"no-break-spaces.csv", "quillp haddad", "Login", 0, NULL, {0}},
        {"other-course.csv", "quillp", "Login", 3, "'cs124-haddad' is a user name of another course", {0}},
        {"other-course.csv", "quillp", "Login", 3, "'cs124-haddad' is a user name of another course",
                {.skip = true}},
        {"plain.txt", "", NULL, 3, "there is no column 'Login', because this is a plain list",
                {.column = "Login"}},
};

/* Returns the size. */
static size_t read_shape(const char *file, char *bytes, size_t size) {
        char path[128];
        int fd;
        ssize_t n;

        (void)snprintf(path, sizeof(path), SHAPES "%s", file);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                fail_msg("%s: %s", path, strerror(errno));
        n = read(fd, bytes, size);
        (void)close(fd);
        assert_true(n > 0 && (size_t)n < size);
        return (size_t)n;
}

/* Those findings that stop an import whether rows are skipped or not. */
static bool is_about_whole_file(const struct shape *shape) {
        return shape->column == NULL ? shape->students[0] == '\0'
                                     : strstr(shape->words, "another course") != NULL;
}

static void assert_shape(const struct shape *shape) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_list_ struct class_list list = {0};
        char bytes[4096];

        parse_as(bytes, read_shape(shape->file, bytes, sizeof(bytes)), &shape->options, &list, &diagnostics);
        assert_students(&list, shape->students);
        if (shape->column)
                assert_string_equal(list.column, shape->column);
        else
                assert_null(list.column);

        if (!shape->words) {
                assert_clean(&diagnostics);
        } else if (shape->options.skip && !is_about_whole_file(shape)) {
                assert_warning(&diagnostics, shape->line, shape->words);
                assert_int_equal(diagnostics.n_errors, 0);
        } else {
                assert_error(&diagnostics, shape->line, shape->words);
        }
}

static void test_shapes(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(shapes); i++) {
                print_message("%s\n", shapes[i].file);
                assert_shape(&shapes[i]);
        }
}

static void test_no_text(void **state) {
        static const struct {
                const char *bytes;
                size_t size;
                const char *words;
        } rows[] = {
                {"a\0b\0", 4, "NUL bytes"},
                {"\xff\xfe\0\0z\0\0\0", 8, "NUL bytes"},
                {"\xff\xfez\0\0\xd8", 6, "unknown text encoding"},
                {"\xff\xfez", 3, "unknown text encoding"},
                {"z\x81\n", 3, "unknown text encoding"},
                {"PK\3\4", 4, "is a workbook"},
                {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "is a workbook"},
                {"%PDF-1.7\n", 9, "is a PDF"},
                {"\xef\xbb\xbf\n<html>", 10, "is a web page"},
        };
        char bytes[4096], *text = NULL;
        const char *reason;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                reason = "";
                assert_int_equal(class_text_decode(rows[i].bytes, rows[i].size, &text, &reason), -EINVAL);
                assert_non_null(strstr(reason, rows[i].words));
        }
        assert_int_equal(class_text_decode(bytes, read_shape("peoplesoft-ps.xls", bytes, sizeof(bytes)),
                                 &text, &reason),
                -EINVAL);
        assert_non_null(strstr(reason, "is a web page"));
        assert_int_equal(
                class_text_decode(bytes, read_shape("workbook.xlsx", bytes, sizeof(bytes)), &text, &reason),
                -EINVAL);
        assert_non_null(strstr(reason, "is a workbook"));
        assert_null(text);
}

/* Every row that has no login is named, and only those are what --skip leaves out. */
static void test_skipped_rows(void **state) {
        static const struct class_list_options options = {.skip = true};
        static const char text[] = "Name,Login\nPat,quillp\nRowan,\nAl,al+cs\nNoor,haddad\n";
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_list_ struct class_list list = {0};

        (void)state;
        parse_as(text, strlen(text), &options, &list, &diagnostics);
        assert_students(&list, "quillp haddad");
        assert_int_equal(list.n_without_login, 2);
        assert_int_equal(diagnostics.n_items, 2);
        assert_warning(&diagnostics, 3, "'Rowan' has no Login; this row is skipped");
        assert_warning(&diagnostics, 4, "'al+cs' cannot be a student's name");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_good_lists),
                TEST(test_mistakes),
                TEST(test_every_mistake_is_told),
                TEST(test_warnings),
                TEST(test_header_by_another_rule),
                TEST(test_names_with_a_domain),
                TEST(test_shapes),
                TEST(test_no_text),
                TEST(test_skipped_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
