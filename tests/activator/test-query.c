/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What users can cause over query.sock, and how often. */

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "activator/request/query-log.h"
#include "run-files.h"

#define SECOND UINT64_C(1000000)

static bool has_lease(void *userdata, uid_t uid) {
        (void)userdata;
        (void)uid;
        return false;
}

static sd_event *event;
static struct query_peers peers = {.has_lease = has_lease};
static struct query_log lines = {.peers = &peers};

static int set_up(void **state) {
        (void)state;
        if (sd_event_default(&event) < 0)
                return -1;
        lines.event = event;
        return 0;
}

static int tear_down(void **state) {
        (void)state;
        query_log_done(&lines);
        query_peers_done(&peers);
        event = sd_event_unref(event);
        return 0;
}

/* --- the log ----------------------------------------------------------------------------------- */

/* What goes to stderr from begin_capture() to end_capture(). */
static FILE *captured;
static int real_stderr;

static void begin_capture(void) {
        captured = tmpfile();
        assert_non_null(captured);
        (void)fflush(stderr);
        real_stderr = dup(STDERR_FILENO);
        assert_true(dup2(fileno(captured), STDERR_FILENO) >= 0);
}

/* Returns the number of lines, and those that have the text. */
static unsigned end_capture(const char *text, unsigned *ret_n_with_text) {
        char line[1024];
        unsigned n = 0;

        (void)fflush(stderr);
        assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
        (void)close(real_stderr);
        rewind(captured);
        *ret_n_with_text = 0;
        while (fgets(line, sizeof(line), captured)) {
                n++;
                *ret_n_with_text += strstr(line, text) != NULL;
        }
        (void)fclose(captured);
        return n;
}

static void a_user_who_repeats_oneself_gets_a_few_lines_and_a_number(void **state) {
        unsigned n;

        (void)state;
        begin_capture();
        for (unsigned i = 0; i < 1000; i++)
                query_log(&lines, 2000, "is refused");
        query_log(&lines, 2001, "is refused");
        query_log_end_period(&lines);
        assert_int_equal(end_capture("995 more messages about user 2000", &n), 5 + 1 + 1);
        assert_int_equal(n, 1);

        /* The next minute is another. */
        begin_capture();
        query_log(&lines, 2000, "is refused");
        query_log_end_period(&lines);
        assert_int_equal(end_capture("user 2000: is refused", &n), 1);
        assert_int_equal(n, 1);
}

static void many_users_get_no_more_than_all_may_have(void **state) {
        unsigned n;

        (void)state;
        begin_capture();
        for (uid_t uid = 2000; uid < 12000; uid++)
                for (unsigned i = 0; i < 3; i++)
                        query_log(&lines, uid, "is refused");
        query_log_end_period(&lines);
        assert_in_range(end_capture("<4>query.sock: ", &n), 50, 80);
        /* All have the priority of a warning and a prefix that lines about logins do not have. */
        assert_in_range(n, 50, 80);
        assert_null(lines.talkers);
}

/* --- the pace ---------------------------------------------------------------------------------- */

static unsigned enter_as_often_as_possible(uid_t uid, uint64_t now_usec) {
        unsigned n = 0;

        while (query_peer_may_enter(&peers, uid, now_usec))
                n++;
        return n;
}

static void a_user_may_enter_in_bursts_and_then_at_a_pace(void **state) {
        uint64_t now = 1000 * SECOND;

        (void)state;
        assert_int_equal(enter_as_often_as_possible(2000, now), 64);
        assert_int_equal(enter_as_often_as_possible(2000, now + 2 * SECOND), 8);
        assert_true(query_peer_may_enter(&peers, 2001, now + 2 * SECOND));
        /* Who has waited long enough may do as much as at the beginning, and not more. */
        assert_int_equal(enter_as_often_as_possible(2000, now + 3600 * SECOND), 64);
}

static void all_users_together_stay_below_what_journald_takes(void **state) {
        uint64_t begin = 5000 * SECOND;
        unsigned n = 0;

        (void)state;
        for (uint64_t now = begin; now < begin + 30 * SECOND; now += SECOND / 10)
                for (uid_t uid = 2000; uid < 2200; uid++)
                        n += enter_as_often_as_possible(uid, now);
        /* A lease is logged when it is given and when it is given back; journald takes 10000 lines in 30 s.
         */
        assert_in_range(n, 3000, 4000);
}

/* --- subordinate uids -------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text) {
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        (void)fputs(text, file);
        assert_int_equal(fclose(file), 0);
}

static void all_uids_of_a_range_are_one(void **state) {
        struct subuid_groups uids = {0};
        char path[] = "/tmp/test-query.XXXXXX";
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        (void)close(fd);
        write_file(path, "cs123-smithj:165536:65536\n# "
                         "none\nbroken\ncs123-newellz2:100000:65536\n2000:4000000000:4000000000\n");
        assert_int_equal(subuid_group(&uids, path, 2000), 2000);
        assert_int_equal(subuid_group(&uids, path, 99999), 99999);
        assert_int_equal(subuid_group(&uids, path, 100000), 100000);
        assert_int_equal(subuid_group(&uids, path, 165535), 100000);
        assert_int_equal(subuid_group(&uids, path, 165536), 165536);
        assert_int_equal(subuid_group(&uids, path, 231072), 231072);
        assert_int_equal(subuid_group(&uids, path, 4294967294), 4000000000);

        write_file(path, "cs123-newellz2:300000:65536\n");
        assert_int_equal(subuid_group(&uids, path, 100001), 100001);
        assert_int_equal(subuid_group(&uids, path, 300001), 300000);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(subuid_group(&uids, path, 300001), 300001);
        subuid_groups_done(&uids);
}

/* The fence keeps there what a directory says of subordinate uids. */
static void uids_that_a_directory_gives_count_as_one_too(void **state) {
        (void)state;
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
        assert_int_equal(mkdir(RUN_DIRECTORY, 0755), 0);
        assert_int_equal(query_peer_key(&peers, 3900000001), 3900000001);
        write_file(DIRECTORY_SUBUID_FILE, "cs123-newellz2:3900000000:65536\n");
        assert_int_equal(query_peer_key(&peers, 3900000001), 3900000000);
        assert_int_equal(query_peer_key(&peers, 3900065536), 3900065536);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        a_user_who_repeats_oneself_gets_a_few_lines_and_a_number, set_up, tear_down),
                cmocka_unit_test_setup_teardown(many_users_get_no_more_than_all_may_have, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_user_may_enter_in_bursts_and_then_at_a_pace, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        all_users_together_stay_below_what_journald_takes, set_up, tear_down),
                cmocka_unit_test(all_uids_of_a_range_are_one),
                cmocka_unit_test_setup_teardown(
                        uids_that_a_directory_gives_count_as_one_too, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
