/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sessions through real libpam, with the built module and stacks of the test's own, against a fake activator
 * on the real socket and a real network namespace: see pam-sandbox.h and fake-activator.h. Run from the top
 * of the sources, as root.
 */

#include <dirent.h>
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cmocka.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>

#include "pam-sandbox.h"
#include "recorder.h"

#include "activator-client.h"
#include "fake-activator.h"
#include "journal-message.h"
#include "message-id.h"

#define MODULE BUILD_DIRECTORY "/pam_coursenet.so"
#define PROFILE "conf/pam-configs/coursenet"
#define STUDENT "cs123-newellz2"

#define SENTENCE_FAILED "Your course network could not be started. Please tell your course staff."
#define SENTENCE_SLOW                                                                                        \
        "Your course network took too long to start. Please try again, or tell your course staff."

/* One line of a stack: ours with these options. */
#define OURS(options) "session required " MODULE " " options "\n"
#define PERMIT "session required pam_permit.so\n"
#define DENY "session required pam_deny.so\n"

static const struct pam_conv conversation = {.conv = recorder_converse};

/* --- what every test starts and ends with ---------------------------------------------------- */

static ino_t seat_namespace, own_namespace;
static unsigned n_descriptors;

static ino_t namespace_now(void) {
        struct stat st;

        assert_int_equal(stat("/proc/self/ns/net", &st), 0);
        return st.st_ino;
}

static int begin(void **state) {
        (void)state;
        fake_reset();
        recorder_reset();
        n_descriptors = count_descriptors();
        return 0;
}

static int end(void **state) {
        (void)state;
        assert_int_equal(fake->n_bad, 0);
        assert_int_equal(recorder.n_questions, 0);
        assert_int_equal(namespace_now(), own_namespace);
        assert_int_equal(count_descriptors(), n_descriptors);
        return 0;
}

static int prepare(void **state) {
        struct stat st;

        (void)state;
        sandbox_enter();
        must(stat(SANDBOX_SEAT, &st) == 0, SANDBOX_SEAT);
        seat_namespace = st.st_ino;
        own_namespace = namespace_now();
        must(seat_namespace != own_namespace, "a namespace of its own for the seat");
        /* As in a host that never thought of it; the test's own starter may ignore it. */
        must(signal(SIGPIPE, SIG_DFL) != SIG_ERR, "signal");
        /* NSS may keep what it opens first. */
        must(getpwnam(STUDENT) != NULL, "getpwnam");
        /* libpam logs an error if there is none. */
        write_file(SANDBOX_PAM "/other", "", DENY);
        fake_create();
        return 0;
}

static int finish(void **state) {
        (void)state;
        fake_stop();
        return 0;
}

/* --- short forms ----------------------------------------------------------------------------- */

static pam_handle_t *start(const char *stack, const char *user) {
        pam_handle_t *pamh = NULL;

        write_file(SANDBOX_PAM "/test", "", stack);
        assert_int_equal(pam_start_confdir("test", user, &conversation, SANDBOX_PAM, &pamh), PAM_SUCCESS);
        return pamh;
}

/* Nobody asks the activator for anything any more. */
static void assert_requests(unsigned n) {
        fake_sync();
        assert_int_equal(fake->n_seen, n);
        assert_int_equal(fake->n_connections, n);
}

static void assert_close_with_id(const struct fake_seen *seen) {
        assert_int_equal(seen->request.type, REQUEST_CLOSE);
        assert_string_equal(seen->request.lease, "lease-1");
        assert_string_equal(seen->request.user, STUDENT);
        assert_string_equal(seen->request.service, "test");
        assert_int_equal(seen->peer, getpid());
}

static void assert_logged(const char *text) {
        if (!strstr(recorder.log, text))
                fail_msg("'%s' is not in the log:\n%s", text, recorder.log);
}

/* One sentence to the user, one line of error to the log. */
static void assert_denied(const char *sentence, const char *logged) {
        assert_int_equal(recorder.n_sentences, 1);
        assert_string_equal(recorder.sentence, sentence);
        assert_int_equal(recorder.n_errors, 1);
        assert_logged(logged);
        assert_int_equal(recorder.n_debug, 0);
}

static void assert_silence(void) {
        assert_int_equal(recorder.n_sentences, 0);
        assert_string_equal(recorder.log, "");
}

/* Opens with this stack, which must be denied, and ends as an application does. */
static void open_denied(const char *stack, const char *user) {
        pam_handle_t *pamh = start(stack, user);

        assert_int_equal(pam_open_session(pamh, 0), PAM_PERM_DENIED);
        assert_null(pam_getenv(pamh, "COURSENET_SEAT"));
        assert_int_equal(namespace_now(), own_namespace);
        assert_int_equal(pam_end(pamh, PAM_PERM_DENIED), PAM_SUCCESS);
}

/* What function returns in a child of its own; above 100: it died by a signal. */
static int in_child(int (*function)(void *data), void *data) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0)
                _exit(function(data));
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

/* --- success --------------------------------------------------------------------------------- */

static void test_open_joins_and_close_leaves(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), seat_namespace);
        assert_string_equal(pam_getenv(pamh, "COURSENET_COURSE"), "123");
        assert_string_equal(pam_getenv(pamh, "COURSENET_SEAT"), "12310");
        assert_string_equal(pam_getenv(pamh, "COURSENET_ADDRESS"), "10.0.123.10");

        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), own_namespace);
        assert_null(pam_getenv(pamh, "COURSENET_SEAT"));
        assert_int_equal(count_descriptors(), n_descriptors);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(2);
        assert_int_equal(fake->seen[0].request.type, REQUEST_OPEN);
        assert_close_with_id(&fake->seen[1]);
        assert_silence();
}

static void test_the_request_says_who_and_from_where(void **state) {
        pam_handle_t *pamh = start(OURS("join=no wait=container timeout=7"), STUDENT);
        const struct fake_seen *seen = &fake->seen[0];

        (void)state;
        assert_int_equal(pam_set_item(pamh, PAM_TTY, "pts/\t1"), PAM_SUCCESS);
        assert_int_equal(pam_set_item(pamh, PAM_RHOST, "client.example"), PAM_SUCCESS);
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), own_namespace);

        assert_int_equal(seen->request.uid, STUDENT_UID);
        assert_int_equal(seen->request.flags, REQUEST_WAIT_CONTAINER);
        assert_int_equal(seen->request.timeout_ms, 7000);
        assert_string_equal(seen->request.user, STUDENT);
        assert_string_equal(seen->request.service, "test");
        assert_string_equal(seen->request.tty, "pts/?1");
        assert_string_equal(seen->request.remote_host, "client.example");
        /* A token, by which an activator that was restarted knows the request again. */
        assert_int_equal(strlen(seen->request.lease), TOKEN_SIZE - 1);
        assert_int_equal(strspn(seen->request.lease, "0123456789abcdef"), TOKEN_SIZE - 1);
        assert_int_equal(seen->peer, getpid());
        assert_int_equal(seen->pidfd, getpid());
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_wait_options_become_flags(void **state) {
        static const struct {
                const char *stack;
                unsigned flags, timeout_ms;
        } lines[] = {
                {OURS("join=no"), 0, 20000},
                {OURS("join=no wait=network timeout=300"), 0, 300000},
                {OURS("join=no wait=none"), REQUEST_NO_WAIT, 20000},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                pam_handle_t *pamh = start(lines[i].stack, STUDENT);

                fake_reset();
                assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
                assert_int_equal(fake->seen[0].request.flags, lines[i].flags);
                assert_int_equal(fake->seen[0].request.timeout_ms, lines[i].timeout_ms);
                assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
                assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        }
}

static void test_debug_tells_the_log_and_not_the_user(void **state) {
        pam_handle_t *pamh = start(OURS("debug"), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_logged("lease lease-1 on seat 12310");
        assert_logged("joined /run/netns/ns12310");
        assert_logged("lease lease-1 ended");
        assert_int_equal(recorder.n_errors, 0);
        assert_int_equal(recorder.n_sentences, 0);
}

/* --- others' logins -------------------------------------------------------------------------- */

/* Success only if our line says PAM_IGNORE. */
#define IGNORED(options) "session [ignore=1 default=ignore] " MODULE " " options "\n" DENY PERMIT

static void test_others_are_ignored(void **state) {
        static const struct {
                const char *user, *stack;
        } logins[] = {
                {"root", IGNORED("")},
                {"staff", IGNORED("")},
                {"nosuchuser", IGNORED("")},
                {"cs123", IGNORED("")},
                {"cs-newellz2", IGNORED("")},
                {"xcs123-newellz2", IGNORED("")},
                {"cs123@ad.example.edu", IGNORED("")},
                {"staff@ad.example.edu", IGNORED("")},
                {"AD\\staff", IGNORED("")},
                {STUDENT, IGNORED("rule=ee{course}-{student}")},
                {"staff", IGNORED("no-such-option")},
                {"staff", IGNORED("wait=none")},
                {"root", IGNORED("rule=broken")},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(logins); i++) {
                pam_handle_t *pamh = start(logins[i].stack, logins[i].user);

                assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
                assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
                assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        }
        assert_requests(0);
        assert_silence();
}

static void test_the_users_manager_is_ignored(void **state) {
        pam_handle_t *pamh;

        (void)state;
        write_file(SANDBOX_PAM "/systemd-user", "", IGNORED("rule=broken"));
        assert_int_equal(
                pam_start_confdir("systemd-user", STUDENT, &conversation, SANDBOX_PAM, &pamh), PAM_SUCCESS);
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(0);
        assert_silence();
}

typedef int entry_point(pam_handle_t *pamh, int flags, int argc, const char **argv);

/* Under strict seccomp any system call but read, write and exit kills: those that memory takes, too. */
static int call_without_system_calls(void *name) {
        pam_handle_t *pamh = start(OURS(""), "staff");
        const char *argv[] = {"rule=cs{course}-{student}", "no-such-option", NULL};
        void *module = dlopen(MODULE, RTLD_NOW);
        entry_point *function = module ? (entry_point *)(uintptr_t)dlsym(module, name) : NULL;

        if (!function || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
                return 99;
        (void)syscall(SYS_exit, function(pamh, 0, 2, argv));
        return 99;
}

static void test_others_cost_no_system_call(void **state) {
        char *const open_name = (char[]){"pam_sm_open_session"};
        char *const close_name = (char[]){"pam_sm_close_session"};

        (void)state;
        assert_int_equal(in_child(call_without_system_calls, open_name), PAM_IGNORE);
        assert_int_equal(in_child(call_without_system_calls, close_name), PAM_IGNORE);
}

/* --- denials --------------------------------------------------------------------------------- */

static void test_every_failure_denies_with_one_sentence(void **state) {
        static const struct failure {
                enum fake_manner manner;
                enum reply_type type;
                const char *sentence, *logged;
                unsigned n_requests;
        } failures[] = {
                {FAKE_ANSWERS, REPLY_REFUSED, SENTENCE_FAILED, "refused: the reason", 1},
                {FAKE_ANSWERS, REPLY_FAILED, SENTENCE_FAILED, "did not come up: the reason", 1},
                {FAKE_ANSWERS, REPLY_TIMEOUT, SENTENCE_SLOW, "in time: the reason", 1},
                {FAKE_ANSWERS, REPLY_NOT_HERE, "the reason; look here", "the reason; look here", 1},
                {FAKE_ANSWERS, REPLY_LEASE, SENTENCE_FAILED, "unexpected answer", 1},
                {FAKE_HANGS_UP, REPLY_DONE, SENTENCE_FAILED, "hung up; journalctl -u coursenet-activator", 4},
                {FAKE_ANSWERS_GARBAGE, REPLY_DONE, SENTENCE_FAILED, "is of another version", 1},
                {FAKE_ANSWERS_SHORT, REPLY_DONE, SENTENCE_FAILED, "is of another version", 1},
                {FAKE_ANSWERS_LONG, REPLY_DONE, SENTENCE_FAILED, "is of another version", 1},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(failures); i++) {
                fake_reset();
                recorder_reset();
                fake->manner = failures[i].manner;
                fake->reply.type = (uint16_t)failures[i].type;
                (void)string_copy(fake->reply.text, sizeof(fake->reply.text), "the reason; look here");
                open_denied(OURS(""), STUDENT);
                assert_denied(failures[i].sentence, failures[i].logged);
                assert_logged(STUDENT);
                assert_requests(failures[i].n_requests);
        }
}

/* The same request, known by its token, so that no lease of an activator that went away is left behind. */
static void repeat_until_answered(enum fake_manner manner) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        fake->manner = manner;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_requests(3);
        for (unsigned i = 1; i < 3; i++)
                assert_memory_equal(&fake->seen[i].request, &fake->seen[0].request, sizeof(struct request));
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_a_restart_of_the_activator_refuses_nobody(void **state) {
        (void)state;
        repeat_until_answered(FAKE_HANGS_UP_TWICE);
}

/* Its module is there some seconds before its activator. */
static void test_an_upgrade_to_another_protocol_refuses_nobody(void **state) {
        (void)state;
        repeat_until_answered(FAKE_IS_EARLIER_TWICE);
}

static void test_not_on_the_class_list(void **state) {
        (void)state;
        fake->reply.type = REPLY_NO_SEAT;
        open_denied(OURS(""), "cs123-nobody");
        assert_denied("cs123-nobody is not on the class list of course 123. Please tell your course staff.",
                "cs123-nobody: no seat");
}

#define NAME_100                                                                                             \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
        "aa"
#define LIKE_OURS " cannot be a course user's name: those are written cs{course}-{student} here, and "

/* The name alone says that it must not pass for somebody else's. */
static void test_a_course_users_other_names_are_refused(void **state) {
        static const char *const names[] = {
                "CS123-newellz2",
                "cs123-newellz2@ad.example.edu",
                "AD\\cs123-newellz2",
                "AD+cs123-newellz2",
                "cs123-o'brien",
                "cs123-m$",
                "cs123-m\xc3\xbcller",
                "cs123-a+b",
                "cs123--x",
                "cs123_x",
                "cs123-",
                "cs123-" NAME_100 NAME_100 NAME_100,
                NAME_100 NAME_100 NAME_100 "\\cs123-newellz2",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                recorder_reset();
                open_denied(OURS(""), names[i]);
                assert_int_equal(recorder.n_sentences, 1);
                assert_int_equal(recorder.n_errors, 1);
                assert_logged("cannot be a course user's name");
        }
        /* The fence has to know those that have an account, because the line may be optional. */
        assert_requests(2);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(fake->seen[i].request.type, REQUEST_NOTE);
                assert_int_equal(fake->seen[i].request.uid, STUDENT_UID + 2 + i);
                assert_string_equal(fake->seen[i].request.user, names[1 + i]);
        }
        recorder_reset();
        open_denied(OURS(""), "CS123-newellz2");
        assert_denied("CS123-newellz2" LIKE_OURS
                      "it differs in capitals only. Please log in by the account's own name, or "
                      "tell your course staff.",
                "CS123-newellz2:" LIKE_OURS "it differs in capitals only");
}

#define ALIAS "anna@mail.example"

/* With which the next look-up fails; 0: it does not. */
static int lookup_error;

/* A user database that finds STUDENT by a different name. libpam uses this instead of libc's. */
__attribute__((visibility("default"))) int getpwnam_r(
        const char *name, struct passwd *ret, char *buffer, size_t size, struct passwd **ret_result) {
        int (*function)(const char *, struct passwd *, char *, size_t, struct passwd **) =
                (int (*)(const char *, struct passwd *, char *, size_t, struct passwd **))(uintptr_t)dlsym(
                        RTLD_NEXT, "getpwnam_r");

        if (lookup_error != 0) {
                *ret_result = NULL;
                errno = lookup_error;
                lookup_error = 0;
                return errno;
        }
        return function(string_equal(name, ALIAS) ? STUDENT : name, ret, buffer, size, ret_result);
}

/* As in the shipped stack, where a line before ours has asked for the account. */
static void test_an_account_that_is_known_by_now_tells(void **state) {
        static const char stack[] = "session [success=1 default=ignore] pam_succeed_if.so quiet uid < 1000\n";
        pam_handle_t *pamh;
        char whole[512];

        (void)state;
        (void)snprintf(whole, sizeof(whole), "%s%s", stack, OURS(""));
        open_denied(whole, ALIAS);
        assert_denied(ALIAS " cannot be a course user's name: its account is called " STUDENT
                            ". Please log in by the account's own name, or tell your course staff.",
                ALIAS ": cannot be a course user's name: its account is called " STUDENT);
        (void)snprintf(whole, sizeof(whole), "%s%s", stack, IGNORED(""));
        recorder_reset();
        fake_reset();
        pamh = start(whole, "staff");
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(0);
        assert_silence();
}

static void test_what_the_site_says_of_a_name_is_told(void **state) {
        (void)state;
        fake->reply.type = REPLY_NO_NAME;
        (void)string_copy(fake->reply.text, sizeof(fake->reply.text), "its course has 4 digits");
        open_denied(OURS(""), STUDENT);
        assert_denied(STUDENT
                " cannot be a course user's name: its course has 4 digits. Please log in by the "
                "account's own name, or tell your course staff.",
                STUDENT ": cannot be a course user's name: its course has 4 digits");
}

/* As pam.d has them: libpam has rules of its own for backslashes and brackets. */
static void test_rules_with_a_domain(void **state) {
        static const struct {
                const char *stack, *user;
        } rows[] = {
                {OURS("rule=cs{course}-{student}@ad.example.edu"), "cs123-newellz2@ad.example.edu"},
                {OURS("[rule=cs{course}-{student}@ad.example.edu]"), "cs123-newellz2@ad.example.edu"},
                {OURS("rule=AD\\cs{course}-{student}"), "AD\\cs123-newellz2"},
                {OURS("[rule=AD\\cs{course}-{student}] debug"), "AD\\cs123-newellz2"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                pam_handle_t *pamh = start(rows[i].stack, rows[i].user);

                fake_reset();
                recorder_reset();
                if (pam_open_session(pamh, 0) != PAM_SUCCESS)
                        fail_msg("%s: %s", rows[i].user, recorder.log);
                assert_int_equal(namespace_now(), seat_namespace);
                assert_string_equal(fake->seen[0].request.user, rows[i].user);
                assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
                assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        }
}

static void test_another_version_is_refused(void **state) {
        (void)state;
        fake->reply.version++;
        open_denied(OURS("timeout=1"), STUDENT);
        assert_denied(SENTENCE_FAILED, "is of another version");
}

static void test_silence_ends_at_the_timeout(void **state) {
        struct timespec before, after;

        (void)state;
        fake->manner = FAKE_IS_SILENT;
        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        open_denied(OURS("timeout=1"), STUDENT);
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        assert_denied(SENTENCE_SLOW, "no answer from the activator within 1 s");
        assert_in_range((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000,
                999, 3000);
}

static void test_a_hang_up_before_the_request(void **state) {
        (void)state;
        fake->manner = FAKE_HANGS_UP_AT_ONCE;
        open_denied(OURS(""), STUDENT);
        assert_denied(SENTENCE_FAILED, "hung up");
}

static int send_to_nobody(void *data) {
        struct request request;
        int pair[2];

        (void)data;
        request_init(&request, REQUEST_OPEN);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || close(pair[0]) < 0)
                return 1;
        return activator_send(pair[1], &request, -1, deadline_after_ms(1000)) == -EPIPE ? 0 : 2;
}

/* A peer that is gone by then is an error, no SIGPIPE. */
static void test_a_request_to_nobody_kills_nobody(void **state) {
        (void)state;
        assert_int_equal(in_child(send_to_nobody, NULL), 0);
}

static void test_no_activator(void **state) {
        pam_handle_t *pamh;

        (void)state;
        fake_stop();
        open_denied(OURS(""), STUDENT);
        assert_denied(SENTENCE_FAILED, "cannot reach the activator (/run/coursenet/activator.sock): No such "
                                       "file or directory; systemctl "
                                       "status coursenet-activator.socket");

        /* A session is closed even if the activator cannot be told. */
        recorder_reset();
        pamh = start(OURS(""), STUDENT);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_int_equal(recorder.n_errors, 1);
        assert_int_equal(recorder.n_sentences, 0);
        fake_start();
}

static void test_a_wrong_option_denies_whom_the_rule_matches(void **state) {
        static const struct {
                const char *stack, *logged;
        } lines[] = {
                {OURS("no-such-option"), "option no-such-option in pam.d: there is no such option"},
                {OURS("wait=none"), "option wait=none in pam.d: it needs join=no"},
                {OURS("timeout=0"), "option timeout=0 in pam.d: expected"},
                {OURS("rule=broken"), "only root gets a session"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                recorder_reset();
                open_denied(lines[i].stack, STUDENT);
                assert_denied(SENTENCE_FAILED, lines[i].logged);
        }
        recorder_reset();
        open_denied(OURS("rule=broken"), "staff");
        assert_denied(SENTENCE_FAILED, "only root gets a session");
        assert_requests(0);
}

static void test_no_user_is_denied_and_not_asked_for(void **state) {
        (void)state;
        open_denied(OURS(""), NULL);
        assert_denied(SENTENCE_FAILED, "no user name");
        assert_requests(0);
}

static void test_no_account_is_denied(void **state) {
        (void)state;
        open_denied(OURS(""), "cs123-ghost");
        assert_denied(SENTENCE_FAILED, "no account");
        assert_requests(0);
}

static void test_an_account_that_cannot_be_looked_up_is_not_said_to_be_absent(void **state) {
        (void)state;
        lookup_error = EMFILE;
        open_denied(OURS(""), STUDENT);
        assert_denied(SENTENCE_FAILED, "the account was not found: Too many open files");
        assert_requests(0);
}

static void test_pam_silent_keeps_the_sentence_back(void **state) {
        pam_handle_t *pamh = start(OURS(""), "cs123-ghost");

        (void)state;
        assert_int_equal(pam_open_session(pamh, PAM_SILENT), PAM_PERM_DENIED);
        assert_int_equal(pam_end(pamh, PAM_PERM_DENIED), PAM_SUCCESS);
        assert_int_equal(recorder.n_sentences, 0);
        assert_int_equal(recorder.n_errors, 1);
}

/* The lease in a useless answer is given back. */
static void test_a_reply_must_name_a_seat_of_the_course(void **state) {
        static const struct {
                const char *course, *seat;
                bool no_address;
        } replies[] = {
                {"124", "12410", false},
                {"123", "12410", false},
                {"123", "123", false},
                {"123", "", false},
                {"123", "123/../x", false},
                {"123", "1231234567890", false},
                {"", "12310", false},
                {"123", "12310", true},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(replies); i++) {
                fake_reset();
                recorder_reset();
                memset(fake->reply.course, 0, sizeof(fake->reply.course));
                memset(fake->reply.seat, 0, sizeof(fake->reply.seat));
                (void)string_copy(fake->reply.course, sizeof(fake->reply.course), replies[i].course);
                (void)string_copy(fake->reply.seat, sizeof(fake->reply.seat), replies[i].seat);
                if (replies[i].no_address)
                        fake->reply.address = 0;
                open_denied(OURS("join=no"), STUDENT);
                assert_denied(SENTENCE_FAILED, "which is not valid");
                assert_requests(2);
                assert_close_with_id(&fake->seen[1]);
        }
}

static void test_a_reply_without_a_lease_is_refused(void **state) {
        (void)state;
        memset(fake->reply.lease, 0, sizeof(fake->reply.lease));
        open_denied(OURS(""), STUDENT);
        assert_denied(SENTENCE_FAILED, "which is not valid");
        assert_requests(1);
}

static void test_a_namespace_that_cannot_be_joined_gives_the_lease_back(void **state) {
        static const struct {
                const char *seat, *logged;
        } seats[] = {
                {"12311", "/run/netns/ns12311 cannot be opened: No such file"},
                {"12312", "/run/netns/ns12312 is no namespace"},
                {"12313", "/run/netns/ns12313 is a namespace of another kind"},
                {"12314", "/run/netns/ns12314 cannot be opened: Too many levels"},
        };

        (void)state;
        write_file("/run/netns/ns12312", "", "");
        make_namespace(CLONE_NEWUTS, "uts", "/run/netns/ns12313");
        must(symlink("ns12310", "/run/netns/ns12314") == 0, "symlink");
        for (size_t i = 0; i < ELEMENTSOF(seats); i++) {
                fake_reset();
                recorder_reset();
                (void)string_copy(fake->reply.seat, sizeof(fake->reply.seat), seats[i].seat);
                open_denied(OURS(""), STUDENT);
                assert_denied(SENTENCE_FAILED, seats[i].logged);
                assert_requests(2);
                assert_close_with_id(&fake->seen[1]);
        }
}

static void *wait_to_end(void *mutex) {
        (void)pthread_mutex_lock(mutex);
        return NULL;
}

static void test_a_threaded_process_does_not_join(void **state) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pam_handle_t *pamh;
        pthread_t thread;

        (void)state;
        assert_int_equal(pthread_mutex_lock(&mutex), 0);
        assert_int_equal(pthread_create(&thread, NULL, wait_to_end, &mutex), 0);
        open_denied(OURS(""), STUDENT);
        assert_denied(SENTENCE_FAILED, "threads");
        assert_requests(0);

        pamh = start(OURS("join=no"), STUDENT);
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);

        assert_int_equal(pthread_mutex_unlock(&mutex), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *store_namespace(void *ret) {
        struct stat st;

        *(ino_t *)ret = stat("/proc/thread-self/ns/net", &st) == 0 ? st.st_ino : 0;
        return NULL;
}

static void *close_in_thread(void *pamh) {
        return (void *)(intptr_t)pam_close_session(pamh, 0);
}

static ino_t namespace_of_a_child(void) {
        int report[2];
        ino_t inode;
        pid_t child;

        assert_int_equal(pipe(report), 0);
        child = fork();
        if (child == 0) {
                (void)store_namespace(&inode);
                _exit(write(report[1], &inode, sizeof(inode)) != (ssize_t)sizeof(inode));
        }
        assert_int_equal(read(report[0], &inode, sizeof(inode)), sizeof(inode));
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(close(report[0]) + close(report[1]), 0);
        return inode;
}

/* Their bus connections have threads, and the session is forked by the one that opens it. */
static void test_a_display_manager_joins_by_its_thread(void **state) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_t idle, other;
        int origin = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        pam_handle_t *pamh;
        void *result;

        (void)state;
        assert_true(origin >= 0);
        write_file(SANDBOX_PAM "/lightdm", "", OURS(""));
        assert_int_equal(pthread_mutex_lock(&mutex), 0);
        assert_int_equal(pthread_create(&idle, NULL, wait_to_end, &mutex), 0);
        assert_int_equal(
                pam_start_confdir("lightdm", STUDENT, &conversation, SANDBOX_PAM, &pamh), PAM_SUCCESS);

        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_of_a_child(), seat_namespace);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), own_namespace);
        assert_silence();

        /* Another thread can end the lease, and neither move itself nor bring the first one back. */
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pthread_create(&other, NULL, close_in_thread, pamh), 0);
        assert_int_equal(pthread_join(other, &result), 0);
        assert_ptr_equal(result, (void *)PAM_SUCCESS);
        assert_logged("cannot go back to the network namespace");
        assert_requests(4);
        assert_int_equal(namespace_now(), seat_namespace);
        assert_int_equal(setns(origin, CLONE_NEWNET), 0);
        assert_int_equal(close(origin), 0);

        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_int_equal(pthread_mutex_unlock(&mutex), 0);
        assert_int_equal(pthread_join(idle, NULL), 0);
}

/* --- who ends the lease ---------------------------------------------------------------------- */

/* sshd then calls pam_end() alone. */
static void test_a_later_module_fails(void **state) {
        pam_handle_t *pamh = start(OURS("") DENY, STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SESSION_ERR);
        assert_int_equal(namespace_now(), seat_namespace);
        assert_int_equal(pam_end(pamh, PAM_SESSION_ERR), PAM_SUCCESS);
        assert_requests(2);
        assert_close_with_id(&fake->seen[1]);
}

/* With an optional line the session goes on, and is closed. */
static void test_close_after_a_failed_open_asks_for_nothing(void **state) {
        pam_handle_t *pamh = start(PERMIT "session optional " MODULE "\n", STUDENT);

        (void)state;
        fake->reply.type = REPLY_FAILED;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), own_namespace);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(1);
}

/* As pamela does it: open and pam_end() with success, close on another handle. */
static void test_the_handle_ends_and_another_closes(void **state) {
        pam_handle_t *pamh = start(OURS("join=no"), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(1);

        pamh = start(OURS("join=no"), STUDENT);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(2);
        assert_int_equal(fake->seen[1].request.type, REQUEST_CLOSE);
        assert_string_equal(fake->seen[1].request.lease, "");
        assert_string_equal(fake->seen[1].request.user, STUDENT);
        assert_string_equal(fake->seen[1].request.service, "test");
        assert_silence();
}

static void test_a_second_close_asks_for_nothing(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SESSION_ERR), PAM_SUCCESS);
        assert_requests(2);
        assert_silence();
}

static void test_a_second_open_gives_the_first_lease_back(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), seat_namespace);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(namespace_now(), own_namespace);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_requests(4);
        assert_int_equal(fake->seen[0].request.type, REQUEST_OPEN);
        assert_close_with_id(&fake->seen[1]);
        assert_int_equal(fake->seen[2].request.type, REQUEST_OPEN);
        assert_close_with_id(&fake->seen[3]);
}

/* A program that has sessions of many users lives on, so nothing else would end the lease. */
static void test_a_restart_of_the_activator_loses_no_close(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        fake->n_to_drop = 1;
        fake->n_unanswered = 1;
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_requests(3);
        assert_close_with_id(&fake->seen[1]);
        assert_close_with_id(&fake->seen[2]);
        assert_silence();
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

/* A second close without an id would end another lease, so only one that was not read is repeated. */
static void test_a_close_without_an_id_is_sent_again_if_it_was_not_read(void **state) {
        pam_handle_t *opened = start(OURS("join=no"), STUDENT), *pamh;

        (void)state;
        assert_int_equal(pam_open_session(opened, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(opened, PAM_SUCCESS), PAM_SUCCESS);
        pamh = start(OURS("join=no"), STUDENT);
        fake->n_to_drop = 2;
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_requests(2);
        assert_silence();

        fake->n_unanswered = 1;
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_requests(3);
        assert_logged("cannot end the lease: the activator hung up");
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_a_close_that_the_activator_refuses_is_logged(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        fake->close_type = REPLY_FAILED;
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        assert_logged("the lease was not ended");
        assert_int_equal(recorder.n_sentences, 0);
}

static int end_silently(void *pamh) {
        return pam_end(pamh, PAM_SESSION_ERR | PAM_DATA_SILENT);
}

static int end_with_error(void *pamh) {
        return pam_end(pamh, PAM_SESSION_ERR);
}

static void test_a_forked_child_ends_nothing(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(in_child(end_silently, pamh), PAM_SUCCESS);
        assert_int_equal(in_child(end_with_error, pamh), PAM_SUCCESS);
        assert_requests(1);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS | PAM_DATA_SILENT), PAM_SUCCESS);
        assert_requests(2);
}

static void test_a_silent_end_ends_nothing(void **state) {
        pam_handle_t *pamh = start(OURS("join=no"), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(end_silently(pamh), PAM_SUCCESS);
        assert_requests(1);
}

/* The process stays in the seat, and keeps nothing open. */
static int end_without_close(void *data) {
        unsigned before = count_descriptors();
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)data;
        if (pam_open_session(pamh, 0) != PAM_SUCCESS || pam_end(pamh, PAM_SUCCESS) != PAM_SUCCESS)
                return 1;
        if (namespace_now() != seat_namespace)
                return 2;
        return count_descriptors() == before ? 0 : 3;
}

static void test_a_successful_end_leaves_the_session(void **state) {
        (void)state;
        assert_int_equal(in_child(end_without_close, NULL), 0);
        assert_requests(1);
}

/* As systemd's PAMName= does it: a forked child, the user by then, closes. */
static int close_as_user(void *pamh) {
        if (setresuid(STUDENT_UID, STUDENT_UID, STUDENT_UID) < 0)
                return 99;
        return pam_close_session(pamh, 0) + (int)strlen(recorder.log);
}

static void test_an_unprivileged_close_is_silent(void **state) {
        pam_handle_t *pamh = start(OURS("join=no"), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(in_child(close_as_user, pamh), PAM_SUCCESS);
        assert_requests(1);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

/* With debug, the log has it. The process is the user by then, and may not ask. */
static int close_as_user_who_debugs(void *pamh) {
        if (setresuid(STUDENT_UID, STUDENT_UID, STUDENT_UID) < 0)
                return 99;
        return pam_close_session(pamh, 0) == PAM_SUCCESS && strstr(recorder.log, "no right to end the lease")
                       ? 0
                       : 1;
}

static void test_an_unprivileged_close_is_logged_with_debug(void **state) {
        pam_handle_t *pamh = start(OURS("join=no debug"), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(in_child(close_as_user_who_debugs, pamh), 0);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_a_wrong_option_is_logged_at_a_close_as_well(void **state) {
        pam_handle_t *pamh = start(OURS("no-such-option"), STUDENT);

        (void)state;
        recorder_reset();
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_non_null(strstr(recorder.log, "option no-such-option in pam.d: there is no such option"));
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static int close_as_root(void *pamh) {
        return pam_close_session(pamh, 0);
}

static void test_another_process_closes_without_an_id(void **state) {
        pam_handle_t *pamh = start(OURS("join=no"), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(in_child(close_as_root, pamh), PAM_SUCCESS);
        assert_requests(2);
        assert_int_equal(fake->seen[1].request.type, REQUEST_CLOSE);
        assert_string_equal(fake->seen[1].request.lease, "");
        assert_int_not_equal(fake->seen[1].peer, getpid());
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

/* --- hosts with habits ----------------------------------------------------------------------- */

static void note_interruption(int signal_number) {
        (void)signal_number;
        fake->interruptions++;
}

/* Handlers without SA_RESTART: every wait is cut short, again and again. */
static void test_signals_of_the_host_do_no_harm(void **state) {
        const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
        struct sigaction action = {.sa_handler = note_interruption}, before;
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        fake->interruptions_wanted = 10;
        assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        assert_true(fake->interruptions >= 10);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

static int session_without_stdio(void *data) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)data;
        (void)close_range(0, 2, 0);
        if (pam_open_session(pamh, 0) != PAM_SUCCESS || is_open(0) || is_open(1) || is_open(2))
                return 1;
        if (pam_close_session(pamh, 0) != PAM_SUCCESS || namespace_now() != own_namespace)
                return 2;
        return pam_end(pamh, PAM_SUCCESS);
}

static void test_descriptors_0_to_2_stay_the_hosts(void **state) {
        (void)state;
        assert_int_equal(in_child(session_without_stdio, NULL), 0);
}

/* The number of our descriptor is somebody else's by the time of close. */
static int session_without_its_descriptors(void *data) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);
        int fd, highest = 0;

        (void)data;
        if (pam_open_session(pamh, 0) != PAM_SUCCESS)
                return 1;
        (void)close_range(3, ~0U, 0);
        while (highest < 64) {
                fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        return 2;
                highest = fd;
        }
        if (pam_close_session(pamh, 0) != PAM_SUCCESS || pam_end(pamh, PAM_SUCCESS) != PAM_SUCCESS)
                return 3;
        for (fd = 3; fd <= highest; fd++)
                if (!is_open(fd))
                        return 4;
        return strstr(recorder.log, "cannot go back") ? 0 : 5;
}

static void test_a_reused_descriptor_is_left_alone(void **state) {
        (void)state;
        assert_int_equal(in_child(session_without_its_descriptors, NULL), 0);
        assert_requests(2);
}

/* What the session keeps is not inherited by the shell. */
static void test_nothing_is_inherited(void **state) {
        pam_handle_t *pamh = start(OURS(""), STUDENT);

        (void)state;
        assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
        for (int fd = 3; fd < 256; fd++)
                if (fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_GETFL) >= 0) {
                        char path[64], target[256] = "";

                        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                        if (readlink(path, target, sizeof(target) - 1) > 0 &&
                                string_starts_with(target, "net:"))
                                fail_msg("descriptor %d is not close-on-exec", fd);
                }
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

/* --- the stack as shipped -------------------------------------------------------------------- */

/* The session lines of the profile for pam-auth-update, with module for our file, and then one that others
 * follow. */
static void profile_stack(const char *module, char *ret, size_t size) {
        FILE *file = fopen(PROFILE, "re");
        bool in_session = false;
        char line[256], *name;
        size_t used = 0;

        must(file != NULL, PROFILE);
        while (fgets(line, sizeof(line), file)) {
                if (line[0] != '\t') {
                        in_session = string_starts_with(line, "Session:");
                        continue;
                }
                if (!in_session)
                        continue;
                name = strstr(line, "pam_coursenet.so");
                if (name)
                        *name = '\0';
                used += (size_t)snprintf(ret + used, size - used, "session %s%s%s", line, name ? module : "",
                        name ? name + strlen("pam_coursenet.so") : "");
        }
        (void)fclose(file);
        assert_true(used > 0);
        /* The variable tells whether what comes behind was reached. */
        (void)snprintf(ret + used, size - used,
                "session optional pam_env.so conffile=/dev/null envfile=/run/reached\n");
}

static void open_service_as_shipped(
        const char *service, const char *module, const char *user, bool expect_success) {
        char stack[1024] = PERMIT, path[sizeof(SANDBOX_PAM) + 32];
        pam_handle_t *pamh;
        int r;

        profile_stack(module, stack + strlen(stack), sizeof(stack) - strlen(stack));
        (void)snprintf(path, sizeof(path), SANDBOX_PAM "/%s", service);
        write_file(path, "", stack);
        assert_int_equal(pam_start_confdir(service, user, &conversation, SANDBOX_PAM, &pamh), PAM_SUCCESS);
        r = pam_open_session(pamh, 0);
        if ((r == PAM_SUCCESS) != expect_success)
                fail_msg("%s with %s: %s", user, module, pam_strerror(pamh, r));
        assert_int_equal(pam_getenv(pamh, "REACHED") != NULL, expect_success);
        if (r == PAM_SUCCESS)
                assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_end(pamh, r), PAM_SUCCESS);
}

static void open_as_shipped(const char *module, const char *user, bool expect_success) {
        open_service_as_shipped("test", module, user, expect_success);
}

static void test_the_shipped_stack(void **state) {
        (void)state;
        write_file("/run/reached", "", "REACHED=1\n");
        open_as_shipped(MODULE, "root", true);
        open_as_shipped(MODULE, "daemon", true);
        open_as_shipped(MODULE, "staff", true);
        open_as_shipped(MODULE, STUDENT, true);
        fake->reply.type = REPLY_FAILED;
        open_as_shipped(MODULE, STUDENT, false);
        open_as_shipped(MODULE, "staff", true);
}

/* Servers whose work is in another process than their session, or at another address than the seat's. */
static void test_the_shipped_stack_leaves_servers_outside(void **state) {
        static const char *const services[] = {"vsftpd", "pure-ftpd", "dovecot"};

        (void)state;
        write_file("/run/reached", "", "REACHED=1\n");
        for (size_t i = 0; i < ELEMENTSOF(services); i++)
                open_service_as_shipped(services[i], MODULE, STUDENT, true);
        assert_requests(0);
        open_service_as_shipped("vsftpd2", MODULE, STUDENT, true);
        assert_requests(2);
}

/* After a failed upgrade, root gets in to repair it, and a student does not. */
static void test_the_shipped_stack_without_the_module(void **state) {
        (void)state;
        write_file("/run/reached", "", "REACHED=1\n");
        open_as_shipped("/run/missing.so", "root", true);
        open_as_shipped("/run/missing.so", "daemon", true);
        open_as_shipped("/run/missing.so", STUDENT, false);
        assert_requests(0);
}

/* --- what metrics count ---------------------------------------------------------------------- */

static int listen_as_journald(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1;

        (void)mkdir("/run/systemd", 0755);
        (void)mkdir("/run/systemd/journal", 0755);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)), 0);
        return fd;
}

static void stop_listening(int fd) {
        (void)close(fd);
        (void)unlink(JOURNAL_SOCKET);
}

/* The next entry; bytes that are no text become dots. False: there is none. */
static bool read_entry(int fd, char text[static 2048], uid_t *ret_uid) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec part = {.iov_base = text, .iov_len = 2047};
        struct msghdr message = {.msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
        struct ucred peer;

        if (n < 0)
                return false;
        memcpy(&peer, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(peer));
        *ret_uid = peer.uid;
        text[n] = '\0';
        for (ssize_t i = 0; i < n; i++)
                if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
                        text[i] = '.';
        return true;
}

static void assert_contains(const char *text, const char *part) {
        if (!strstr(text, part))
                fail_msg("'%s' is not in the entry:\n%s", part, text);
}

static void test_what_the_module_refuses_is_in_the_journal_with_a_reason(void **state) {
        static const struct {
                const char *stack, *user, *reason, *message;
                enum fake_manner manner;
        } refusals[] = {
                {OURS(""), STUDENT, "no-activator", "the activator hung up", FAKE_HANGS_UP},
                {OURS(""), STUDENT, "no-activator", "of another version", FAKE_ANSWERS_GARBAGE},
                {OURS(""), "CS123-newellz2", "name", "cannot be a course user's name", FAKE_ANSWERS},
                {OURS("no-such-option"), STUDENT, "settings", "no-such-option", FAKE_ANSWERS},
                {OURS(""), "cs123-noaccount", "program", "the account was not found", FAKE_ANSWERS},
        };
        char text[2048], expected[128];
        int fd = listen_as_journald();
        uid_t uid;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++) {
                fake_reset();
                recorder_reset();
                fake->manner = refusals[i].manner;
                open_denied(refusals[i].stack, refusals[i].user);
                assert_int_equal(recorder.n_sentences, 1);
                assert_string_equal(recorder.log, "");
                assert_true(read_entry(fd, text, &uid));
                assert_contains(text, MESSAGE_REFUSED "\n");
                assert_contains(text, refusals[i].message);
                (void)snprintf(
                        expected, sizeof(expected), "\nCOURSENET_REASON\n........%s\n", refusals[i].reason);
                assert_contains(text, expected);
                (void)snprintf(
                        expected, sizeof(expected), "pam_coursenet(test:session): %s: ", refusals[i].user);
                assert_contains(text, expected);
                assert_false(read_entry(fd, text, &uid));
        }
        stop_listening(fd);
}

/* What the activator refuses it has logged itself: a second entry with a reason would count twice. */
static void test_what_the_activator_refuses_has_no_second_reason(void **state) {
        static const enum reply_type types[] = {
                REPLY_NO_SEAT, REPLY_NO_NAME, REPLY_REFUSED, REPLY_FAILED, REPLY_NO_CONTAINER, REPLY_TIMEOUT};
        int fd = listen_as_journald();
        char text[2048];
        uid_t uid;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                fake_reset();
                recorder_reset();
                fake->reply.type = (uint16_t)types[i];
                open_denied(OURS(""), STUDENT);
                assert_false(read_entry(fd, text, &uid));
                assert_int_equal(recorder.n_errors, 1);
        }
        stop_listening(fd);
}

static int refuse_as_su(void *name) {
        pam_handle_t *pamh = start(OURS(""), name);

        return setresuid(STUDENT_UID, 0, 0) < 0 ? 99 : pam_open_session(pamh, 0);
}

/* A setuid program has the real user of its caller. */
static void test_what_a_setuid_program_refuses_is_an_entry_of_root(void **state) {
        int fd = listen_as_journald();
        uid_t uid = (uid_t)-1;
        char text[2048];

        (void)state;
        assert_int_equal(in_child(refuse_as_su, (char[]){"CS123-newellz2"}), PAM_PERM_DENIED);
        assert_true(read_entry(fd, text, &uid));
        assert_int_equal(uid, 0);
        stop_listening(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_open_joins_and_close_leaves),
                TEST(test_the_request_says_who_and_from_where),
                TEST(test_wait_options_become_flags),
                TEST(test_debug_tells_the_log_and_not_the_user),
                TEST(test_others_are_ignored),
                TEST(test_the_users_manager_is_ignored),
                TEST(test_others_cost_no_system_call),
                TEST(test_every_failure_denies_with_one_sentence),
                TEST(test_what_the_module_refuses_is_in_the_journal_with_a_reason),
                TEST(test_what_the_activator_refuses_has_no_second_reason),
                TEST(test_what_a_setuid_program_refuses_is_an_entry_of_root),
                TEST(test_a_restart_of_the_activator_refuses_nobody),
                TEST(test_an_upgrade_to_another_protocol_refuses_nobody),
                TEST(test_not_on_the_class_list),
                TEST(test_a_course_users_other_names_are_refused),
                TEST(test_an_account_that_is_known_by_now_tells),
                TEST(test_what_the_site_says_of_a_name_is_told),
                TEST(test_rules_with_a_domain),
                TEST(test_another_version_is_refused),
                TEST(test_silence_ends_at_the_timeout),
                TEST(test_a_hang_up_before_the_request),
                TEST(test_a_request_to_nobody_kills_nobody),
                TEST(test_no_activator),
                TEST(test_a_wrong_option_denies_whom_the_rule_matches),
                TEST(test_no_user_is_denied_and_not_asked_for),
                TEST(test_no_account_is_denied),
                TEST(test_an_account_that_cannot_be_looked_up_is_not_said_to_be_absent),
                TEST(test_pam_silent_keeps_the_sentence_back),
                TEST(test_a_reply_must_name_a_seat_of_the_course),
                TEST(test_a_reply_without_a_lease_is_refused),
                TEST(test_a_namespace_that_cannot_be_joined_gives_the_lease_back),
                TEST(test_a_threaded_process_does_not_join),
                TEST(test_a_display_manager_joins_by_its_thread),
                TEST(test_a_later_module_fails),
                TEST(test_close_after_a_failed_open_asks_for_nothing),
                TEST(test_the_handle_ends_and_another_closes),
                TEST(test_a_second_close_asks_for_nothing),
                TEST(test_a_second_open_gives_the_first_lease_back),
                TEST(test_a_restart_of_the_activator_loses_no_close),
                TEST(test_a_close_without_an_id_is_sent_again_if_it_was_not_read),
                TEST(test_a_close_that_the_activator_refuses_is_logged),
                TEST(test_a_forked_child_ends_nothing),
                TEST(test_a_silent_end_ends_nothing),
                TEST(test_a_successful_end_leaves_the_session),
                TEST(test_an_unprivileged_close_is_silent),
                TEST(test_an_unprivileged_close_is_logged_with_debug),
                TEST(test_a_wrong_option_is_logged_at_a_close_as_well),
                TEST(test_another_process_closes_without_an_id),
                TEST(test_signals_of_the_host_do_no_harm),
                TEST(test_descriptors_0_to_2_stay_the_hosts),
                TEST(test_a_reused_descriptor_is_left_alone),
                TEST(test_nothing_is_inherited),
                TEST(test_the_shipped_stack),
                TEST(test_the_shipped_stack_leaves_servers_outside),
                TEST(test_the_shipped_stack_without_the_module),
        };

        return cmocka_run_group_tests_name("pam session", tests, prepare, finish);
}
