/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl roster`, `seat` and `check` on a folder that stands for /etc/coursenet: what they write,
 * print and exit with, and that two imports at once lose nothing.
 */

#include "fixture.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "ctl/base/scope.h"
#include "ctl/check/check-command.h"
#include "ctl/check/setup-command.h"
#include "ctl/roster/roster-command.h"
#include "ctl/seat/seat-command.h"
#include "ctl/status/status-command.h"
#include "protocol.h"

static char socket_path[108];
static char output[65536];       /* of the last command, both streams */
static const char *enter;        /* NULL: not looked for */
static const struct scope *seen; /* as whom commands are run; NULL: root */

/* Runs a command line of at most 8 words, ended by NULL, with its output in `output`. */
static int run(int (*command)(const struct paths *, int, char **), const char *const words[]) {
        const struct paths paths = {.etc = etc,
                .pam = etc_path("pam.d"),
                .activator_socket = socket_path,
                .query_socket = socket_path,
                .net = "/bin/true",
                .host = "/bin/true",
                .dnsmasq = "/bin/true",
                .enter = enter,
                .proc = "/proc",
                .scope = seen};
        int saved[2] = {dup(1), dup(2)}, fd, argc = 0, r;
        char *argv[9] = {NULL};

        while (words[argc]) {
                argv[argc] = (char *)(uintptr_t)words[argc];
                argc++;
        }

        (void)fflush(stdout);
        fd = open(etc_path("output"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_true(dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0);
        r = command(&paths, argc, argv);
        (void)fflush(stdout);
        assert_true(dup2(saved[0], 1) >= 0 && dup2(saved[1], 2) >= 0);

        memset(output, 0, sizeof(output));
        assert_true(pread(fd, output, sizeof(output) - 1, 0) >= 0);
        (void)close(fd);
        (void)close(saved[0]);
        (void)close(saved[1]);
        return r;
}

#define N_AT_ONCE 12

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ROSTER(...) run(roster_command, WORDS("roster", __VA_ARGS__))
#define SEAT(...) run(seat_command, WORDS("seat", __VA_ARGS__))

static void assert_output(const char *words) {
        if (!strstr(output, words))
                fail_msg("'%s' is not in the output:\n%s", words, output);
}

/* The output must be this, with double quotes for single ones. */
static void assert_json(const char *text) {
        char expected[1024];
        size_t i = 0;

        for (; text[i] && i + 1 < sizeof(expected); i++)
                expected[i] = text[i] == '\'' ? '"' : text[i];
        expected[i] = '\0';
        assert_string_equal(output, expected);
}

static void assert_file(const char *name, const char *expected) {
        _cleanup_free_ char *text = read_whole(name);

        assert_string_equal(text, expected);
}

static int setup(void **state) {
        if (make_etc(state) < 0)
                return -1;
        (void)snprintf(socket_path, sizeof(socket_path), "%s", etc_path("no-activator.sock"));
        return 0;
}

static void test_usage(void **state) {
        (void)state;
        assert_int_equal(run(roster_command, WORDS("roster")), EXIT_USAGE);
        assert_int_equal(ROSTER("bogus"), EXIT_USAGE);
        assert_int_equal(ROSTER("list", "123", "124"), EXIT_USAGE);
        assert_int_equal(ROSTER("add", "123"), EXIT_USAGE);
        assert_int_equal(ROSTER("add", "--force", "123", "amy"), EXIT_USAGE);
        assert_int_equal(ROSTER("import", "123"), EXIT_USAGE);
        assert_int_equal(ROSTER("list", "--bogus", "123"), EXIT_USAGE);
        assert_int_equal(SEAT("--json"), EXIT_USAGE);
        assert_output("Usage: coursenetctl seat");
        assert_int_equal(run(check_command, WORDS("check", "x")), EXIT_USAGE);
        assert_int_equal(ROSTER("--help"), EXIT_DONE);
        assert_int_equal(ROSTER("-h"), EXIT_DONE);
        assert_int_equal(ROSTER("help"), EXIT_DONE);
        assert_int_equal(ROSTER("list", "-h"), EXIT_DONE);
        assert_int_equal(SEAT("-h"), EXIT_DONE);
        assert_int_equal(SEAT("-x", "cs123-amy"), EXIT_USAGE);
        assert_int_equal(ROSTER("add", "--skip", "123", "amy"), EXIT_USAGE);
        assert_output("This command has no such option: --skip");
        assert_int_equal(ROSTER("import", "--column"), EXIT_USAGE);
        assert_int_equal(ROSTER("list", "--column", "x", "123"), EXIT_USAGE);
        assert_output("This command has no such option: --column");
        assert_int_equal(ROSTER("import", "--help"), EXIT_DONE);
        assert_output("Canvas");
}

static void test_first_import(void **state) {
        struct stat st;

        (void)state;
        write_file("list", "cs123:1:now\n# instructors\nzed\ncs123-amy\n");
        (void)umask(077);
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_DONE);
        assert_file("roster.d/123", "zed 10\namy 11\n");
        assert_output("12310 10.0.123.10/24");
        assert_output("Course 123: 2 seated.");
        assert_output("the activator cannot be reached");

        /* For root alone, whatever the umask. */
        assert_int_equal(stat(etc_path("roster.d/123"), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        assert_int_equal(st.st_uid, 0);
        assert_int_equal(stat(etc_path("roster.d"), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void test_an_open_folder_is_told_of_and_closed(void **state) {
        struct stat st;

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("pam.d/sshd", "session required pam_coursenet.so\n");
        assert_int_equal(run(check_command, WORDS("check")), EXIT_DONE);
        assert_output("every user can read it and see who is in which course: chmod o-rwx ");

        assert_int_equal(chmod(etc_path("roster.d"), 0755), 0);
        (void)umask(0);
        assert_int_equal(ROSTER("add", "123", "bob"), EXIT_DONE);
        assert_int_equal(stat(etc_path("roster.d"), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0750);
        assert_int_equal(stat(etc_path("roster.d/123"), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        assert_int_equal(run(check_command, WORDS("check")), EXIT_DONE);
        assert_null(strstr(output, "everybody"));
}

static void test_weekly_import(void **state) {
        (void)state;
        write_file("roster.d/123", "# spring\namy 10 # front row\n#removed bob 11\ncarl 12\n");
        write_file("list", "dora\nbob\namy\n");
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_DONE);
        assert_file("roster.d/123", "# spring\namy 10 # front row\nbob 11\ncarl 12\ndora 13\n");
        assert_output("Course 123: 2 seated, 1 kept.");
        assert_output("On the roster, but not on this list: carl.");

        /* A second time: nothing is new, nothing is written. */
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_DONE);
        assert_output("Course 123: 0 seated, 3 kept.");
        assert_null(strstr(output, "activator"));
}

static void test_import_is_all_or_nothing(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("list", "bob\nZed Zedson\n-x\n");
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_NO);
        assert_output("list:2: ");
        assert_output("list:3: ");
        assert_output("Nothing was changed.");
        assert_file("roster.d/123", "amy 10\n");
}

static void test_lists_that_cannot_be_read(void **state) {
        (void)state;
        assert_int_equal(ROSTER("import", "123", etc_path("missing")), EXIT_NO);
        assert_output("/missing: No such file or directory");
        write_bytes("list", "a\0b\0", 4);
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_NO);
        assert_output("NUL bytes");
        write_file("list", "# nobody\n");
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_NO);
        assert_output("has no names in it");
        assert_int_equal(ROSTER("import", "123", etc), EXIT_NO);
        assert_output("Is a directory");
        write_file("list", "<html><table>");
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_NO);
        assert_output("web page");
        assert_int_equal(access(etc_path("roster.d/123"), F_OK), -1);
}

/* Not even the folder of the rosters is made, nor is the lock taken. */
static void test_dry_run(void **state) {
        (void)state;
        write_file("list", "Name;Login\nZed;zed\nBo;\nAmy;amy\nBob;bob\n");
        assert_int_equal(ROSTER("import", "--dry-run", "--skip", "123", etc_path("list")), EXIT_DONE);
        assert_output("list:3: warning: 'Bo' has no Login; this row is skipped");
        assert_output("The logins are from the column 'Login'.");
        assert_output("zed  12310 10.0.123.10/24 would be seated");
        assert_output("Course 123: 3 would be seated, 1 skipped. Nothing was written.");
        assert_null(strstr(output, "activator"));
        assert_int_equal(access(etc_path("roster.d"), F_OK), -1);

        write_file("roster.d/123", "amy 10\n#removed bob 11\ncarl 12\n");
        assert_int_equal(ROSTER("import", "--dry-run", "--skip", "123", etc_path("list")), EXIT_DONE);
        assert_output("zed  12313 10.0.123.13/24 would be seated");
        assert_output("amy  12310 10.0.123.10/24 kept");
        assert_output("bob  12311 10.0.123.11/24 would be seated");
        assert_output("Course 123: 2 would be seated, 1 kept, 1 skipped. Nothing was written.");
        assert_output("On the roster, but not on this list: carl.");
        assert_file("roster.d/123", "amy 10\n#removed bob 11\ncarl 12\n");
        assert_int_equal(access(etc_path("roster.d/.lock"), F_OK), -1);

        assert_int_equal(ROSTER("import", "--dry-run", "123", etc_path("list")), EXIT_NO);
        assert_output("list:3: 'Bo' has no Login");
}

/* Rows without a login: all or nothing, unless the administrator says that they may be skipped. */
static void test_skip(void **state) {
        (void)state;
        write_file("list", "Student,SIS Login ID\nZed,zed\nBo,\nAl,al.smith+cs@mail.example\nAmy,amy\n");
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_NO);
        assert_output("list:3: 'Bo' has no SIS Login ID");
        assert_output("list:4: 'al.smith+cs@mail.example' cannot be");
        assert_output("2 rows have no usable login; use --skip to skip these rows and add the others");
        assert_output("Nothing was changed.");
        assert_int_equal(access(etc_path("roster.d/123"), F_OK), -1);

        assert_int_equal(ROSTER("import", "--skip", "123", etc_path("list")), EXIT_DONE);
        assert_output("list:3: warning: 'Bo' has no SIS Login ID; this row is skipped");
        assert_output("list:4: warning: 'al.smith+cs@mail.example' cannot be");
        assert_output("Course 123: 2 seated, 2 skipped.");
        assert_file("roster.d/123", "zed 10\namy 11\n");

        /* A list with only such rows is refused. */
        write_file("list", "Student,SIS Login ID\nBo,\n");
        assert_int_equal(ROSTER("import", "--skip", "123", etc_path("list")), EXIT_NO);
        assert_output("has no names in it");
        /* Another course's is not, whatever is skipped. */
        write_file("list", "cs124:\nzed\nal+cs\n");
        assert_int_equal(ROSTER("import", "--skip", "123", etc_path("list")), EXIT_NO);
        assert_output("the list of course 124");
        assert_file("roster.d/123", "zed 10\namy 11\n");
}

static void test_column(void **state) {
        (void)state;
        write_file("list", "Name,Matrikel,Mail\nZed,m801,z@mail.example\n");
        assert_int_equal(ROSTER("import", "--column", "matrikel", "123", etc_path("list")), EXIT_DONE);
        assert_output("The logins are from the column 'Matrikel'.");
        assert_file("roster.d/123", "m801 10\n");
        assert_int_equal(ROSTER("import", "--column=login", "123", etc_path("list")), EXIT_NO);
        assert_output("there is no column 'login'; the columns are 'Name', 'Matrikel', 'Mail'");
}

static void test_import_from_stdin(void **state) {
        int saved = dup(0), fd;

        (void)state;
        write_file("list", "login,x\nAMY@example.edu,1\n");
        fd = open(etc_path("list"), O_RDONLY | O_CLOEXEC);
        assert_true(dup2(fd, 0) >= 0);
        assert_int_equal(ROSTER("import", "123", "-"), EXIT_DONE);
        assert_true(dup2(saved, 0) >= 0);
        (void)close(fd);
        (void)close(saved);
        assert_output("stdin: warning: 1 login has capital letters");
        assert_file("roster.d/123", "amy 10\n");
}

static void test_refusals(void **state) {
        static const struct {
                const char *file, *text; /* what is wrong */
                const char *course, *words;
        } rows[] = {
                {"coursenet.conf", "[site]\nprefix = 99\n", "123", "coursenet.conf:2: prefix = 99"},
                {"coursenet.conf", "[site]\ncourse-digits = 4\n", "123", "exactly 4 digits"},
                {"coursenet.conf", "", "12", "exactly 3 digits"},
                {"coursenet.conf", "", "../../etc", "a course is a number"},
                {"coursenet.conf", "[course 123]\nsubnet = 10.0.124.0/24\n", "123",
                        "the subnet of course 123 (10.0.124.1/24) overlaps that of course 124 "
                        "(10.0.124.1/24)"},
                {"coursenet.conf", "[site]\nnetwork = 10.0.0.0/16\n", "377", "subnet in [course 377]"},
                {"netns/bridge-123.conf", "BR_IP=x\n", "123", "bridge-123.conf:1: BR_IP=x"},
                {"netns/bridge-123.conf", "BR_IP=10.0.123.10\n", "123",
                        "seat 12310 has its gateway's address"},
                {"netns/bridge-123.conf", "BR_IP=10.0.123.1/29\n", "123", "ends at seat number 6"},
                {"netns/ns12410.conf", "BR=br-123\nVR_IP=10.0.123.10\n", "123",
                        "would have the address of seat 12410"},
                {"roster.d/123", "amy ten\n", "123", "correct them before you change it"},
        };

        (void)state;
        write_file("list", "zed\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char roster[64];

                write_file("roster.d/124", "bob 10\n");
                write_file(rows[i].file, rows[i].text);
                assert_int_equal(ROSTER("import", rows[i].course, etc_path("list")), EXIT_NO);
                assert_output(rows[i].words);
                assert_output("Nothing was changed.");

                (void)snprintf(roster, sizeof(roster), "roster.d/%s", rows[i].course);
                if (string_equal(roster, rows[i].file))
                        assert_file(roster, rows[i].text);
                else
                        assert_int_equal(access(etc_path(roster), F_OK), -1);
                assert_int_equal(unlink(etc_path(rows[i].file)), 0);
        }
}

/* Another course's mistakes are no reason not to change this one. */
static void test_mistakes_elsewhere(void **state) {
        (void)state;
        write_file("roster.d/124", "bob ten\n");
        assert_int_equal(ROSTER("add", "123", "amy"), EXIT_DONE);
        assert_file("roster.d/123", "amy 10\n");
}

/* The course comes first. */
static void test_import_with_the_words_exchanged(void **state) {
        (void)state;
        write_file("list", "amy\n");
        assert_int_equal(ROSTER("import", etc_path("list"), "123"), EXIT_NO);
        assert_output("/list' is not a course: a course is a number, and it comes before the file");
}

static void test_list_without_a_roster(void **state) {
        (void)state;
        assert_int_equal(ROSTER("list"), EXIT_DONE);
        assert_output("No course has a roster. To create one: coursenetctl roster import COURSE FILE");
        assert_int_equal(ROSTER("list", "--json"), EXIT_DONE);
        assert_null(strstr(output, "No course"));
}

static void test_full_course(void **state) {
        (void)state;
        write_file("coursenet.conf", "[course 123]\nsubnet = 10.9.0.0/28\n");
        write_file("list", "a\nb\nc\nd\ne\nf\ng\n");
        assert_int_equal(ROSTER("import", "123", etc_path("list")), EXIT_NO);
        assert_output("no seat is left for f: numbers 10 to 14 are all in use or reserved");
        assert_output("write 'subnet = 172.16.0.0/22', or a free network of yours, into [course 123]");
        /* There is none. */
        assert_null(strstr(output, "#removed"));
        /* A higher prefix is a smaller subnet: the message must not advise it. */
        assert_null(strstr(output, "larger prefix"));
        assert_null(strstr(output, "left for g"));
        assert_int_equal(access(etc_path("roster.d/123"), F_OK), -1);
        write_file("roster.d/123", "a 10\n#removed b 11\nc 12\nd 13\ne 14\n");
        assert_int_equal(ROSTER("add", "123", "f"), EXIT_NO);
        assert_output("or delete a '#removed NAME SEAT' line");
}

static void test_add_and_remove(void **state) {
        (void)state;
        assert_int_equal(ROSTER("add", "123", "zed", "cs123-amy", "zed"), EXIT_DONE);
        assert_output("Course 123: 2 seated, 1 kept.");
        assert_file("roster.d/123", "zed 10\namy 11\n");

        assert_int_equal(ROSTER("add", "123", "bob", "cs124-carl"), EXIT_NO);
        assert_output("another course");
        assert_file("roster.d/123", "zed 10\namy 11\n");

        assert_int_equal(ROSTER("remove", "123", "zed", "nobody"), EXIT_NO);
        assert_output("nobody is not on the roster");
        assert_file("roster.d/123", "zed 10\namy 11\n");

        assert_int_equal(ROSTER("remove", "123", "cs123-zed"), EXIT_DONE);
        assert_output("number kept");
        assert_file("roster.d/123", "#removed zed 10\namy 11\n");

        assert_int_equal(ROSTER("add", "123", "bob", "zed"), EXIT_DONE);
        assert_file("roster.d/123", "zed 10\namy 11\nbob 12\n");
}

/* What a crash left behind neither stops an import nor is taken for a roster. */
static void test_left_over_file(void **state) {
        (void)state;
        write_file("roster.d/.123.new", "half a li");
        assert_int_equal(ROSTER("add", "123", "amy"), EXIT_DONE);
        assert_file("roster.d/123", "amy 10\n");
        assert_int_equal(access(etc_path("roster.d/.123.new"), F_OK), -1);
}

static void test_a_linked_roster_is_refused(void **state) {
        (void)state;
        write_file("roster.d/README", "amy 10\n");
        assert_int_equal(symlink("README", etc_path("roster.d/123")), 0);
        assert_int_equal(ROSTER("add", "123", "bob"), EXIT_NO);
        assert_output("not a symbolic link");
        assert_file("roster.d/README", "amy 10\n");
}

static void test_list(void **state) {
        (void)state;
        write_file("coursenet.conf", "[site]\nnetwork6 = 2001:db8:42::/48\n");
        write_file("roster.d/123", "zed 12\n#removed bob 11\namy 10\n");
        assert_int_equal(ROSTER("list", "123"), EXIT_DONE);
        assert_output("zed  12312 10.0.123.12/24 cs123-zed");
        assert_null(strstr(output, "bob"));

        assert_int_equal(ROSTER("list", "--json", "123"), EXIT_DONE);
        assert_json("{'version':1,'course':'123','students':["
                    "{'name':'zed','user':'cs123-zed','seat':'12312','address':'10.0.123.12/24',"
                    "'address6':'2001:db8:42:123::12/64'},"
                    "{'name':'amy','user':'cs123-amy','seat':'12310','address':'10.0.123.10/24',"
                    "'address6':'2001:db8:42:123::10/64'}]}\n");

        assert_int_equal(ROSTER("list", "124"), EXIT_NO);
        assert_output("coursenetctl roster import 124 FILE");
}

/* Many at once, each with a name of its own: the lock is what keeps them all. */
static void test_imports_at_once(void **state) {
        _cleanup_free_ char *text = NULL;
        pid_t pids[N_AT_ONCE];

        (void)state;
        assert_int_equal(mkdir(etc_path("roster.d"), 0755), 0);
        for (unsigned i = 0; i < N_AT_ONCE; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        const struct paths paths = {.etc = etc, .activator_socket = socket_path};
                        char name[16], *argv[] = {(char *)"roster", (char *)"add", (char *)"123", name, NULL};

                        (void)snprintf(name, sizeof(name), "s%u", i);
                        (void)!freopen("/dev/null", "w", stdout);
                        (void)!freopen("/dev/null", "w", stderr);
                        _exit(roster_command(&paths, 4, argv));
                }
        }
        for (unsigned i = 0; i < N_AT_ONCE; i++) {
                int status;

                assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                assert_int_equal(status, 0);
        }

        text = read_whole("roster.d/123");
        for (unsigned i = 0; i < N_AT_ONCE; i++) {
                char name[16], seat[16];

                (void)snprintf(name, sizeof(name), "s%u ", i);
                (void)snprintf(seat, sizeof(seat), " %u\n", 10 + i);
                assert_non_null(strstr(text, name));
                assert_non_null(strstr(text, seat));
        }
}

static bool takes_request(int client, enum request_type type) {
        struct request request;

        return recv(client, &request, sizeof(request), 0) == (ssize_t)sizeof(request) &&
               request_check(&request, sizeof(request)) == 0 && request.type == type;
}

static bool sends_reply(int client, const struct reply *reply) {
        return send(client, reply, sizeof(*reply), 0) == (ssize_t)sizeof(*reply);
}

static int listen_as_activator(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void)snprintf(socket_path, sizeof(socket_path), "%s", etc_path("activator.sock"));
        assert_int_equal(string_copy(address.sun_path, sizeof(address.sun_path), socket_path), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 2), 0);
        return fd;
}

/* A stand-in for the activator: takes requests, which must be of that type, and answers with the reply. It
 * hangs up on the first n_lost of them. */
static pid_t start_activator_that_loses(unsigned n_lost, enum request_type type, const struct reply *reply) {
        int fd = listen_as_activator();
        pid_t pid = fork();

        if (pid == 0) {
                bool good = true;
                int client = -1;

                /* Nobody may ask again. */
                (void)alarm(20);
                for (unsigned i = 0; i <= n_lost && good; i++) {
                        (void)close(client);
                        client = accept(fd, NULL, NULL);
                        good = takes_request(client, type);
                }
                _exit(good && sends_reply(client, reply) ? 0 : 1);
        }
        (void)close(fd);
        return pid;
}

/* Takes two requests, and answers the first one when the answer to the second one has been read. */
static pid_t start_activator_that_answers_backwards(enum request_type type, const struct reply *reply) {
        int fd = listen_as_activator();
        pid_t pid = fork();

        if (pid == 0) {
                int clients[2];
                bool good = true;
                char byte;

                (void)alarm(20);
                for (unsigned i = 0; i < 2; i++) {
                        clients[i] = accept(fd, NULL, NULL);
                        good = good && takes_request(clients[i], type);
                }
                good = good && sends_reply(clients[1], reply) && recv(clients[1], &byte, 1, 0) == 0;
                _exit(good && sends_reply(clients[0], reply) ? 0 : 1);
        }
        (void)close(fd);
        return pid;
}

static pid_t start_activator(enum request_type type, const struct reply *reply) {
        return start_activator_that_loses(0, type, reply);
}

static void test_reload(void **state) {
        struct reply reply;
        int status;
        pid_t pid;

        (void)state;
        reply_init(&reply, REPLY_DONE);
        pid = start_activator(REQUEST_RELOAD, &reply);
        assert_int_equal(ROSTER("add", "123", "amy"), EXIT_DONE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_null(strstr(output, "warning"));
        assert_int_equal(unlink(socket_path), 0);

        /* The roster is written whatever the activator says; but the administrator must hear of it. */
        reply_init(&reply, REPLY_FAILED);
        protocol_copy_text(reply.text, sizeof(reply.text), "the moon is in the way");
        pid = start_activator(REQUEST_RELOAD, &reply);
        assert_int_equal(ROSTER("add", "123", "bob"), EXIT_DONE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_output("the activator reports: the moon is in the way");
}

static int start_as_nobody(const struct paths *paths, int argc, char **argv) {
        int r = seteuid(65534) < 0 ? -1 : start_command(paths, argc, argv);

        return seteuid(0) < 0 ? -1 : r;
}

static int stop_as_nobody(const struct paths *paths, int argc, char **argv) {
        int r = seteuid(65534) < 0 ? -1 : stop_command(paths, argc, argv);

        return seteuid(0) < 0 ? -1 : r;
}

/* Users other than root get this message, and not that a daemon is down. */
static void test_hold_is_for_root(void **state) {
        struct reply reply;
        pid_t pid;

        (void)state;
        reply_init(&reply, REPLY_DONE);
        pid = start_activator(REQUEST_STOP, &reply);
        assert_int_equal(chmod(socket_path, 0600), 0);
        write_file("roster.d/123", "amy 10\n");
        assert_int_equal(chmod(etc_path("roster.d"), 0700), 0);

        assert_int_equal(run(start_as_nobody, WORDS("start", "cs123-amy")), EXIT_NO);
        assert_output("You have no right to ask the activator for this");
        assert_output("Permission denied). Run the command as root.");
        assert_null(strstr(output, "cannot be reached"));

        assert_int_equal(run(stop_as_nobody, WORDS("stop", "cs123-amy")), EXIT_NO);
        assert_output("You have no right to ask the activator for this");
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);

        assert_int_equal(unlink(socket_path), 0);
        assert_int_equal(run(stop_command, WORDS("stop", "cs123-amy")), EXIT_UNREACHABLE);
        assert_output("cannot be reached");
}

static void test_stop_counts_leases(void **state) {
        static const struct {
                const char *number, *words;
        } rows[] = {
                {"0", "0 leases ended.\n"},
                {"1", "1 lease ended.\n"},
                {"2", "2 leases ended.\n"},
        };
        struct reply reply;

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                pid_t pid;

                reply_init(&reply, REPLY_DONE);
                protocol_copy_text(reply.text, sizeof(reply.text), rows[i].number);
                pid = start_activator(REQUEST_STOP, &reply);
                assert_int_equal(run(stop_command, WORDS("stop", "123")), EXIT_DONE);
                assert_int_equal(waitpid(pid, NULL, 0), pid);
                assert_output(rows[i].words);
                assert_int_equal(unlink(socket_path), 0);
        }
}

static void test_release_counts_holds(void **state) {
        struct reply reply;
        pid_t pid;

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        reply_init(&reply, REPLY_DONE);
        protocol_copy_text(reply.text, sizeof(reply.text), "1");
        pid = start_activator(REQUEST_RELEASE, &reply);
        assert_int_equal(run(release_command, WORDS("release", "12310")), EXIT_DONE);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_output("1 hold released.\n");
        assert_int_equal(unlink(socket_path), 0);
}

static int as_staff(const struct paths *paths, int argc, char **argv) {
        static char courses[][COURSE_SIZE] = {"123"};
        const struct scope scope = {.courses = courses, .n_courses = 1, .user = "prof"};
        struct paths scoped = *paths;

        scoped.scope = &scope;
        if (string_equal(argv[0], "start"))
                return start_command(&scoped, argc, argv);
        return (string_equal(argv[0], "stop") ? stop_command : release_command)(&scoped, argc, argv);
}

/* No activator is there to be asked. */
static void test_staff_change_their_own_course_only(void **state) {
        static const char *const others[] = {
                "124", "12410", "cs124-ann", "cs124-nobody", "12", "1", "", "root", "cs1234-amy"};

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("roster.d/124", "ann 10\n");
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                assert_int_equal(run(as_staff, WORDS("start", (char *)(uintptr_t)others[i])), EXIT_NO);
                assert_output("a course of which you are staff");
                assert_int_equal(run(as_staff, WORDS("stop", (char *)(uintptr_t)others[i])), EXIT_NO);
                assert_output("a course of which you are staff");
                assert_int_equal(run(as_staff, WORDS("release", (char *)(uintptr_t)others[i])), EXIT_NO);
                assert_output("a course of which you are staff");
        }
        /* A student who is not on the roster any more may have a lease. */
        for (size_t i = 0; i < 3; i++) {
                char *const own[] = {(char[]){"123"}, (char[]){"12399"}, (char[]){"cs123-former"}};

                assert_int_equal(run(as_staff, WORDS("stop", own[i])), EXIT_UNREACHABLE);
                assert_int_equal(run(as_staff, WORDS("release", own[i])), EXIT_UNREACHABLE);
        }
        assert_int_equal(run(as_staff, WORDS("start", "cs123-amy")), EXIT_UNREACHABLE);
}

/* A hold that an activator took, and did not answer because it was restarted, would stay without a word. */
static void test_start_and_stop_ask_a_restarted_activator_again(void **state) {
        struct reply reply;
        int status;
        pid_t pid;

        (void)state;
        write_file("roster.d/123", "amy 10\n");
        reply_init(&reply, REPLY_DONE);
        pid = start_activator_that_loses(2, REQUEST_HOLD, &reply);
        assert_int_equal(run(start_command, WORDS("start", "cs123-amy")), EXIT_DONE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_output("1 of 1 seat is up and held.\n");
        assert_int_equal(unlink(socket_path), 0);

        protocol_copy_text(reply.text, sizeof(reply.text), "2");
        pid = start_activator_that_loses(1, REQUEST_STOP, &reply);
        assert_int_equal(run(stop_command, WORDS("stop", "123")), EXIT_DONE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_output("2 leases ended.\n");
        assert_int_equal(unlink(socket_path), 0);
}

static void test_start_prints_seats_in_their_order(void **state) {
        struct reply reply;
        int status;
        pid_t pid;

        (void)state;
        write_file("roster.d/123", "amy 10\nbob 11\n");
        reply_init(&reply, REPLY_DONE);
        pid = start_activator_that_answers_backwards(REQUEST_HOLD, &reply);
        assert_int_equal(run(start_command, WORDS("start", "--json", "123")), EXIT_DONE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_json("{'version':1,'seats':[{'seat':'12310','user':'cs123-amy','held':true,'reason':null},"
                    "{'seat':'12311','user':'cs123-bob','held':true,'reason':null}]}\n");
        assert_int_equal(unlink(socket_path), 0);
}

static void test_seat(void **state) {
        static const struct {
                const char *user, *words;
        } rows[] = {
                {"root", "not a course user: course users are named cs{course}-{student}"},
                {"cs123-nobody", "coursenetctl roster add 123 nobody"},
                {"cs123-bob", "was removed from the roster of course 123. Give seat number 11 back"},
                {"cs124-amy", "Course 124 has no roster"},
                {"12410", "Course 124 has no roster"},
                {"12312", "Nobody on the roster of course 123 has seat 12312"},
                {"12311", "Nobody on the roster of course 123 has seat 12311"},
                {"cs12-amy", "exactly 3 digits"},
        };

        (void)state;
        write_file("coursenet.conf", "[site]\nnetwork6 = 2001:db8:42::/48\n");
        write_file("roster.d/123", "amy 10\n#removed bob 11\n");
        assert_int_equal(SEAT("cs123-amy"), EXIT_DONE);
        assert_output("vr-12310");
        assert_null(strstr(output, "container"));
        assert_null(strstr(output, "cont@"));
        assert_int_equal(SEAT("cs123-amy", "--json"), EXIT_DONE);
        assert_json(
                "{'version':1,'user':'cs123-amy','course':'123','seat':'12310',"
                "'address':'10.0.123.10/24','gateway':'10.0.123.1/24',"
                "'address6':'2001:db8:42:123::10/64','gateway6':'2001:db8:42:123::1/64','bridge':'br-123',"
                "'namespace':'/run/netns/ns12310','link':'vl-12310','peer':'vr-12310',"
                "'instance':null,'units':['netns@12310.service','nsbr@12310.service',"
                "'netbr@123.service'],'live_on':null,'live_since':null}\n");

        /* The seat's id does as well, and says whose it is. */
        assert_int_equal(SEAT("12310"), EXIT_DONE);
        assert_output("cs123-amy");

        write_file("coursenet.conf", "[course 123]\nimage = /srv/cs123.sif\nunits = cont vnc\n");
        assert_int_equal(SEAT("12310"), EXIT_DONE);
        assert_output("inst-12310");
        assert_int_equal(SEAT("12310", "--json"), EXIT_DONE);
        assert_output("\"instance\":\"inst-12310\",\"units\":[\"netns@12310.service\",\"nsbr@12310.service\","
                      "\"cont@12310.service\",\"vnc@12310.service\",\"netbr@123.service\"]");
        assert_int_equal(unlink(etc_path("coursenet.conf")), 0);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(SEAT(rows[i].user), EXIT_NO);
                assert_output(rows[i].words);
        }
}

/* A mistake in a roster is somebody's line. */
static void test_mistakes_tell_nobody_of_others(void **state) {
        char courses[1][COURSE_SIZE] = {"123"};
        const struct scope student = {.user = "cs123-amy", .courses = courses},
                           staff = {.user = "mail", .courses = courses, .n_courses = 1};

        (void)state;
        write_file("roster.d/123", "amy 10\nbob 10\n");
        write_file("roster.d/124", "carl 10\ncarl 11\n");
        write_file("netns/bridge-123.conf", "BR_IP=x\n");
        seen = &student;
        assert_int_equal(SEAT("cs123-amy"), EXIT_NO);
        assert_output("mistakes");
        assert_null(strstr(output, "roster.d"));
        assert_int_equal(unlink(etc_path("roster.d/123")), 0);
        seen = &staff;
        assert_int_equal(ROSTER("list", "123"), EXIT_NO);
        assert_output("no usable roster");
        assert_null(strstr(output, "carl"));
        seen = NULL;
        assert_int_equal(ROSTER("list", "123"), EXIT_NO);
        assert_output("carl");
}

static void test_check_staff(void **state) {
        (void)state;
        write_file("coursenet.conf",
                "[site]\nstaff = root, no-such-account\n[course 123]\nstaff = @root, @no-such-group\n");
        assert_int_equal(run(check_command, WORDS("check")), EXIT_DONE);
        assert_output("staff in [site] names 'no-such-account', but this host has no such user\n");
        assert_output("staff in [course 123] names '@no-such-group', but this host has no such group\n");
        assert_null(strstr(output, "'root'"));
        assert_null(strstr(output, "'@root'"));
        assert_int_equal(unlink(etc_path("coursenet.conf")), 0);
}

static void test_check(void **state) {
        (void)state;
        write_file("roster.d/123", "root 10\n");
        assert_int_equal(run(check_command, WORDS("check")), EXIT_DONE);
        assert_output("1 of 1 student has no Unix account on this host: cs123-root");
        write_file("roster.d/123", "root 10\nno-such-account 11\n");
        write_file("pam.d/sshd", "session required pam_coursenet.so\n");
        write_file("netns/ns12311.conf", "MTU=1400\n");
        write_file("netns/ns12312.conf", "MTU=1400\n");
        assert_int_equal(run(check_command, WORDS("check")), EXIT_DONE);
        assert_output("2 of 2 students have no Unix account on this host: cs123-root, cs123-no-such-account");
        assert_output("'ns12312.conf' is used by no course or seat");
        assert_output("systemctl enable --now coursenet-activator.socket");
        assert_output("systemctl enable --now coursenet-query.socket");
        assert_output("0 errors, 5 warnings\n");

        write_file("roster.d/123", "root 10\n\nbob ten\n");
        write_file("pam.d/sshd", "session required pam_coursenet.so rule=x\n");
        assert_int_equal(chmod(etc_path("netns"), 0777), 0);
        assert_int_equal(run(check_command, WORDS("check")), EXIT_NO);
        assert_output("roster.d/123:3: seat 'ten'");
        assert_output("pam.d/sshd:1: ");
        assert_output("netns: group and others may not write to it: chmod go-w ");
        assert_output("3 errors, ");

        /* With broken settings the rest is still looked at. */
        write_file("coursenet.conf", "bogus\n");
        write_file("pam.d/sshd", "session optional pam_systemd.so\nsession required pam_coursenet.so\n");
        assert_int_equal(run(check_command, WORDS("check")), EXIT_NO);
        assert_output("coursenet.conf:1: expected 'NAME = VALUE'");
        assert_output("sshd:2: warning: ");
}

/* Each part is in the output behind the one before. */
static void assert_in_order(const char *const parts[], size_t n) {
        const char *rest = output;

        for (size_t i = 0; i < n; i++) {
                const char *found = strstr(rest, parts[i]);

                if (!found)
                        fail_msg("'%s' is not in its place in:\n%s", parts[i], output);
                rest = found + strlen(parts[i]);
        }
}

static void test_setup(void **state) {
        static const char *const commands[] = {"Left to do, in this order:\n",
                "\n    systemctl enable --now coursenet-activator.socket\n", "\n    setcap cap_sys_admin=p ",
                "\n    useradd --create-home --shell /bin/bash cs123-no-such\n", "more finding",
                "\n    coursenetctl check\n", "\n    pam-auth-update --enable coursenet\n"};

        (void)state;
        write_file("coursenet-enter", "");
        write_file("pam.d/sshd", "session optional pam_systemd.so\n");
        enter = etc_path("coursenet-enter");
        assert_int_equal(run(setup_command, WORDS("setup")), EXIT_NO);
        assert_output("\n    coursenetctl roster import COURSE FILE\n");
        write_file("roster.d/123", "no-such 10\n");
        write_file("netns/ns12312.conf", "MTU=1400\n");
        assert_int_equal(run(setup_command, WORDS("setup")), EXIT_NO);
        assert_in_order(commands, ELEMENTSOF(commands));
        assert_null(strstr(output, "roster import"));
        write_file("roster.d/123", "no-such 10\nno-such2 11\n");
        assert_int_equal(run(setup_command, WORDS("setup")), EXIT_NO);
        assert_output(
                "\n    for user in $(coursenetctl roster list --no-legend 123 | awk '{ print $4 }'); do id "
                "\"$user\" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash \"$user\"; done\n# ");
        assert_int_equal(run(setup_command, WORDS("setup", "x")), EXIT_USAGE);
        enter = NULL;
}

static void test_status_without_activator(void **state) {
        (void)state;
        assert_int_equal(run(status_command, WORDS("status", "--json")), EXIT_UNREACHABLE);
        assert_output("systemctl status coursenet-activator.socket");
        write_file("coursenet.conf", "bogus\n");
        assert_int_equal(run(status_command, WORDS("status")), EXIT_NO);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_usage),
                TEST(test_first_import),
                TEST(test_an_open_folder_is_told_of_and_closed),
                TEST(test_weekly_import),
                TEST(test_import_is_all_or_nothing),
                TEST(test_lists_that_cannot_be_read),
                TEST(test_dry_run),
                TEST(test_skip),
                TEST(test_column),
                TEST(test_import_from_stdin),
                TEST(test_refusals),
                TEST(test_mistakes_elsewhere),
                TEST(test_import_with_the_words_exchanged),
                TEST(test_list_without_a_roster),
                TEST(test_full_course),
                TEST(test_add_and_remove),
                TEST(test_left_over_file),
                TEST(test_a_linked_roster_is_refused),
                TEST(test_list),
                TEST(test_imports_at_once),
                TEST(test_reload),
                TEST(test_hold_is_for_root),
                TEST(test_stop_counts_leases),
                TEST(test_release_counts_holds),
                TEST(test_staff_change_their_own_course_only),
                TEST(test_start_and_stop_ask_a_restarted_activator_again),
                TEST(test_start_prints_seats_in_their_order),
                TEST(test_seat),
                TEST(test_mistakes_tell_nobody_of_others),
                TEST(test_check),
                TEST(test_setup),
                TEST(test_check_staff),
                TEST(test_status_without_activator),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
