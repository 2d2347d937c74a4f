/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a user gets who asks for a report: the output of the child that runs as root, or the reason why there
 * is none. The child is a shell, which the test starts instead of `coursenetctl for-peer`.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "child.h"
#include "request/peer-report.h"

static const char *script;
static char grant_script[64], program[128], input_copy[] = "/tmp/coursenet-report-XXXXXX";

int child_spawn_file(const char *file, const char *const *arguments, const struct child_streams *streams,
        char *const *environment, pid_t *ret_pid) {
        (void)environment;
        (void)snprintf(program, sizeof(program), "%s %s %s", file, arguments[0], arguments[1]);
        if (!script)
                return -EAGAIN;
        *ret_pid = fork();
        if (*ret_pid != 0)
                return *ret_pid < 0 ? -errno : 0;
        if (dup2(streams->input, STDIN_FILENO) >= 0 && dup2(streams->output, STDOUT_FILENO) >= 0 &&
                dup2(streams->error, STDERR_FILENO) >= 0)
                (void)execl("/bin/sh", "sh", "-c", script, "sh", input_copy, (char *)NULL);
        _exit(127);
}

static bool has_lease(void *userdata, uid_t uid) {
        (void)userdata;
        (void)uid;
        return false;
}

static sd_event *event;
static struct query_peers peers = {.has_lease = has_lease};
static struct query_log lines = {.peers = &peers};
static struct peer_reports reports;

/* A peer and its connection. */
struct asker {
        struct report *report;
        int ends[2]; /* ours, and the peer's */
        struct ucred peer;
        unsigned n_replies;
        struct reply reply;
};

static void note_reply(void *userdata, const struct reply *reply) {
        struct asker *asker = userdata;

        asker->n_replies++;
        asker->reply = *reply;
}

/* text: a descriptor, or -1. Returns what report_begin() does. */
static int ask_with(struct asker *asker, enum request_type type, uid_t uid, int text) {
        struct request request;

        *asker = (struct asker){.peer = {.pid = getpid(), .uid = uid, .gid = 100}};
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, asker->ends), 0);
        request_init(&request, type);
        (void)string_copy(request.service, sizeof(request.service), "status");
        return report_begin(
                &reports, asker->ends[0], &request, &asker->peer, text, note_reply, asker, &asker->report);
}

static void ask_for(struct asker *asker, enum request_type type, uid_t uid) {
        assert_int_equal(ask_with(asker, type, uid, -1), 0);
        assert_non_null(asker->report);
        assert_int_equal(asker->n_replies, 0);
}

static void ask(struct asker *asker, uid_t uid) {
        ask_for(asker, REQUEST_REPORT, uid);
}

static void run_until_replied(const struct asker *asker) {
        while (asker->n_replies == 0)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        assert_int_equal(asker->n_replies, 1);
}

static void finish(struct asker *asker) {
        report_free(&asker->report);
        report_free(&asker->report);
        assert_null(asker->report);
        (void)close(asker->ends[0]);
        (void)close(asker->ends[1]);
}

static void a_user_gets_what_was_printed_and_how_it_ended(void **state) {
        struct asker asker;
        char text[64] = "";

        (void)state;
        script = "echo seats; echo warning >&2; exit 3";
        ask(&asker, 1000);
        run_until_replied(&asker);
        assert_non_null(strstr(program, "/coursenetctl coursenetctl for-peer"));
        assert_int_equal(asker.reply.type, REPLY_REPORT);
        assert_int_equal(asker.reply.pid, 3);
        assert_int_equal(asker.reply.address, strlen("seats\n"));
        assert_int_equal(asker.reply.prefix, strlen("warning\n"));
        assert_int_equal(report_send(asker.report, asker.ends[0]), 1);
        assert_true(read(asker.ends[1], text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "seats\nwarning\n");
        finish(&asker);
}

/* The child is told who asks by root, not by the one who asks. */
static void the_child_is_told_who_asks(void **state) {
        struct report_peer input;
        gid_t groups[64];
        struct asker asker;
        FILE *file;

        (void)state;
        script = "cat >\"$1\"";
        ask(&asker, 1000);
        run_until_replied(&asker);
        file = fopen(input_copy, "re");
        assert_non_null(file);
        assert_int_equal(fread(&input, sizeof(input), 1, file), 1);
        assert_int_equal(input.uid, 1000);
        assert_string_equal(input.request.service, "status");
        assert_in_range(input.n_groups, 1, ELEMENTSOF(groups));
        assert_int_equal(fread(groups, sizeof(gid_t), ELEMENTSOF(groups), file), input.n_groups);
        assert_int_equal(groups[input.n_groups - 1], 100);
        (void)fclose(file);
        finish(&asker);
}

/* The caller closes it. */
static int make_text(size_t size, int seals) {
        int fd = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        assert_true(size == 0 || pwrite(fd, "until", 5, (off_t)size - 5) == 5);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
        return fd;
}

static void the_child_gets_the_text_of_a_change(void **state) {
        int fd = make_text(100, CHANGE_TEXT_SEALS);
        _cleanup_free_ char *copy = NULL;
        struct report_peer input;
        struct asker asker;
        FILE *file;

        (void)state;
        script = "cat >\"$1\"";
        assert_int_equal(ask_with(&asker, REQUEST_CHANGE, 1000, fd), 0);
        run_until_replied(&asker);
        file = fopen(input_copy, "re");
        assert_non_null(file);
        assert_int_equal(fread(&input, sizeof(input), 1, file), 1);
        copy = calloc(1, input.n_groups * sizeof(gid_t) + 101);
        assert_int_equal(fread(copy, 1, input.n_groups * sizeof(gid_t) + 101, file),
                input.n_groups * sizeof(gid_t) + 100);
        assert_string_equal(copy + input.n_groups * sizeof(gid_t) + 95, "until");
        (void)fclose(file);
        (void)close(fd);
        finish(&asker);
}

/* A pipe, a file of FUSE or a memory file that still changes could make its reader wait, or be cut. */
static void only_a_sealed_text_is_read(void **state) {
        int ends[2], unsealed = make_text(100, F_SEAL_WRITE | F_SEAL_GROW),
                     long_one = make_text(CHANGE_TEXT_MAX + 1, CHANGE_TEXT_SEALS),
                     longest = make_text(CHANGE_TEXT_MAX, CHANGE_TEXT_SEALS);
        struct asker asker;

        (void)state;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        script = "true";
        assert_int_equal(ask_with(&asker, REQUEST_CHANGE, 1000, ends[0]), -EBADF);
        finish(&asker);
        assert_int_equal(ask_with(&asker, REQUEST_CHANGE, 1000, unsealed), -EBADF);
        finish(&asker);
        assert_int_equal(ask_with(&asker, REQUEST_CHANGE, 1000, long_one), -EFBIG);
        finish(&asker);
        assert_int_equal(ask_with(&asker, REQUEST_CHANGE, 1000, longest), 0);
        run_until_replied(&asker);
        finish(&asker);
        /* A report has no text, so nobody looks at the descriptor. */
        assert_int_equal(ask_with(&asker, REQUEST_REPORT, 1000, ends[0]), 0);
        run_until_replied(&asker);
        finish(&asker);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)close(unsealed);
        (void)close(long_one);
        (void)close(longest);
}

static void what_a_child_prints_is_a_grant_only_if_it_is_one(void **state) {
        struct seat_grant grant = {.seat = "12310", .user = "cs123-newellz2"}, got = {0};
        char path[] = "/tmp/coursenet-grant-XXXXXX";
        struct asker asker;
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(write(fd, &grant, sizeof(grant)), sizeof(grant));
        (void)snprintf(grant_script, sizeof(grant_script), "cat %s", path);
        script = grant_script;
        ask_for(&asker, REQUEST_CAPTURE, 1000);
        run_until_replied(&asker);
        assert_int_equal(report_read_grant(asker.report, &got), 0);
        assert_string_equal(got.seat, "12310");
        finish(&asker);

        (void)snprintf(grant_script, sizeof(grant_script), "cat %s; echo", path);
        ask_for(&asker, REQUEST_CAPTURE, 1000);
        run_until_replied(&asker);
        assert_int_equal(report_read_grant(asker.report, &got), -EBADMSG);
        finish(&asker);
        (void)close(fd);
        (void)unlink(path);
}

static void a_report_goes_out_as_fast_as_the_user_reads(void **state) {
        size_t n = 0, size = 600000;
        struct asker asker;
        char chunk[4096];
        int r;

        (void)state;
        script = "head -c 600000 /dev/zero";
        ask(&asker, 1000);
        run_until_replied(&asker);
        assert_int_equal(asker.reply.address, size);
        assert_int_equal(report_send(asker.report, asker.ends[0]), 0); /* the socket is full */
        do {
                ssize_t read_now;

                while ((read_now = read(asker.ends[1], chunk, sizeof(chunk))) > 0)
                        n += (size_t)read_now;
                r = report_send(asker.report, asker.ends[0]);
                assert_true(r >= 0);
        } while (r == 0);
        while (n < size)
                n += (size_t)read(asker.ends[1], chunk, sizeof(chunk));
        assert_int_equal(n, size);
        finish(&asker);
}

static void a_user_is_told_why_there_is_no_report(void **state) {
        static const struct {
                const char *script, *part;
        } rows[] = {
                {NULL, "cannot be started"},
                {"kill -KILL $$", "it failed; see journalctl"},
                {"kill -XCPU $$", "took too long"},
                {"kill -XFSZ $$", "too long: ask for less"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct asker asker;

                script = rows[i].script;
                ask(&asker, 1000);
                run_until_replied(&asker);
                assert_null(asker.report);
                assert_int_equal(asker.reply.type, REPLY_FAILED);
                if (!strstr(asker.reply.text, rows[i].part))
                        fail_msg("row %zu: %s", i, asker.reply.text);
                finish(&asker);
        }
}

static void a_report_that_takes_too_long_is_given_up(void **state) {
        struct asker asker;

        (void)state;
        reports.children.timeout_usec = 1000;
        script = "sleep 1000";
        ask(&asker, 1000);
        run_until_replied(&asker);
        assert_int_equal(asker.reply.type, REPLY_FAILED);
        assert_non_null(strstr(asker.reply.text, "took too long; does the user database answer?"));
        finish(&asker);
}

/* The start of a course takes longer than any report. */
static void a_change_does_not_make_a_report_wait(void **state) {
        struct asker change, report;

        (void)state;
        reports.children.timeout_usec = UINT64_C(1000000000);
        script = "exec sleep 1000";
        ask_for(&change, REQUEST_CHANGE, 1000);
        assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        assert_null(reports.children.children);
        assert_non_null(reports.changes.children);
        script = "echo seats";
        ask(&report, 1000);
        run_until_replied(&report);
        assert_int_equal(report.reply.type, REPLY_REPORT);
        assert_int_equal(change.n_replies, 0);
        finish(&report);
        finish(&change);
}

static void a_user_who_hangs_up_hears_nothing(void **state) {
        struct asker gone, next;

        (void)state;
        script = "sleep 1000";
        ask(&gone, 1000);
        while (reports.children.turn_source)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        finish(&gone);
        script = "true";
        ask(&next, 1000);
        run_until_replied(&next);
        assert_int_equal(gone.n_replies, 0);
        finish(&next);
}

static int set_up(void **state) {
        (void)state;
        if (sd_event_new(&event) < 0)
                return -1;
        lines.event = event;
        peer_reports_init(&reports, event, &lines, &peers);
        return 0;
}

static int tear_down(void **state) {
        (void)state;
        peer_reports_done(&reports);
        query_log_done(&lines);
        query_peers_done(&peers);
        event = sd_event_unref(event);
        return 0;
}

static int make_copy(void **state) {
        int fd = mkstemp(input_copy);

        (void)state;
        return fd < 0 ? -1 : close(fd);
}

static int remove_copy(void **state) {
        (void)state;
        return unlink(input_copy);
}

#define report_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                report_test(a_user_gets_what_was_printed_and_how_it_ended),
                report_test(the_child_is_told_who_asks),
                report_test(the_child_gets_the_text_of_a_change),
                report_test(only_a_sealed_text_is_read),
                report_test(a_report_goes_out_as_fast_as_the_user_reads),
                report_test(what_a_child_prints_is_a_grant_only_if_it_is_one),
                report_test(a_user_is_told_why_there_is_no_report),
                report_test(a_report_that_takes_too_long_is_given_up),
                report_test(a_change_does_not_make_a_report_wait),
                report_test(a_user_who_hangs_up_hears_nothing),
        };

        return cmocka_run_group_tests_name("peer-report", tests, make_copy, remove_copy);
}
