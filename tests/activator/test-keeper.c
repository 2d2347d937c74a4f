/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which process keeps a seat: on a folder that looks like /sys/fs/cgroup and /proc, with processes of its
 * own. */

#include "tests/unit/fixture.h"

#include <ctype.h>

#include "activator/lease/keeper.h"

#define UID 5001
#define SESSION "cgroup/user.slice/user-5001.slice/session-3.scope"
#define MANAGER "cgroup/user.slice/user-5001.slice/user@5001.service"
#define IN_SEAT "    lo:       0\nvr-12310:     350       3    0\n"
#define OUTSIDE "    lo:       0\n  eth0:       0\nxvr-12310:       0\n"

static char cgroup[80], proc[80], vendor[80];
static const char *const directories[] = {"/nonexistent", vendor, NULL};

/* logind knows the session 3 only. */
static int find_session(const char *session, uid_t *ret) {
        *ret = UID;
        return string_equal(session, "3") ? 0 : -ENXIO;
}

static const struct keeper_roots roots = {cgroup, proc, directories, find_session};

static void make_folders(const char *file) {
        char path[256];

        (void)string_copy(path, sizeof(path), etc_path(file));
        for (char *slash = strchr(path + strlen(etc) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(path, 0755) < 0)
                        assert_int_equal(errno, EEXIST);
                *slash = '/';
        }
}

static void put(const char *file, const char *text) {
        make_folders(file);
        write_file(file, text);
}

/* A control group with these processes, and all groups above it populated. */
static void add_group(const char *group, const char *pids) {
        char file[256], *slash;

        (void)snprintf(file, sizeof(file), "%s/cgroup.procs", group);
        put(file, pids);
        (void)string_copy(file, sizeof(file), group);
        do {
                char events[300];

                (void)snprintf(events, sizeof(events), "%s/cgroup.events", file);
                put(events, "populated 1\nfrozen 0\n");
                slash = strrchr(file, '/');
                if (slash)
                        *slash = '\0';
        } while (slash);
}

static void add_process(int pid, const char *command, unsigned uid, const char *links) {
        char file[64], text[256];

        (void)snprintf(file, sizeof(file), "proc/%d/status", pid);
        (void)snprintf(text, sizeof(text),
                "Name:\t%s\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t%u\t%u\t%u\t%u\n", command, uid, uid,
                uid, uid);
        put(file, text);
        (void)snprintf(file, sizeof(file), "proc/%d/net/dev", pid);
        put(file, links);
}

static int setup(void **state) {
        if (make_etc(state) < 0)
                return -1;
        (void)snprintf(cgroup, sizeof(cgroup), "%s/cgroup", etc);
        (void)snprintf(proc, sizeof(proc), "%s/proc", etc);
        (void)snprintf(vendor, sizeof(vendor), "%s/vendor", etc);
        put("vendor/dbus.service", "");
        put("vendor/app@.service", "");
        return 0;
}

static void assert_kept(int pid, const char *unit) {
        struct keeper keeper;

        assert_true(keeper_find(&roots, UID, "vr-12310", &keeper));
        assert_int_equal(keeper.pid, pid);
        assert_string_equal(keeper.unit, unit);
        assert_return_code(access(keeper.events, F_OK), errno);
}

static void assert_not_kept(void) {
        struct keeper keeper;

        assert_false(keeper_find(&roots, UID, "vr-12310", &keeper));
        assert_int_equal(keeper.pid, 0);
        assert_string_equal(keeper.unit, "");
}

static void nothing_keeps_a_seat_without_processes(void **state) {
        (void)state;
        assert_not_kept();
        add_group(SESSION, "");
        assert_not_kept();
}

static void what_a_session_left_keeps_it(void **state) {
        (void)state;
        add_process(20, "screen", UID, IN_SEAT);
        add_group(SESSION, "20\n");
        assert_kept(20, "session-3.scope");
}

static void a_group_below_a_session_or_unit_counts_as_that(void **state) {
        (void)state;
        add_process(20, "conmon", UID, IN_SEAT);
        add_group(MANAGER "/app.slice/pod.service/payload", "20\n");
        assert_kept(20, "pod.service");
}

static void units_of_the_students_keep_it(void **state) {
        static const char *const groups[] = {
                MANAGER "/tmux-spawn-1.scope",
                MANAGER "/app.slice/run-u3.service",
                MANAGER "/app.slice/app-tmux.slice/x.scope",
                MANAGER "/background.slice/job.service",
                MANAGER "/app.slice/own@4.service",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                (void)remove_etc(state);
                assert_int_equal(setup(state), 0);
                add_process(20, "sleep", UID, IN_SEAT);
                add_group(groups[i], "20\n");
                assert_kept(20, strrchr(groups[i], '/') + 1);
        }
}

static void the_manager_and_others_services_do_not(void **state) {
        static const char *const groups[] = {
                MANAGER "/init.scope",
                MANAGER "/session.slice/dbus.service",
                MANAGER "/app.slice/app@3.service",
                MANAGER "/app.slice/app-dbus.slice/dbus-:1.2-org.example@0.service",
                "cgroup/user.slice/user-5001.slice/run-4.scope",
                "cgroup/user.slice/user-5002.slice/session-4.scope",
                "cgroup/system.slice/cron.service",
        };

        (void)state;
        add_process(20, "sleep", UID, IN_SEAT);
        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                add_group(groups[i], "20\n");
        assert_not_kept();
}

static void only_the_students_own_in_the_seat_count(void **state) {
        (void)state;
        add_process(20, "sleep", UID, OUTSIDE);
        add_process(21, "sudo", 0, IN_SEAT);
        add_process(22, "sleep", 5002, IN_SEAT);
        add_process(23, "ssh-agent", UID, IN_SEAT);
        add_process(24, "gnome-keyring-d", UID, IN_SEAT);
        add_group(SESSION, "20\n21\n22\n23\n24\n");
        add_group(MANAGER "/app.slice/outside.scope", "20\n");
        assert_not_kept();
        add_process(25, "ssh-agent2", UID, IN_SEAT);
        add_group(SESSION, "20\n21\n22\n23\n24\n25\n");
        assert_kept(25, "session-3.scope");
}

/* This very process lives, and is in no /proc that the test has made. */
static void a_process_that_proc_hides_counts_one_that_ended_does_not(void **state) {
        struct keeper keeper;
        char pids[32];

        (void)state;
        add_group(SESSION, "2147483646\n");
        assert_not_kept();
        (void)snprintf(pids, sizeof(pids), "2147483646\n%ld\n", (long)getpid());
        add_group(SESSION, pids);
        assert_kept(getpid(), "session-3.scope");
        assert_true(keeper_find(&roots, UID, "vr-12310", &keeper));
        assert_string_equal(keeper.command, "?");
}

static void a_name_is_printable(void **state) {
        struct keeper keeper;

        (void)state;
        add_process(20, "\033[31mx", UID, IN_SEAT);
        add_group(SESSION, "20\n");
        assert_true(keeper_find(&roots, UID, "vr-12310", &keeper));
        for (const char *at = keeper.command; *at; at++)
                assert_true(isprint((unsigned char)*at));
        assert_non_null(strstr(keeper.command, "[31mx"));
}

/* However much a student makes of them, one look ends. */
static void a_session_with_processes_that_logind_does_not_know_is_found(void **state) {
        (void)state;
        assert_false(keeper_has_forgotten_session(&roots, UID));
        add_group(SESSION, "10\n");
        add_group(MANAGER "/init.scope", "11\n");
        assert_false(keeper_has_forgotten_session(&roots, UID));
        add_group("cgroup/user.slice/user-5001.slice/session-c4.scope", "12\n");
        assert_true(keeper_has_forgotten_session(&roots, UID));
        write_file("cgroup/user.slice/user-5001.slice/session-c4.scope/cgroup.events",
                "populated 0\nfrozen 0\n");
        assert_false(keeper_has_forgotten_session(&roots, UID));
}

static void a_session_may_have_processes_unless_the_control_groups_say_no(void **state) {
        (void)state;
        assert_true(keeper_may_have_session(&roots, UID));
        write_file("cgroup/cgroup.controllers", "cpu memory pids\n");
        assert_false(keeper_may_have_session(&roots, UID));
        add_group(MANAGER "/app.slice/tmux.scope", "11\n");
        assert_false(keeper_may_have_session(&roots, UID));
        add_group(SESSION, "10\n");
        assert_true(keeper_may_have_session(&roots, UID));
        write_file(SESSION "/cgroup.events", "populated 0\nfrozen 0\n");
        assert_false(keeper_may_have_session(&roots, UID));
}

static void a_look_is_bounded(void **state) {
        char group[256] = MANAGER, pids[8192] = "";
        size_t length = 0;

        (void)state;
        add_process(20, "sleep", UID, IN_SEAT);
        for (unsigned i = 0; i < 18; i++)
                (void)strcat(group, "/a.slice");
        add_group(group, "20\n");
        assert_not_kept();

        add_process(21, "sleep", UID, OUTSIDE);
        for (unsigned i = 0; i < 1000; i++)
                length += (size_t)snprintf(pids + length, sizeof(pids) - length, "21\n");
        (void)snprintf(pids + length, sizeof(pids) - length, "20\n");
        add_group(SESSION, pids);
        assert_not_kept();
}

#define keeper_test(function) cmocka_unit_test_setup_teardown(function, setup, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                keeper_test(nothing_keeps_a_seat_without_processes),
                keeper_test(what_a_session_left_keeps_it),
                keeper_test(a_group_below_a_session_or_unit_counts_as_that),
                keeper_test(units_of_the_students_keep_it),
                keeper_test(the_manager_and_others_services_do_not),
                keeper_test(only_the_students_own_in_the_seat_count),
                keeper_test(a_process_that_proc_hides_counts_one_that_ended_does_not),
                keeper_test(a_name_is_printable),
                keeper_test(a_session_with_processes_that_logind_does_not_know_is_found),
                keeper_test(a_session_may_have_processes_unless_the_control_groups_say_no),
                keeper_test(a_look_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
