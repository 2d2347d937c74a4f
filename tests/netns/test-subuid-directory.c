/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The fence and subordinate ids that a directory gives: libsubid itself, with a plugin of the test's own
 * (subid-plugin.c). libsubid reads nsswitch.conf once a process, so every run of the fence is a process, as
 * in the watch.
 */

#include "sandbox.h"

#include <stdlib.h>

#include "base/runtime-file.h"
#include "check/inspect.h"
#include "fence/fence.h"

#define PLUGIN_DIRECTORY BUILD_DIRECTORY "/tests/netns"
#define ETC "/etc/coursenet"

#define FOR_EACH_LIBRARY "for file in /usr/lib/*/libsubid.so.[0-9]; do file=$(readlink -f $file); "

static int set_up(void **state) {
        if (sandbox_setup(state) < 0 || mkdir("/run/etc", 0755) < 0)
                return -1;
        write_file("/run/etc/nsswitch.conf", "passwd: files\nsubid: coursenet\n");
        write_file("/run/etc/passwd", "root:x:0:0::/:/bin/sh\ncs123-newellz2:x:5001:5001::/:/bin/sh\n"
                                      "cs123-anna:x:5002:5002::/:/bin/sh\nalice:x:5003:5003::/:/bin/sh\n");
        write_file("/run/directory", "cs123-newellz2:200000:65536\nalice:300000:65536\ncs123-anna:400000:"
                                     "10\ncs123-anna:500000:10\n");
        return shell("mkdir -p /run/etc/coursenet/roster.d && mount --bind /run/etc /etc");
}

static int tear_down(void **state) {
        /* Of a test that failed before it did so itself. */
        (void)shell(FOR_EACH_LIBRARY "umount -q $file; done");
        return umount2("/etc", MNT_DETACH) < 0 ? -1 : sandbox_teardown(state);
}

/* Findings are printed. */
static pid_t begin_update(enum fence_scope scope) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        pid_t pid;

        (void)fflush(NULL);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                int r = fence_update(ETC, scope, &diagnostics);

                diagnostics_print(stderr, &diagnostics);
                _exit(r == 0 ? 0 : 1);
        }
        return pid;
}

static int end_update(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Returns the fence's result. */
static int update(enum fence_scope scope) {
        return end_update(begin_update(scope));
}

/* What a process prints; libsubid reads nsswitch.conf once in it. The caller frees it. */
static char *output_of(int (*run)(void)) {
        char *text = NULL;
        int status;
        pid_t pid;

        (void)fflush(NULL);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (!freopen("/run/output", "w", stdout))
                        _exit(99);
                status = run();
                (void)fflush(stdout);
                _exit(status);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 99);
        assert_int_equal(runtime_file_read("/run/output", &text), 0);
        return text;
}

#define is_fenced(uid)                                                                                       \
        (shell("nft get element inet coursenet_fence subordinates '{ %u }' 2>/dev/null >&2", uid) == 0)

static void test_ranges_of_a_directory_are_fenced(void **state) {
        (void)state;
        assert_int_equal(update(FENCE_ALL), 0);
        assert_true(is_fenced(200000) && is_fenced(265535) && is_fenced(400000) && is_fenced(500009));
        assert_false(is_fenced(199999) || is_fenced(265536) || is_fenced(400010));
        assert_false(is_fenced(300000));
        /* A run that looks at this machine only keeps them. */
        assert_int_equal(update(FENCE_LOCAL), 0);
        assert_true(is_fenced(200000));
        assert_shell("test $(stat -c %%a /run/coursenet/fence.subuid) = 600");
}

static void test_new_ranges_come_and_old_ones_go(void **state) {
        (void)state;
        assert_int_equal(update(FENCE_ALL), 0);
        write_file("/run/directory", "cs123-newellz2:200000:65536\ncs123-anna:600000:10\n");
        assert_int_equal(update(FENCE_NEW), 0);
        assert_true(is_fenced(200000) && is_fenced(600000));
        assert_false(is_fenced(400000));
}

static void test_a_directory_that_is_down_lets_nobody_go(void **state) {
        (void)state;
        assert_int_equal(update(FENCE_ALL), 0);
        assert_shell("rm /run/directory");
        assert_int_equal(update(FENCE_ALL), 0);
        assert_true(is_fenced(200000) && is_fenced(400000) && is_fenced(500000));
}

static void test_without_a_directory_its_ranges_go(void **state) {
        (void)state;
        assert_int_equal(update(FENCE_ALL), 0);
        write_file("/etc/nsswitch.conf", "passwd: files\nsubid: files\n");
        write_file("/etc/subuid", "cs123-anna:700000:10\n");
        assert_int_equal(update(FENCE_NEW), 0);
        assert_true(is_fenced(700000));
        assert_false(is_fenced(200000));
        assert_no_shell("test -e /run/coursenet/fence.subuid");
}

/* The watch asks about all while a user logs in for the first time, and then about that user too. */
static void test_a_slow_run_keeps_what_a_later_one_found(void **state) {
        pid_t slow;

        (void)state;
        assert_shell("mkfifo /run/asked /run/answer");
        assert_int_equal(setenv("SLOW_DIRECTORY", "1", 1), 0);
        slow = begin_update(FENCE_ALL);
        assert_int_equal(unsetenv("SLOW_DIRECTORY"), 0);
        assert_shell("cat /run/asked");
        assert_shell("echo cs123-late:x:5004:5004::/:/bin/sh >>/etc/passwd");
        assert_shell("echo cs123-late:800000:10 >>/run/directory");
        assert_int_equal(update(FENCE_NEW), 0);
        assert_true(is_fenced(800000));
        assert_shell(": >/run/answer");
        assert_int_equal(end_update(slow), 0);
        assert_true(is_fenced(800000) && is_fenced(200000) && is_fenced(400000));
        /* But not for longer than the directory says so. */
        write_file("/run/directory", "cs123-newellz2:200000:65536\n");
        assert_int_equal(update(FENCE_NEW), 0);
        assert_true(is_fenced(200000));
        assert_false(is_fenced(800000) || is_fenced(400000));
}

/* `coursenetctl check` must say what otherwise only the journal says. */
static int check(void) {
        _cleanup_diagnostics_ struct diagnostics found = {0};
        int r = inspect(ETC, &found);

        diagnostics_print(stdout, &found);
        return r < 0;
}

static void test_a_missing_library_is_reported(void **state) {
        char *checked;

        (void)state;
        /* The loader refuses an empty file. */
        write_file("/run/empty", "");
        assert_shell(FOR_EACH_LIBRARY "mount --bind /run/empty $file || exit 1; done");
        assert_int_equal(update(FENCE_ALL), 1);
        assert_shell("nft get element inet coursenet_fence fenced '{ 5001 }' >/dev/null");
        assert_false(is_fenced(200000));
        checked = output_of(check);
        assert_non_null(strstr(checked, "/etc/nsswitch.conf: subordinate ids come from a directory"));
        assert_non_null(strstr(checked, "apt install libsubid5"));
        free(checked);

        assert_shell(FOR_EACH_LIBRARY "umount $file || exit 1; done");
        assert_int_equal(update(FENCE_ALL), 0);
        checked = output_of(check);
        assert_null(strstr(checked, "nsswitch"));
        free(checked);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_ranges_of_a_directory_are_fenced, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_new_ranges_come_and_old_ones_go, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        test_a_directory_that_is_down_lets_nobody_go, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        test_a_slow_run_keeps_what_a_later_one_found, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_missing_library_is_reported, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_without_a_directory_its_ranges_go, set_up, tear_down),
        };

        (void)argc;
        /* The loader reads it when a process starts. */
        if (!getenv("LD_LIBRARY_PATH") && setenv("LD_LIBRARY_PATH", PLUGIN_DIRECTORY, 1) == 0)
                (void)execv("/proc/self/exe", argv);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
