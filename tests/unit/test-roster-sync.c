/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl roster sync`: what the members of a group change of a roster. getgrnam() is a fake, which
 * stands for a directory that answers, lies, fails or hangs, and a child process stands for coursenet-hosts.
 */

#include "fixture.h"

#include <grp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "activator-client.h"
#include "ctl/roster/group-members.h"
#include "ctl/roster/roster-command.h"
#include "hosts-protocol.h"

/* --- the directory --------------------------------------------------------------------------- */

#define MEMBERS_MAX 20001

static struct {
        const char *group;
        const char *members[MEMBERS_MAX];
} directory[2];
static int directory_error; /* errno of every look-up */
static bool directory_hangs;

#define DIRECTORY(i, name, ...)                                                                              \
        directory[i].group = (name), set_members(i, (const char *[]){__VA_ARGS__, NULL})

static void set_members(size_t i, const char *const *members) {
        size_t n = 0;

        for (; members[n]; n++)
                directory[i].members[n] = members[n];
        directory[i].members[n] = NULL;
}

/* Instead of libc's. */
struct group *getgrnam(const char *name) {
        static struct group group;

        while (directory_hangs)
                (void)pause();
        errno = directory_error;
        for (size_t i = 0; errno == 0 && i < ELEMENTSOF(directory); i++)
                if (directory[i].group && string_equal(directory[i].group, name)) {
                        group.gr_mem = (char **)(uintptr_t)directory[i].members;
                        return &group;
                }
        return NULL;
}

/* --- coursenet-hosts ------------------------------------------------------------------------- */

static char socket_path[108];
static pid_t hosts;

/* The store: it is a file, so that it outlives the child. One line for each user. */
static unsigned find_number(const char *user, unsigned number) {
        char text[4096] = "", line[USER_NAME_SIZE + 32], *found;
        int fd = open(etc_path("store"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        (void)!read(fd, text, sizeof(text) - 1);
        (void)snprintf(line, sizeof(line), "\n%s ", user);
        found = strstr(text, line);
        if (found)
                number = (unsigned)strtoul(found + strlen(line), NULL, 10);
        else {
                do
                        (void)snprintf(line, sizeof(line), " %u\n", number++);
                while (strstr(text, line));
                number--;
                (void)dprintf(fd, "\n%s %u\n", user, number);
        }
        (void)close(fd);
        return number;
}

static void serve(int listening, bool refuses) {
        struct hosts_request request;
        struct hosts_reply reply;

        for (int fd; (fd = accept(listening, NULL, NULL)) >= 0; (void)close(fd))
                while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
                        hosts_reply_init(&reply, refuses ? HOSTS_REFUSED : HOSTS_DONE, request.id);
                        if (refuses) {
                                reply.reason = HOSTS_NO_STORE;
                                protocol_copy_text(reply.text, sizeof(reply.text), "the store is away");
                        } else
                                reply.number = find_number(request.user, request.number);
                        if (hosts_request_check(&request, sizeof(request)) < 0 ||
                                send(fd, &reply, sizeof(reply), 0) < 0)
                                _exit(1);
                }
        _exit(0);
}

static void start_hosts(bool refuses) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void)strcpy(address.sun_path, socket_path);
        assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_return_code(listen(fd, 4), errno);
        hosts = fork();
        if (hosts == 0)
                serve(fd, refuses);
        (void)close(fd);
}

static void stop_hosts(void) {
        if (hosts <= 0)
                return;
        (void)kill(hosts, SIGKILL);
        (void)waitpid(hosts, NULL, 0);
        (void)unlink(socket_path);
        hosts = 0;
}

/* --- the command ----------------------------------------------------------------------------- */

static char output[16384]; /* of the last command, both streams */

/* The exit code of `coursenetctl roster` with these words. */
static int run(const char *const words[]) {
        const struct paths paths = {.etc = etc,
                .activator_socket = etc_path("no.sock"),
                .query_socket = etc_path("no.sock"),
                .proc = "/proc",
                .hosts_socket = socket_path};
        int saved[2] = {dup(1), dup(2)}, fd, argc = 0, r;
        char *argv[9] = {NULL};

        for (; words[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)words[argc];
        (void)fflush(stdout);
        fd = open(etc_path("output"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0);
        r = roster_command(&paths, argc, argv);
        (void)fflush(stdout);
        assert_true(dup2(saved[0], 1) >= 0 && dup2(saved[1], 2) >= 0);
        memset(output, 0, sizeof(output));
        assert_true(pread(fd, output, sizeof(output) - 1, 0) >= 0);
        (void)close(fd);
        (void)close(saved[0]);
        (void)close(saved[1]);
        return r;
}

#define ROSTER(...) run((const char *const[]){"roster", __VA_ARGS__, NULL})
#define SYNCED(...) assert_int_equal(ROSTER("sync", __VA_ARGS__), EXIT_SUCCESS)
#define REFUSED(...) assert_int_equal(ROSTER("sync", __VA_ARGS__), EXIT_FAILURE)

static void assert_output(const char *words) {
        if (!strstr(output, words))
                fail_msg("'%s' is not in the output:\n%s", words, output);
}

static void assert_roster(const char *course, const char *expected) {
        char path[32];
        _cleanup_free_ char *text = NULL;

        (void)snprintf(path, sizeof(path), "roster.d/%s", course);
        text = read_whole(path);
        assert_string_equal(text, expected);
}

#define SETTINGS "[course 123]\nroster-group = cs123\n"

static int setup(void **state) {
        int r = make_etc(state);

        (void)snprintf(socket_path, sizeof(socket_path), "%s/hosts.sock", etc);
        memset(directory, 0, sizeof(directory));
        directory_error = 0;
        directory_hangs = false;
        write_file("coursenet.conf", SETTINGS);
        return r;
}

static int teardown(void **state) {
        stop_hosts();
        return remove_etc(state);
}

/* --- members become students ----------------------------------------------------------------- */

static void members_get_seats_by_name(void **state) {
        (void)state;
        DIRECTORY(0, "cs123", "cs123-zoe", "cs123-ada", "cs123-bob");
        SYNCED("123");
        assert_output("Course 123: 3 seated.");
        assert_roster("123", "ada 10\nbob 11\nzoe 12\n");
}

static void numbers_stay(void **state) {
        (void)state;
        write_file("roster.d/123", "# of last year\nzoe 40\n");
        DIRECTORY(0, "cs123", "cs123-abe", "cs123-zoe");
        SYNCED("123");
        assert_output("Course 123: 1 seated, 1 kept.");
        assert_roster("123", "# of last year\nzoe 40\nabe 10\n");
        SYNCED("123");
        assert_output("Course 123: 0 seated, 2 kept.");
        assert_roster("123", "# of last year\nzoe 40\nabe 10\n");
}

static void one_who_leaves_keeps_the_number(void **state) {
        (void)state;
        write_file("roster.d/123", "ada 10\nbob 11\nzoe 12\n");
        DIRECTORY(0, "cs123", "cs123-carl", "cs123-zoe", "cs123-ada");
        SYNCED("123");
        assert_output("Course 123: 1 seated, 1 removed, 2 kept.");
        assert_roster("123", "ada 10\n#removed bob 11\nzoe 12\ncarl 13\n");
        DIRECTORY(0, "cs123", "cs123-carl", "cs123-zoe", "cs123-ada", "cs123-bob");
        SYNCED("123");
        assert_roster("123", "ada 10\nbob 11\nzoe 12\ncarl 13\n");
}

static void several_groups_are_one_roster(void **state) {
        (void)state;
        write_file("coursenet.conf", "[course 123]\nroster-group = cs123, cs123-guests\n");
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-bob");
        DIRECTORY(1, "cs123-guests", "cs123-bob", "cs123-eve");
        SYNCED("123");
        assert_roster("123", "ada 10\nbob 11\neve 12\n");
}

static void only_user_names_of_the_course_count(void **state) {
        (void)state;
        DIRECTORY(0, "cs123", "prof", "cs124-ada", "cs123-bob", "cs123-m$");
        SYNCED("123");
        assert_roster("123", "bob 10\n");
        assert_output("3 members of the groups of roster-group have no user name of course 123 (name-rule = "
                      "cs{course}-{student}), and no seat: prof, cs124-ada, cs123-m$");
}

static void full_names_count_where_the_rule_has_a_domain(void **state) {
        (void)state;
        write_file("coursenet.conf",
                "[site]\nname-rule = cs{course}-{student}@ad.example.edu\n" SETTINGS "\n[course 124]\n"
                "roster-group = cs124@ad.example.edu\n");
        DIRECTORY(0, "cs123", "cs123-ada@ad.example.edu", "cs123-bob@other.example.edu");
        DIRECTORY(1, "cs124@ad.example.edu", "cs124-ada@ad.example.edu");
        assert_int_equal(ROSTER("sync"), EXIT_SUCCESS);
        assert_roster("123", "ada 10\n");
        assert_roster("124", "ada 10\n");
        assert_output("no seat: cs123-bob@other.example.edu");
}

static void capitals_make_no_second_student(void **state) {
        (void)state;
        write_file("roster.d/123", "ada 10\n");
        DIRECTORY(0, "cs123", "cs123-Ada", "cs123-Bob", "cs123-bob");
        SYNCED("123");
        assert_roster("123", "ada 10\nBob 11\n");
        assert_output("differ from another student's in capitals only, and are taken for the same: Ada, bob");
}

static void a_full_course_changes_nothing(void **state) {
        (void)state;
        write_file("coursenet.conf", SETTINGS "subnet = 192.0.2.0/28\n");
        write_file("roster.d/123", "ada 10\nbob 11\n");
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-bob", "cs123-c", "cs123-d", "cs123-e", "cs123-f");
        REFUSED("123");
        assert_output("no seat is left for f");
        assert_roster("123", "ada 10\nbob 11\n");
}

/* --- the directory errs ---------------------------------------------------------------------- */

#define FOUR "ada 10\nbob 11\ncarl 12\ndora 13\n"

static void a_failed_lookup_changes_nothing(void **state) {
        (void)state;
        write_file("roster.d/123", FOUR);
        REFUSED("123");
        assert_output("there is no group 'cs123', or the user database cannot be reached");
        REFUSED("--force", "123");
        directory_error = EIO;
        REFUSED("--force", "123");
        assert_output("group 'cs123' cannot be looked up: Input/output error");
        assert_roster("123", FOUR);
}

static void one_unknown_group_of_two_changes_nothing(void **state) {
        (void)state;
        write_file("coursenet.conf", "[course 123]\nroster-group = cs123 guests\n");
        write_file("roster.d/123", FOUR);
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-bob", "cs123-zoe");
        REFUSED("123");
        assert_output("there is no group 'guests'");
        assert_roster("123", FOUR);
}

static void an_empty_group_needs_force(void **state) {
        (void)state;
        write_file("roster.d/123", FOUR);
        DIRECTORY(0, "cs123", NULL);
        REFUSED("123");
        assert_output("4 of the 4 students of course 123 are in none of the groups");
        assert_output("coursenetctl roster sync --force 123");
        assert_roster("123", FOUR);
        SYNCED("--force", "123");
        assert_output("Course 123: 4 removed.");
        assert_roster("123", "#removed ada 10\n#removed bob 11\n#removed carl 12\n#removed dora 13\n");
}

static void more_than_half_need_force(void **state) {
        (void)state;
        write_file("roster.d/123", FOUR);
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-new", "cs123-newer");
        REFUSED("123");
        assert_roster("123", FOUR);
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-dora");
        SYNCED("123");
        assert_roster("123", "ada 10\n#removed bob 11\n#removed carl 12\ndora 13\n");
}

static void an_empty_group_of_an_empty_roster_is_fine(void **state) {
        (void)state;
        DIRECTORY(0, "cs123", NULL);
        SYNCED("123");
        assert_output("Course 123: 0 seated.");
}

static void a_directory_that_hangs_ends_in_time(void **state) {
        _cleanup_group_members_ struct group_members members = {0};
        uint64_t before = deadline_after_ms(0);

        (void)state;
        directory_hangs = true;
        assert_int_equal(group_members_add("cs123", 100, &members), -ETIMEDOUT);
        assert_true(deadline_after_ms(0) - before >= 100000);
        assert_int_equal(members.n_names, 0);
        /* The child is gone. */
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

/* More than a pipe holds. */
static void many_members_come_through_the_pipe(void **state) {
        static char names[MEMBERS_MAX - 1][24];
        _cleanup_group_members_ struct group_members members = {0};

        (void)state;
        directory[0].group = "cs123";
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void)snprintf(names[i], sizeof(names[i]), "cs123-student%zu", i);
                directory[0].members[i] = names[i];
        }
        assert_int_equal(group_members_add("cs123", 60000, &members), 0);
        assert_int_equal(members.n_names, ELEMENTSOF(names));
        assert_string_equal(members.names[ELEMENTSOF(names) - 1], names[ELEMENTSOF(names) - 1]);
}

static void a_dry_run_writes_nothing(void **state) {
        (void)state;
        write_file("roster.d/123", FOUR);
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-bob", "cs123-carl", "cs123-zoe");
        SYNCED("--dry-run", "123");
        assert_output("Course 123: 1 would be seated, 1 would be removed, 3 kept. Nothing was written.");
        assert_roster("123", FOUR);
}

static void one_course_that_fails_does_not_stop_the_others(void **state) {
        (void)state;
        write_file(
                "coursenet.conf", SETTINGS "[course 124]\nroster-group = cs124\n[course 125]\nlinger = 1\n");
        write_file("roster.d/125", "eve 10\n");
        DIRECTORY(0, "cs124", "cs124-ada");
        assert_int_equal(ROSTER("sync"), EXIT_FAILURE);
        assert_roster("124", "ada 10\n");
        assert_roster("125", "eve 10\n");
}

static void courses_without_a_group_are_said(void **state) {
        (void)state;
        write_file("coursenet.conf", "[site]\n");
        REFUSED("123");
        assert_output("Course 123 has no roster-group");
        assert_int_equal(ROSTER("sync"), EXIT_SUCCESS);
        assert_output("No course has roster-group");
        assert_int_equal(ROSTER("sync", "--json"), EXIT_FAILURE);
        assert_output("--json needs a course");
}

static void an_edit_by_hand_warns(void **state) {
        (void)state;
        assert_int_equal(ROSTER("add", "123", "eve"), EXIT_SUCCESS);
        assert_output("removes students who are in none of them");
        write_file("coursenet.conf", "[site]\n");
        assert_int_equal(ROSTER("add", "123", "bob"), EXIT_SUCCESS);
        assert_null(strstr(output, "removes students"));
}

static void json_has_changes_and_notes(void **state) {
        (void)state;
        DIRECTORY(0, "cs123", "cs123-ada", "prof");
        SYNCED("--json", "123");
        assert_output("\"name\":\"ada\"");
        assert_output("no seat: prof");
}

/* --- several servers ------------------------------------------------------------------------- */

#define SHARED                                                                                               \
        "[hosts]\nmembers = hosta=192.0.2.1 hostb=192.0.2.2\nhost-name = hosta\nstore = "                    \
        "https://192.0.2.1:2379\nstore-ca = /a\nstore-cert = /b\nstore-key = /c\n" SETTINGS

static void a_server_that_joins_late_has_the_same_numbers(void **state) {
        (void)state;
        write_file("coursenet.conf", SHARED);
        write_file("roster.d/123", "zoe 10\n#removed bob 12\n");
        start_hosts(false);
        DIRECTORY(0, "cs123", "cs123-zoe", "cs123-ada");
        SYNCED("123");
        assert_roster("123", "zoe 10\n#removed bob 12\nada 11\n");

        /* Another server has no roster yet. */
        write_file("roster.d/123", "");
        DIRECTORY(0, "cs123", "cs123-ada", "cs123-carl", "cs123-zoe", "cs123-bob");
        SYNCED("123");
        assert_roster("123", "ada 11\nbob 12\ncarl 13\nzoe 10\n");
}

static void different_numbers_are_for_a_person_to_correct(void **state) {
        (void)state;
        write_file("coursenet.conf", SHARED);
        start_hosts(false);
        write_file("store", "\ncs123-zoe 20\n");
        write_file("roster.d/123", "zoe 10\n");
        DIRECTORY(0, "cs123", "cs123-zoe", "cs123-ada");
        REFUSED("123");
        assert_output("roster.d/123:1: zoe has seat 10 here, but seat 20 on the other servers");
        assert_roster("123", "zoe 10\n");
}

static void without_the_store_nothing_changes(void **state) {
        (void)state;
        write_file("coursenet.conf", SHARED);
        write_file("roster.d/123", "zoe 10\n");
        DIRECTORY(0, "cs123", "cs123-zoe", "cs123-ada");
        REFUSED("123");
        assert_output("coursenet-hosts, which has the seat numbers of all servers, cannot be reached");
        start_hosts(true);
        REFUSED("123");
        assert_output("cannot be shared with the other servers: the store is away");
        assert_roster("123", "zoe 10\n");
        stop_hosts();
        SYNCED("--dry-run", "123");
        assert_output("1 would be seated");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(members_get_seats_by_name),
                TEST(numbers_stay),
                TEST(one_who_leaves_keeps_the_number),
                TEST(several_groups_are_one_roster),
                TEST(only_user_names_of_the_course_count),
                TEST(full_names_count_where_the_rule_has_a_domain),
                TEST(capitals_make_no_second_student),
                TEST(a_full_course_changes_nothing),
                TEST(a_failed_lookup_changes_nothing),
                TEST(one_unknown_group_of_two_changes_nothing),
                TEST(an_empty_group_needs_force),
                TEST(more_than_half_need_force),
                TEST(an_empty_group_of_an_empty_roster_is_fine),
                TEST(a_directory_that_hangs_ends_in_time),
                TEST(many_members_come_through_the_pipe),
                TEST(a_dry_run_writes_nothing),
                TEST(one_course_that_fails_does_not_stop_the_others),
                TEST(courses_without_a_group_are_said),
                TEST(an_edit_by_hand_warns),
                TEST(json_has_changes_and_notes),
                TEST(a_server_that_joins_late_has_the_same_numbers),
                TEST(different_numbers_are_for_a_person_to_correct),
                TEST(without_the_store_nothing_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
