/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each allocation of a command of coursenetctl fails once, alone and with all behind it. A command that exits
 * as it does with enough memory has also printed the same and left the same roster. Otherwise it fails, says
 * why, and leaves the roster as it was or as it should be, never half of it.
 */

#include "fixture.h"

#include "ctl/command-table.h"
#include "tests/failing-memory.h"

struct json_object;

#define ROSTER_BEFORE "# spring\namy 10 # front row\n#removed bob 11\ncarl 12\n"
#define OUTPUT_SIZE 32768

/* Of json-c, which the linker sends here, too. */
ALLOCATES(struct json_object *, json_object_new_object, void) {
        return allocation_fails() ? NULL : __real_json_object_new_object();
}

ALLOCATES(struct json_object *, json_object_new_array, void) {
        return allocation_fails() ? NULL : __real_json_object_new_array();
}

ALLOCATES(struct json_object *, json_object_new_string, const char *text) {
        return allocation_fails() ? NULL : __real_json_object_new_string(text);
}

ALLOCATES(struct json_object *, json_object_new_int64, int64_t number) {
        return allocation_fails() ? NULL : __real_json_object_new_int64(number);
}

ALLOCATES(struct json_object *, json_object_new_boolean, int truth) {
        return allocation_fails() ? NULL : __real_json_object_new_boolean(truth);
}

struct run {
        const char *const *words;
        int status;
        char printed[OUTPUT_SIZE], said[OUTPUT_SIZE]; /* on standard output and on standard error */
        char roster[1024];
};

static const char settings[] = "[site]\nnetwork6 = 2001:db8:42::/48\nstaff = root\n"
                               "[course 123]\nschedule = Mon,Wed 09:00-10:30\nbind = /srv/data:/data:ro\n"
                               "memory-max = 1G\nhost-ports = 80/tcp\nexam = 2099-12-01 14:00-16:00\n"
                               "exam-allow = 192.0.2.1:443/tcp\n"
                               "[course 377]\nstaff = root\n";

static void write_site(void) {
        write_file("coursenet.conf", settings);
        write_file("roster.d/123", ROSTER_BEFORE);
        write_file("roster.d/377", "zed 10\n");
        write_file("netns/ns12310.conf", "VR_IP=10.0.123.77\n");
        write_file("list", "name,login\n\"Z, Zoe\",zoe\nBob,bob\nAmy,amy\n");
        write_file("pam.d/sshd", "@include common-session\nsession required pam_coursenet.so\n");
        write_file("pam.d/common-session", "session optional pam_systemd.so\n");
        write_file("state/exam/123",
                "[exam]\nsince = 1000\nallow = 192.0.2.1:443/tcp\nallow-name = a.example\n");
}

static int redirect(int stream, const char *name) {
        int saved = dup(stream), fd = open(etc_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(saved >= 0 && fd >= 0);
        assert_true(dup2(fd, stream) >= 0);
        (void)close(fd);
        return saved;
}

static void take_back(int stream, int saved, char *ret, size_t size) {
        ssize_t n = pread(stream, ret, size - 1, 0);

        assert_true(n >= 0);
        ret[n] = '\0';
        assert_true(dup2(saved, stream) >= 0);
        (void)close(saved);
}

/* The exit code of the command, which main() returns. */
static int run_command(void *userdata) {
        const struct run *run = userdata;
        const struct paths paths = {.etc = etc,
                .pam = etc_path("pam.d"),
                .activator_socket = "/run/no.sock",
                .query_socket = "/run/no.sock",
                .hosts_socket = "/run/no.sock",
                .net = "/bin/true",
                .host = "/bin/true",
                .dnsmasq = "/bin/true",
                .proc = "/proc",
                .state = etc_path("state"),
                .calendar = "/bin/true"};
        char *argv[9] = {NULL};
        int argc = 0;

        for (; run->words[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)run->words[argc];
        return command_table_find(argv[0])->run(&paths, argc, argv);
}

static void run_once(struct run *run, bool fails, unsigned n, bool stays, bool *ret_failed) {
        _cleanup_free_ char *roster = NULL;
        int saved[2];

        write_site();
        (void)fflush(stdout);
        saved[0] = redirect(STDOUT_FILENO, "printed");
        saved[1] = redirect(STDERR_FILENO, "said");
        if (fails)
                *ret_failed = fail_at_allocation(n, stays, run_command, run, &run->status);
        else
                run->status = run_command(run);
        (void)fflush(stdout);
        take_back(STDOUT_FILENO, saved[0], run->printed, sizeof(run->printed));
        take_back(STDERR_FILENO, saved[1], run->said, sizeof(run->said));
        roster = read_whole("roster.d/123");
        assert_int_equal(string_copy(run->roster, sizeof(run->roster), roster), 0);
}

/* Who gets less than with enough memory is told so. */
static void assert_whole(const struct run *run, const struct run *expected, unsigned n, bool stays) {
        const char *more = stays ? " and all behind it" : "";

        if (run->status == expected->status && string_equal(run->printed, expected->printed))
                return;
        /* check prints what it finds, and that is its answer. */
        if (strstr(run->printed, "out of memory") || strstr(run->printed, "Cannot allocate memory"))
                return;
        if (run->said[0] == '\0' || string_equal(run->said, expected->said))
                fail_msg("allocation %u%s: exit code %d, but this output:\n%s%sinstead of\n%s", n, more,
                        run->status, run->printed, run->said, expected->printed);
}

static void assert_whole_roster(const struct run *run, const struct run *expected, unsigned n) {
        if (string_equal(run->roster, expected->roster))
                return;
        if (run->status == expected->status || !string_equal(run->roster, ROSTER_BEFORE))
                fail_msg("allocation %u: exit code %d, and the roster is\n%s", n, run->status, run->roster);
}

static void fail_each(const char *const *words, int status) {
        static struct run expected, run;
        bool failed = true;

        expected.words = run.words = words;
        run_once(&expected, false, 0, false, NULL);
        if (expected.status != status)
                fail_msg(
                        "%s: exit code %d\n%s%s", words[0], expected.status, expected.printed, expected.said);
        for (int stays = 0; stays <= 1; stays++, failed = true)
                for (unsigned n = 0; failed; n++) {
                        run_once(&run, true, n, stays, &failed);
                        assert_whole(&run, &expected, n, stays);
                        assert_whole_roster(&run, &expected, n);
                }
}

#define FAIL_EACH(status, ...) fail_each((const char *const[]){__VA_ARGS__, NULL}, status)

static void the_seat_of_a_user(void **state) {
        (void)state;
        FAIL_EACH(EXIT_DONE, "seat", "cs123-carl");
        FAIL_EACH(EXIT_DONE, "seat", "--json", "cs123-carl");
        FAIL_EACH(EXIT_NO, "seat", "cs123-bob");
        FAIL_EACH(EXIT_NO, "seat", "--json", "alice");
}

static void lists_of_rosters(void **state) {
        (void)state;
        FAIL_EACH(EXIT_DONE, "roster", "list");
        FAIL_EACH(EXIT_DONE, "roster", "list", "123");
        FAIL_EACH(EXIT_DONE, "roster", "list", "--json", "123");
}

static void changes_of_a_roster(void **state) {
        char list[128];

        (void)state;
        (void)snprintf(list, sizeof(list), "%s", etc_path("list"));
        FAIL_EACH(EXIT_DONE, "roster", "add", "123", "dora");
        FAIL_EACH(EXIT_DONE, "roster", "remove", "123", "amy");
        FAIL_EACH(EXIT_DONE, "roster", "import", "123", list);
        FAIL_EACH(EXIT_DONE, "roster", "import", "--dry-run", "--json", "123", list);
}

static void the_exams(void **state) {
        (void)state;
        FAIL_EACH(EXIT_DONE, "exam", "list");
        FAIL_EACH(EXIT_DONE, "exam", "list", "--json");
}

static void the_schedule(void **state) {
        (void)state;
        FAIL_EACH(EXIT_DONE, "schedule");
        FAIL_EACH(EXIT_DONE, "schedule", "--json", "123");
}

static void what_check_finds(void **state) {
        (void)state;
        FAIL_EACH(EXIT_DONE, "check");
        FAIL_EACH(EXIT_DONE, "check", "--json");
}

static int setup(void **state) {
        if (make_etc(state) < 0)
                return -1;
        return mkdir(etc_path("state"), 0700);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_seat_of_a_user),
                TEST(lists_of_rosters),
                TEST(changes_of_a_roster),
                TEST(the_exams),
                TEST(the_schedule),
                TEST(what_check_finds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
