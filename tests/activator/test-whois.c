/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The children that ask NSS. whois.c starts /proc/self/exe, which here is this test program. What it does as
 * a child depends on the uid.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>

#include "activator/request/whois.h"

enum {
        UID_GOOD = 1000,
        UID_NOBODY,
        UID_HANGS,
        UID_GARBAGE,
        UID_STRANGE,
        UID_SILENT,
        UID_CRASHES,
        UID_SLOW = 2000, /* and all above */
};

static int play_child(unsigned uid) {
        static const struct timespec slow = {.tv_nsec = 200000000};

        if (uid >= UID_SLOW)
                (void)nanosleep(&slow, NULL);
        if (uid == UID_GOOD || uid >= UID_SLOW)
                (void)puts("cs123-newellz2");
        if (uid == UID_HANGS)
                (void)pause();
        if (uid == UID_GARBAGE)
                (void)fputs("cs123-newellz2\nroot\n", stdout);
        (void)fflush(stdout);
        if (uid == UID_CRASHES)
                abort();
        return uid == UID_NOBODY ? 1 : uid == UID_STRANGE ? 3 : 0;
}

struct answer {
        unsigned n;
        bool known;
        char name[USER_NAME_SIZE], reason[256];
};

static void note(void *userdata, const char *name, const char *reason) {
        struct answer *answer = userdata;

        answer->n++;
        answer->known = name;
        (void)snprintf(answer->name, sizeof(answer->name), "%s", name ? name : "");
        (void)snprintf(answer->reason, sizeof(answer->reason), "%s", reason ? reason : "");
}

static bool has_lease(void *userdata, uid_t uid) {
        (void)userdata;
        (void)uid;
        return false;
}

static sd_event *event;
static struct query_peers peers = {.has_lease = has_lease};
static struct query_log lines = {.peers = &peers};
static struct whois whois;

static void ask(uid_t uid, struct answer *answer) {
        struct whois_question *question;

        *answer = (struct answer){0};
        assert_int_equal(whois_ask(&whois, uid, note, answer, &question), 0);
        /* Never from within. */
        assert_int_equal(answer->n, 0);
}

static void run_until(const struct answer *answer) {
        while (answer->n == 0)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        assert_int_equal(answer->n, 1);
}

/* Until nothing is left to be reaped. */
static void run_out(void) {
        while (whois.lookups)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
}

static void test_answers(void **state) {
        static const struct {
                uid_t uid;
                const char *name, *part;
        } rows[] = {
                {UID_GOOD, "cs123-newellz2", NULL},
                {UID_NOBODY, NULL, "no user name"},
                {UID_GARBAGE, NULL, "could not be asked"},
                {UID_STRANGE, NULL, "characters that no course user's has"},
                {UID_SILENT, NULL, "could not be asked"},
                {UID_CRASHES, NULL, "could not be asked"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct answer answer;

                ask(rows[i].uid, &answer);
                run_until(&answer);
                assert_int_equal(answer.known, rows[i].name != NULL);
                if (rows[i].name)
                        assert_string_equal(answer.name, rows[i].name);
                else if (!strstr(answer.reason, rows[i].part))
                        fail_msg("uid %u: %s", (unsigned)rows[i].uid, answer.reason);
        }
        run_out();
}

static uint64_t now_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

static void test_hanging_child_is_killed(void **state) {
        uint64_t started = now_usec();
        struct answer hanging, good;

        (void)state;
        ask(UID_HANGS, &hanging);
        ask(UID_GOOD, &good);
        run_until(&good);
        assert_int_equal(hanging.n, 0);
        run_until(&hanging);
        assert_non_null(strstr(hanging.reason, "does not answer"));
        assert_true(now_usec() - started < UINT64_C(5000000));
        run_out();
}

/* Forty questions about twenty uids: sixteen children at first, two rounds of 0.2 s, one answer each. */
static void test_many(void **state) {
        struct answer answers[40];
        uint64_t started = now_usec();

        (void)state;
        for (unsigned i = 0; i < ELEMENTSOF(answers); i++)
                ask(UID_SLOW + i / 2, &answers[i]);
        run_out();
        for (unsigned i = 0; i < ELEMENTSOF(answers); i++) {
                assert_int_equal(answers[i].n, 1);
                assert_true(answers[i].known);
        }
        assert_true(now_usec() - started >= UINT64_C(400000));
}

static void test_forgotten_question(void **state) {
        struct answer forgotten = {0}, kept;
        struct whois_question *question;

        (void)state;
        assert_int_equal(whois_ask(&whois, UID_GOOD, note, &forgotten, &question), 0);
        whois_forget(question);
        assert_null(whois.lookups);

        assert_int_equal(whois_ask(&whois, UID_SLOW, note, &forgotten, &question), 0);
        ask(UID_SLOW, &kept);
        assert_true(sd_event_run(event, UINT64_C(1000000)) > 0);
        whois_forget(question);
        run_out();
        assert_int_equal(forgotten.n, 0);
        assert_int_equal(kept.n, 1);
}

static void test_done_kills(void **state) {
        struct whois_question *question;
        struct answer answer = {0};

        (void)state;
        assert_int_equal(whois_ask(&whois, UID_HANGS, note, &answer, &question), 0);
        assert_true(sd_event_run(event, UINT64_C(1000000)) > 0);
        whois_forget(question);
        whois_done(&whois);
        assert_null(whois.lookups);
        assert_int_equal(answer.n, 0);
}

static void test_parse(void **state) {
        static const struct {
                const char *output;
                bool good;
        } rows[] = {
                {"a\n", true},
                {"cs123-newellz2\n", true},
                {"", false},
                {"\n", false},
                {"a", false},
                {"a b\n", false},
                {"a\tb\n", false},
                {"a\033[m\n", false},
                {"caf\xc3\xa9\n", false},
                {"a\n\n", false},
                {"a\nb\n", false},
        };
        char name[USER_NAME_SIZE], longest[USER_NAME_SIZE + 2];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if ((whois_parse(rows[i].output, strlen(rows[i].output), name) == 0) != rows[i].good)
                        fail_msg("row %zu", i);
        memset(longest, 'a', sizeof(longest));
        longest[USER_NAME_SIZE - 1] = '\n';
        assert_int_equal(whois_parse(longest, USER_NAME_SIZE, name), 0);
        assert_int_equal(strlen(name), USER_NAME_SIZE - 1);
        longest[USER_NAME_SIZE - 1] = 'a';
        longest[USER_NAME_SIZE] = '\n';
        assert_int_equal(whois_parse(longest, USER_NAME_SIZE + 1, name), -EINVAL);
}

static int set_up(void **state) {
        (void)state;
        if (sd_event_default(&event) < 0)
                return -1;
        lines.event = event;
        whois_init(&whois, event, &lines);
        return 0;
}

static int tear_down(void **state) {
        (void)state;
        whois_done(&whois);
        query_log_done(&lines);
        query_peers_done(&peers);
        event = sd_event_unref(event);
        return 0;
}

/* The child itself, of this program's own view of the machine's users. */
static void test_names_that_cannot_be_said(void **state) {
        char path[] = "/tmp/coursenet-test-XXXXXX";
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        assert_true(dprintf(fd, "root:x:0:0::/:/bin/sh\na b:x:61001:61001::/:/bin/sh\n") > 0);
        assert_return_code(unshare(CLONE_NEWNS), errno);
        assert_return_code(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), errno);
        assert_return_code(mount(path, "/etc/passwd", NULL, MS_BIND, NULL), errno);
        assert_int_equal(whois_print("x"), 2);
        assert_int_equal(whois_print("61001"), 3);
        assert_return_code(umount("/etc/passwd"), errno);
        assert_return_code(unlink(path), errno);
        (void)close(fd);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_hanging_child_is_killed),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_forgotten_question),
                cmocka_unit_test(test_done_kills),
                cmocka_unit_test(test_names_that_cannot_be_said),
        };

        if (argc == 3 && strcmp(argv[1], "--whois") == 0)
                return play_child((unsigned)atoi(argv[2]));
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
