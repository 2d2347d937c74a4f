/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel follows the files of exams: when they come, change, end, have a mistake, or cannot be read. */

#include "sandbox.h"

#include <poll.h>
#include <time.h>

#include "netsetup/check/inspect.h"
#include "netsetup/check/teardown.h"
#include "netsetup/exam/exam-update.h"
#include "netsetup/verbs/bridge.h"

#define FOLDER "/var/lib/coursenet/exam"
#define SECOND UINT64_C(1000000)
#define START "[exam]\nsince = 1000\n"

static void make_folder(void) {
        assert_shell("mkdir -p " FOLDER);
        configure("coursenet.conf", "[site]\nuplink = eth0\nfence = no\n");
        assert_shell("ip link add eth0 type veth peer name cable0");
}

static void write_exam(const char *course, const char *text) {
        char path[64];

        (void)snprintf(path, sizeof(path), FOLDER "/%s", course);
        write_file(path, text);
}

static void start_bridge(struct sandbox *sandbox, const char *course) {
        assert_int_equal(bridge_start(SANDBOX_ETC, course, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
}

static void update(struct sandbox *sandbox) {
        diagnostics_done(&sandbox->diagnostics);
        assert_int_equal(exam_update(SANDBOX_ETC, &sandbox->diagnostics), 0);
}

#define assert_in_exam()                                                                                     \
        do {                                                                                                 \
                assert_shell("nft list set inet coursenet exams | grep -q br-123");                          \
                assert_shell("nft list table bridge coursenet | grep -q vl-123");                            \
        } while (0)

#define assert_in_no_exam()                                                                                  \
        do {                                                                                                 \
                assert_no_shell("nft list ruleset | grep -q exam");                                          \
                assert_no_shell("nft list table bridge coursenet 2>/dev/null");                              \
        } while (0)

static void a_bridge_starts_with_the_rules_and_loses_them(void **state) {
        struct sandbox *sandbox = *state;

        make_folder();
        write_exam("123", START "allow = 192.0.2.10:443/tcp\n");
        start_bridge(sandbox, "123");
        assert_in_exam();
        assert_shell("nft list set inet coursenet exam_ports4 | grep -q '192.0.2.10 . tcp . 443'");
        start_bridge(sandbox, "124");
        assert_no_shell("nft list set inet coursenet exams | grep br-124");

        assert_shell("rm " FOLDER "/123");
        update(sandbox);
        assert_silence(sandbox);
        assert_in_no_exam();
}

static void an_exam_begins_while_the_bridge_is_up(void **state) {
        struct sandbox *sandbox = *state;

        make_folder();
        start_bridge(sandbox, "123");
        assert_in_no_exam();
        write_exam("123", START);
        update(sandbox);
        assert_silence(sandbox);
        assert_in_exam();
        assert_int_equal(bridge_stop(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_in_no_exam();
}

/* The end counts even before anybody has removed the file; the next run removes it. */
static void an_exam_ends_by_itself(void **state) {
        struct sandbox *sandbox = *state;
        char text[128];

        make_folder();
        write_exam("123", START "until = 2000\n");
        start_bridge(sandbox, "123");
        assert_in_no_exam();
        assert_int_equal(exam_update_after(), SECOND);
        update(sandbox);
        assert_no_shell("test -e " FOLDER "/123");
        assert_int_equal(exam_update_after(), UINT64_MAX);

        (void)snprintf(text, sizeof(text), START "until = %lld\n", (long long)time(NULL) + 30);
        write_exam("123", text);
        update(sandbox);
        assert_in_exam();
        assert_true(exam_update_after() > 20 * SECOND && exam_update_after() <= 31 * SECOND);
        write_exam("123", START);
        assert_int_equal(exam_update_after(), 60 * SECOND);
}

/* Nobody writes a file when such an exam begins or ends. */
static void an_exam_by_schedule_begins_and_ends(void **state) {
        struct sandbox *sandbox = *state;
        long long now = (long long)time(NULL);
        char text[128];

        make_folder();
        (void)snprintf(text, sizeof(text), START "time = %lld %lld\n", now + 2, now + 4);
        write_exam("123.schedule", text);
        start_bridge(sandbox, "123");
        assert_in_no_exam();
        for (int i = 0; i < 2; i++) {
                uint64_t after = exam_update_after();

                assert_in_range(after, 1, 3 * SECOND);
                (void)poll(NULL, 0, (int)(after / 1000) + 1);
                update(sandbox);
                assert_silence(sandbox);
                if (i == 0)
                        assert_in_exam();
                else
                        assert_in_no_exam();
        }
        assert_int_equal(exam_update_after(), UINT64_MAX);
        /* Others, who know of the next ones, remove the file. */
        assert_shell("test -e " FOLDER "/123.schedule");
}

static void names_become_addresses(void **state) {
        struct sandbox *sandbox = *state;

        make_folder();
        assert_shell(
                "cp /etc/hosts /run/hosts && mount --bind /run/hosts /etc/hosts && "
                "echo '192.0.2.77 www.exam.example' >>/etc/hosts && echo '2001:db8::77 www.exam.example' "
                ">>/etc/hosts");
        write_exam("123", START "allow-name = www.exam.example\n");
        start_bridge(sandbox, "123");
        assert_no_shell("nft list set inet coursenet exam_hosts4 | grep 192.0.2.77");
        update(sandbox);
        assert_silence(sandbox);
        assert_shell("nft list set inet coursenet exam_hosts4 | grep -q '\"br-123\" . 192.0.2.77'");
        assert_shell("nft list set inet coursenet exam_hosts6 | grep -q '\"br-123\" . 2001:db8::77'");
        assert_shell("grep -qx '192.0.2.77 www.exam.example' /run/coursenet/dns/exam/123");

        /* The name moves: what it had stays allowed. */
        assert_shell("sed s/192.0.2.77/192.0.2.78/ /etc/hosts >/run/moved && cat /run/moved >/etc/hosts");
        update(sandbox);
        assert_shell("nft list set inet coursenet exam_hosts4 | tr -d '\\n\\t' | grep -q '77.*192.0.2.78'");

        /* Another exam does not know the name any more. */
        write_exam("123", START);
        update(sandbox);
        assert_shell("test ! -s /run/coursenet/dns/exam/123");
        assert_no_shell("nft list set inet coursenet exam_hosts4 | grep 192.0.2.7");
        assert_shell("rm " FOLDER "/123");
        update(sandbox);
        assert_no_shell("test -e /run/coursenet/dns/exam/123");
        assert_shell("umount /etc/hosts");
}

static void a_file_with_a_mistake_allows_nothing(void **state) {
        struct sandbox *sandbox = *state;

        make_folder();
        write_exam("123", START "allow = 192.0.2.10\nuntil = soon\n");
        assert_int_equal(bridge_start(SANDBOX_ETC, "123", &sandbox->diagnostics), 0);
        assert_error(sandbox, "'until = soon' in [exam] is not understood");
        assert_in_exam();
        assert_no_shell("nft list set inet coursenet exam_hosts4 | grep 192.0.2.10");
}

/* If nobody can tell which exams there are, the rules that are there stay. */
static void what_cannot_be_read_changes_nothing(void **state) {
        struct sandbox *sandbox = *state;

        make_folder();
        write_exam("123", START);
        start_bridge(sandbox, "123");
        assert_shell("mv " FOLDER " " FOLDER ".away && echo >" FOLDER);
        assert_true(exam_update(SANDBOX_ETC, &sandbox->diagnostics) < 0);
        assert_error(sandbox, "cannot be read: Not a directory");
        assert_in_exam();
}

static void what_is_not_in_the_kernel_is_an_error(void **state) {
        static const char *const breakages[][2] = {
                {"nft delete table bridge coursenet", "bridge coursenet: there is no such table"},
                {"nft insert rule inet coursenet exam_from_seat accept",
                        "chain exam_from_seat is not as planned"},
                {"nft flush set inet coursenet exams", "set exams is not as planned"},
        };
        struct sandbox *sandbox = *state;

        make_folder();
        start_bridge(sandbox, "123");
        write_exam("123", START);
        update(sandbox);
        for (size_t i = 0; i < ELEMENTSOF(breakages); i++) {
                diagnostics_done(&sandbox->diagnostics);
                assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
                assert_int_equal(sandbox->diagnostics.n_errors, 0);
                assert_shell("%s", breakages[i][0]);
                assert_int_equal(inspect(SANDBOX_ETC, &sandbox->diagnostics), 0);
                assert_error(sandbox, breakages[i][1]);
                update(sandbox);
        }
        assert_int_equal(teardown(SANDBOX_ETC, &sandbox->diagnostics), 0);
        assert_no_shell("nft list tables | grep coursenet");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_bridge_starts_with_the_rules_and_loses_them),
                sandbox_test(an_exam_begins_while_the_bridge_is_up),
                sandbox_test(an_exam_ends_by_itself),
                sandbox_test(an_exam_by_schedule_begins_and_ends),
                sandbox_test(names_become_addresses),
                sandbox_test(a_file_with_a_mistake_allows_nothing),
                sandbox_test(what_cannot_be_read_changes_nothing),
                sandbox_test(what_is_not_in_the_kernel_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
