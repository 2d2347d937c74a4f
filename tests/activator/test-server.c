/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a program may ask over activator.sock or query.sock, and which answer it gets. Fakes stand for leases,
 * reports, reloads and the user database. Connections, limits and answers are the real ones.
 */

#include "fake-timer.h"
#include "tests/unit/fixture.h"

#include "message-fd.h"
#include "request/fence-note.h"
#include "request/grant-answer.h"
#include "request/reload.h"
#include "request/server.h"

#include "lease/lease-answer.h"
#include "lease/lease-request.h"
#include "lease/lease-table.h"
#include "lease/seat-claim.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/un.h>

enum {
        UID_AMY = 2000,
        UID_BOB,
};

static struct server server;
static struct lease_table leases;
static struct seats seats;

/* --- what is played -------------------------------------------------------------------------- */

/* The lease that somebody waits for. */
static struct {
        struct lease_waiter waiter;
        struct request request;
        struct ucred peer;
        bool has_pidfd;
        unsigned n_asked, n_confirmed, n_abandoned;
} lease;

static struct lease *const the_lease = (struct lease *)&lease;

static void take_lease_request(const struct lease_waiter *waiter, const struct request *request) {
        lease.n_asked++;
        lease.waiter = *waiter;
        lease.request = *request;
        *waiter->place = the_lease;
}

void lease_open(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request,
        const struct ucred *peer, int pidfd) {
        assert_ptr_equal(table, &leases);
        take_lease_request(waiter, request);
        lease.peer = *peer;
        lease.has_pidfd = pidfd >= 0;
        if (pidfd >= 0)
                (void)close(pidfd);
}

void lease_hold(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request) {
        assert_ptr_equal(table, &leases);
        take_lease_request(waiter, request);
}

static void untie(unsigned *count) {
        (*count)++;
        *lease.waiter.place = NULL;
}

void lease_confirm(struct lease *confirmed) {
        assert_ptr_equal(confirmed, the_lease);
        untie(&lease.n_confirmed);
}

void lease_abandon(struct lease *abandoned) {
        assert_ptr_equal(abandoned, the_lease);
        untie(&lease.n_abandoned);
}

/* The lease's answer: a seat ties it to who waits until that one has read it. */
static void answer(enum reply_type type, const char *text, bool tied, int fd) {
        struct reply reply;

        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        if (!tied)
                *lease.waiter.place = NULL;
        lease.waiter.answer(lease.waiter.userdata, &reply, fd);
}

/* No seat here is one of a spread course. */
void seat_claim_drop(struct seat_claim **place) {
        assert_null(*place);
}

void lease_answer_text(const struct lease_waiter *waiter, enum reply_type type, const char *text) {
        struct reply reply;

        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        waiter->answer(waiter->userdata, &reply, -1);
}

static struct request closed;
static pid_t closer;

void lease_close(struct lease_table *table, const struct request *request, pid_t peer) {
        assert_ptr_equal(table, &leases);
        closed = *request;
        closer = peer;
}

unsigned lease_stop_all(struct lease_table *table, const char *target) {
        assert_ptr_equal(table, &leases);
        return string_equal(target, "123") ? 3 : 0;
}

unsigned lease_release_all(struct lease_table *table, const char *target, const char *service) {
        assert_ptr_equal(table, &leases);
        return string_equal(target, "123") && string_equal(service, SCHEDULE_SERVICE) ? 2 : 0;
}

/* Two leases of amy's, one of bob's, and one that has no status. A lease is one of these numbers. */
static uid_t owners[] = {UID_AMY, UID_BOB, UID_AMY, UID_AMY};
static size_t n_leases = ELEMENTSOF(owners);

size_t lease_table_size(const struct lease_table *table) {
        assert_ptr_equal(table, &leases);
        return n_leases;
}

void lease_table_each(struct lease_table *table, lease_visit_t visit, void *userdata) {
        assert_ptr_equal(table, &leases);
        for (size_t i = 0; i < n_leases; i++)
                visit((struct lease *)&owners[i % ELEMENTSOF(owners)], userdata);
}

uid_t lease_uid(const struct lease *one) {
        return *(const uid_t *)one;
}

bool lease_fill_status(const struct lease *one, struct reply *ret) {
        if ((const uid_t *)one == &owners[3])
                return false;
        reply_init(ret, REPLY_LEASE);
        ret->uid = lease_uid(one);
        return true;
}

static bool amy_is_logged_in;

const char *lease_table_user_name(const struct lease_table *table, uid_t uid) {
        assert_ptr_equal(table, &leases);
        return amy_is_logged_in && uid == UID_AMY ? "cs123-amy" : NULL;
}

bool lease_table_has_user(void *table, uid_t uid) {
        (void)table;
        (void)uid;
        return false;
}

static struct {
        whois_callback_t callback;
        void *userdata;
        uid_t uid;
        unsigned n_forgotten;
} whois;

void whois_init(struct whois *ret, sd_event *event, struct query_log *log) {
        (void)ret;
        (void)event;
        (void)log;
}

void whois_done(struct whois *done) {
        (void)done;
}

int whois_ask(struct whois *asked, uid_t uid, whois_callback_t callback, void *userdata,
        struct whois_question **ret_question) {
        (void)asked;
        whois.callback = callback;
        whois.userdata = userdata;
        whois.uid = uid;
        *ret_question = (struct whois_question *)&whois;
        return 0;
}

void whois_forget(struct whois_question *question) {
        assert_ptr_equal(question, &whois);
        whois.n_forgotten++;
}

static char noted[64];

void fence_note(const char *directory, uid_t uid, const char *user) {
        (void)snprintf(noted, sizeof(noted), "%s %u %s", directory, (unsigned)uid, user);
}

static reload_callback_t reload_callback;
static void *reload_userdata;

void reload(struct seats *reloaded, reload_callback_t callback, void *userdata) {
        assert_ptr_equal(reloaded, &seats);
        reload_callback = callback;
        reload_userdata = userdata;
}

/* A report of as many bytes as are still to be sent. */
static struct {
        report_callback_t callback;
        void *userdata;
        unsigned n_freed;
        size_t left;
        int error;
        bool has_grant;    /* the child has printed one */
        unsigned n_grants; /* that were answered */
} report;

void peer_reports_init(
        struct peer_reports *reports, sd_event *event, struct query_log *log, struct query_peers *peers) {
        (void)reports;
        (void)event;
        (void)log;
        (void)peers;
}

void peer_reports_done(struct peer_reports *reports) {
        (void)reports;
}

int report_begin(struct peer_reports *reports, int fd, const struct request *request,
        const struct ucred *peer, int text, report_callback_t callback, void *userdata,
        struct report **place) {
        (void)reports;
        (void)fd;
        (void)request;
        (void)peer;
        (void)text;
        if (report.error < 0)
                return report.error;
        report.callback = callback;
        report.userdata = userdata;
        *place = (struct report *)&report;
        return 0;
}

int report_send(struct report *sent, int fd) {
        static const char bytes[1000];

        assert_ptr_equal(sent, &report);
        for (; report.left > 0; report.left -= sizeof(bytes))
                if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                        return errno == EAGAIN ? 0 : -errno;
        return 1;
}

void report_free(struct report **place) {
        if (*place)
                report.n_freed++;
        *place = NULL;
}

int report_read_grant(const struct report *granted, struct seat_grant *ret) {
        assert_ptr_equal(granted, &report);
        *ret = (struct seat_grant){.seat = "12310"};
        return report.has_grant ? 0 : -EBADMSG;
}

void grant_answer_capture(
        struct connection *connection, struct lease_table *table, uid_t key, const struct seat_grant *grant) {
        (void)table;
        assert_int_equal(key, UID_AMY);
        assert_string_equal(grant->seat, "12310");
        report.n_grants++;
        connection_reply_text(connection, REPLY_DONE, "captured");
}

void grant_answer_visit(
        struct connection *connection, struct lease_table *table, const struct seat_grant *grant) {
        (void)table;
        assert_string_equal(grant->seat, "12310");
        report.n_grants++;
        connection_reply_text(connection, REPLY_DONE, "entered");
}

/* --- the program at the other end ------------------------------------------------------------ */

static void connect_to(const char *path, int *ret_fd) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        (void)string_copy(address.sun_path, sizeof(address.sun_path), path);
        *ret_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(*ret_fd >= 0);
        assert_int_equal(connect(*ret_fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* Root at activator.sock; a user at query.sock. */
static int connect_root(void) {
        int fd;

        connect_to(etc_path("activator.sock"), &fd);
        return fd;
}

static int connect_user(uid_t uid) {
        int fd;

        assert_int_equal(seteuid(uid), 0);
        connect_to(etc_path("query.sock"), &fd);
        assert_int_equal(seteuid(0), 0);
        return fd;
}

/* The bytes behind a text are zero, or it is no request. */
static void set_user(struct request *request, const char *user) {
        memset(request->user, 0, sizeof(request->user));
        (void)string_copy(request->user, sizeof(request->user), user);
}

static struct request make_request(enum request_type type) {
        struct request request;

        request_init(&request, type);
        request.uid = UID_AMY;
        set_user(&request, "cs123-amy");
        (void)string_copy(request.service, sizeof(request.service), "sshd");
        return request;
}

static void settle(void) {
        while (sd_event_run(server.event, 0) > 0)
                ;
}

/* Sends the request, with a descriptor if it is not negative, and lets the activator work. */
static void send_request(int fd, const struct request *request, int passed) {
        struct iovec iovec = {.iov_base = (void *)(uintptr_t)request, .iov_len = sizeof(*request)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;

        message_attach_fd(&message, &room, passed);
        assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), sizeof(*request));
        settle();
}

static void ask(int fd, enum request_type type) {
        const struct request request = make_request(type);

        send_request(fd, &request, -1);
}

/* The next reply; false: there is none yet. */
static bool next_reply(int fd, struct reply *ret) {
        ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);

        assert_true(n == (ssize_t)sizeof(*ret) || (n < 0 && errno == EAGAIN));
        return n > 0;
}

static void get_reply(int fd, enum reply_type type, const char *part) {
        struct reply reply;

        assert_true(next_reply(fd, &reply));
        assert_int_equal(reply.type, type);
        if (!strstr(reply.text, part))
                fail_msg("the answer is: %s", reply.text);
}

static bool is_open(int fd) {
        char byte;

        return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

static void hang_up(int fd) {
        assert_int_equal(close(fd), 0);
        settle();
}

/* It has its answer, and nothing comes after it. */
static void is_over(int fd) {
        assert_false(is_open(fd));
        hang_up(fd);
        assert_null(server.connections);
}

/* --- who may ask for what -------------------------------------------------------------------- */

static void a_user_may_ask_for_nothing_that_is_root_s(void **state) {
        static const enum request_type types[] = {REQUEST_OPEN, REQUEST_CLOSE, REQUEST_HOLD, REQUEST_STOP,
                REQUEST_RELOAD, REQUEST_NOTE, REQUEST_RELEASE};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                int fd = connect_user(0); /* root as well: query.sock is for everybody's own */

                ask(fd, types[i]);
                get_reply(fd, REPLY_REFUSED, "only root may ask for this");
                is_over(fd);
        }
        assert_int_equal(lease.n_asked, 0);
        assert_string_equal(noted, "");
}

static void only_root_gets_a_connection_to_the_activator(void **state) {
        int fd;

        (void)state;
        assert_int_equal(chmod(etc_path("activator.sock"), 0666), 0);
        assert_int_equal(seteuid(UID_AMY), 0);
        connect_to(etc_path("activator.sock"), &fd);
        assert_int_equal(seteuid(0), 0);
        settle();
        is_over(fd);
}

static void what_is_no_request_is_refused(void **state) {
        struct request request = make_request(REQUEST_STATUS);
        int fd = connect_root();

        (void)state;
        assert_int_equal(send(fd, "hello", 5, 0), 5);
        settle();
        get_reply(fd, REPLY_REFUSED, "malformed request");
        is_over(fd);

        fd = connect_root();
        request.version++;
        send_request(fd, &request, -1);
        get_reply(fd, REPLY_REFUSED, "another version of the protocol; is it older than the module?");
        is_over(fd);

        fd = connect_root();
        request = make_request(REQUEST_STATUS);
        request.type = 200;
        send_request(fd, &request, -1);
        get_reply(fd, REPLY_REFUSED, "");
        is_over(fd);
}

static void a_peer_that_sends_nothing_is_dropped(void **state) {
        int fd = connect_root();

        (void)state;
        settle();
        assert_true(is_open(fd));
        pass_ms(5000);
        is_over(fd);
}

static void a_second_request_over_one_connection_ends_it(void **state) {
        int fd = connect_root();

        (void)state;
        ask(fd, REQUEST_OPEN);
        ask(fd, REQUEST_OPEN);
        assert_int_equal(lease.n_asked, 1);
        assert_int_equal(lease.n_abandoned, 1);
        is_over(fd);
}

/* --- logins ---------------------------------------------------------------------------------- */

static int begin_login(void) {
        const struct request request = make_request(REQUEST_OPEN);
        int fd = connect_root(), passed = dup(fd);

        send_request(fd, &request, passed);
        (void)close(passed);
        assert_int_equal(lease.n_asked, 1);
        assert_true(lease.has_pidfd);
        assert_int_equal(lease.peer.pid, getpid());
        assert_int_equal(timers_set(), 0); /* the lease has a deadline of its own */
        return fd;
}

static void a_login_that_has_read_its_answer_has_its_lease(void **state) {
        int fd = begin_login();

        (void)state;
        assert_string_equal(noted, "/run/coursenet/fence 2000 cs123-amy");
        answer(REPLY_DONE, "", true, -1);
        get_reply(fd, REPLY_DONE, "");
        hang_up(fd);
        assert_int_equal(lease.n_confirmed, 1);
        assert_int_equal(lease.n_abandoned, 0);
        assert_null(server.connections);
}

/* The module gave up a moment before: nobody would ever close that lease. */
static void a_login_that_has_not_read_its_answer_has_none(void **state) {
        int fd = begin_login();

        (void)state;
        answer(REPLY_DONE, "", true, -1);
        hang_up(fd);
        assert_int_equal(lease.n_confirmed, 0);
        assert_int_equal(lease.n_abandoned, 1);
        assert_null(server.connections);
}

static void a_login_that_hangs_up_before_its_answer_has_none(void **state) {
        int fd = begin_login();

        (void)state;
        hang_up(fd);
        assert_int_equal(lease.n_abandoned, 1);
        assert_null(server.connections);
}

static void a_login_that_fails_is_told_why(void **state) {
        int fd = begin_login();

        (void)state;
        answer(REPLY_FAILED, "netns@12310.service failed", false, -1);
        get_reply(fd, REPLY_FAILED, "netns@12310.service failed");
        is_over(fd);
}

static void a_login_that_did_not_wait_hears_no_second_answer(void **state) {
        int fd = begin_login();

        (void)state;
        answer(REPLY_DONE, "", true, -1);
        get_reply(fd, REPLY_DONE, "");
        answer(REPLY_FAILED, "it failed later", false, -1);
        is_over(fd);
}

static void a_login_gives_its_lease_back(void **state) {
        int fd = connect_root();

        (void)state;
        ask(fd, REQUEST_CLOSE);
        get_reply(fd, REPLY_DONE, "");
        is_over(fd);
        assert_string_equal(closed.user, "cs123-amy");
        assert_int_equal(closer, getpid());
}

/* --- an administrator's requests ------------------------------------------------------------- */

static void a_hold_is_answered_as_a_login_is(void **state) {
        int fd = connect_root();

        (void)state;
        ask(fd, REQUEST_HOLD);
        assert_int_equal(lease.request.type, REQUEST_HOLD);
        answer(REPLY_DONE, "", true, -1);
        get_reply(fd, REPLY_DONE, "");
        hang_up(fd);
        assert_int_equal(lease.n_confirmed, 1);
}

static void a_stop_says_how_many_leases_it_ended(void **state) {
        struct request request = make_request(REQUEST_STOP);
        int fd = connect_root();

        (void)state;
        set_user(&request, "123");
        send_request(fd, &request, -1);
        get_reply(fd, REPLY_DONE, "3");
        is_over(fd);
}

static void a_release_says_how_many_holds_it_ended(void **state) {
        struct request request = make_request(REQUEST_RELEASE);
        int fd = connect_root();

        (void)state;
        set_user(&request, "123");
        (void)string_copy(request.service, sizeof(request.service), SCHEDULE_SERVICE);
        send_request(fd, &request, -1);
        get_reply(fd, REPLY_DONE, "2");
        is_over(fd);
}

static void a_reload_answers_with_its_sentence(void **state) {
        int fd = connect_root();

        (void)state;
        ask(fd, REQUEST_RELOAD);
        assert_true(is_open(fd));
        reload_callback(reload_userdata, false, "1 mistake");
        get_reply(fd, REPLY_FAILED, "1 mistake");
        is_over(fd);

        /* The program that asked may be gone by then. */
        fd = connect_root();
        ask(fd, REQUEST_RELOAD);
        hang_up(fd);
        reload_callback(reload_userdata, true, "");
        assert_null(server.connections);
}

static void a_refused_session_is_noted_for_the_fence(void **state) {
        int fd = connect_root();

        (void)state;
        ask(fd, REQUEST_NOTE);
        get_reply(fd, REPLY_DONE, "");
        is_over(fd);
        assert_string_equal(noted, "/run/coursenet/fence 2000 cs123-amy");
}

/* --- what is up ------------------------------------------------------------------------------ */

static void everybody_sees_their_own_leases_and_root_sees_all(void **state) {
        static const struct {
                uid_t uid;
                unsigned n;
        } rows[] = {{UID_AMY, 2}, {UID_BOB, 1}, {2999, 0}, {0, 0}};
        int fd;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                fd = connect_user(rows[i].uid);
                ask(fd, REQUEST_STATUS);
                for (unsigned j = 0; j < rows[i].n; j++)
                        get_reply(fd, REPLY_LEASE, "");
                get_reply(fd, REPLY_DONE, "");
                is_over(fd);
        }
        fd = connect_root();
        ask(fd, REQUEST_STATUS);
        for (unsigned j = 0; j < 3; j++)
                get_reply(fd, REPLY_LEASE, "");
        get_reply(fd, REPLY_DONE, "");
        is_over(fd);
}

static void thousands_of_leases_are_all_told_however_slowly_they_are_read(void **state) {
        int fd = connect_root();
        struct reply reply;
        unsigned n = 0;

        (void)state;
        n_leases = 4000; /* one of four has no status */
        ask(fd, REQUEST_STATUS);
        do {
                while (!next_reply(fd, &reply))
                        settle();
                n += reply.type == REPLY_LEASE;
        } while (reply.type == REPLY_LEASE);
        assert_int_equal(reply.type, REPLY_DONE);
        assert_int_equal(n, 3000);
        settle();
        is_over(fd);
}

/* --- coursenet-enter ------------------------------------------------------------------------- */

static void who_enters_is_who_the_kernel_says(void **state) {
        struct request request = make_request(REQUEST_ENTER);
        int fd = connect_user(UID_BOB);

        (void)state;
        set_user(&request, "root");
        request.uid = 0;
        (void)snprintf(request.lease, sizeof(request.lease), "0123456789abcdef");
        send_request(fd, &request, -1);
        assert_int_equal(whois.uid, UID_BOB);
        assert_int_equal(lease.n_asked, 0);
        whois.callback(whois.userdata, "cs123-bob", NULL);
        assert_int_equal(lease.n_asked, 1);
        assert_string_equal(lease.request.user, "cs123-bob");
        assert_int_equal(lease.request.uid, UID_BOB);
        assert_string_equal(lease.request.service, ENTER_SERVICE);
        assert_string_equal(lease.request.lease, "0123456789abcdef");
        answer(REPLY_FAILED, "not on the roster", false, -1);
        get_reply(fd, REPLY_FAILED, "not on the roster");
        is_over(fd);
}

/* It gets into the record as it is. */
static void what_is_no_token_is_dropped(void **state) {
        static const char *const texts[] = {"0123456789abcdef0", "a = b ; c", "12310_0123456789abcdef"};

        (void)state;
        amy_is_logged_in = true;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                struct request request = make_request(REQUEST_ENTER);
                int fd = connect_user(UID_AMY);

                (void)snprintf(request.lease, sizeof(request.lease), "%s", texts[i]);
                send_request(fd, &request, -1);
                assert_string_equal(lease.request.lease, "");
                hang_up(fd);
        }
}

static void the_user_database_is_not_asked_for_one_who_is_logged_in(void **state) {
        int fd = connect_user(UID_AMY);

        (void)state;
        amy_is_logged_in = true;
        ask(fd, REQUEST_ENTER);
        assert_int_equal(lease.n_asked, 1);
        assert_string_equal(lease.request.user, "cs123-amy");
        hang_up(fd);
        assert_int_equal(lease.n_abandoned, 1);
}

static void who_has_no_name_is_told_so(void **state) {
        int fd = connect_user(UID_BOB);

        (void)state;
        ask(fd, REQUEST_ENTER);
        whois.callback(whois.userdata, NULL, "your uid has no user name here");
        get_reply(fd, REPLY_FAILED, "your uid has no user name here");
        is_over(fd);
        assert_int_equal(lease.n_asked, 0);

        fd = connect_user(UID_BOB);
        ask(fd, REQUEST_ENTER);
        hang_up(fd);
        assert_int_equal(whois.n_forgotten, 1);
        assert_null(server.connections);
}

static void the_seat_comes_as_a_descriptor(void **state) {
        struct reply reply;
        struct iovec iovec = {.iov_base = &reply, .iov_len = sizeof(reply)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        int fd = connect_user(UID_AMY), passed;
        struct message_fd room;
        struct stat ours, theirs;

        (void)state;
        amy_is_logged_in = true;
        ask(fd, REQUEST_ENTER);
        answer(REPLY_DONE, "", false, STDERR_FILENO);
        message_expect_fd(&message, &room);
        assert_int_equal(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), sizeof(reply));
        passed = message_take_fd(&message);
        assert_true(passed >= 0);
        assert_int_equal(fstat(passed, &theirs), 0);
        assert_int_equal(fstat(STDERR_FILENO, &ours), 0);
        assert_int_equal(theirs.st_ino, ours.st_ino);
        (void)close(passed);
        is_over(fd);
}

/* coursenet-enter tries again when its connection is closed without a word. */
static void who_enters_too_often_has_to_wait(void **state) {
        unsigned n;

        (void)state;
        amy_is_logged_in = true;
        for (n = 0; n < 1000; n++) {
                int fd = connect_user(UID_AMY);
                bool asked_before = lease.n_asked > n;

                assert_false(asked_before);
                ask(fd, REQUEST_ENTER);
                hang_up(fd);
                if (lease.n_asked == n)
                        break;
        }
        assert_in_range(n, 64, 999);
        assert_null(server.connections);
}

/* --- reports --------------------------------------------------------------------------------- */

static void a_report_comes_behind_its_reply(void **state) {
        int fd = connect_user(UID_AMY);
        struct reply reply;
        char chunk[1000];
        size_t n = 0;

        (void)state;
        ask(fd, REQUEST_REPORT);
        assert_int_equal(timers_set(), 0); /* a report has its own time limit */
        report.left = 2000000;
        reply_init(&reply, REPLY_REPORT);
        report.callback(report.userdata, &reply);
        get_reply(fd, REPLY_REPORT, "");
        while (n < 2000000) {
                ssize_t size = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

                if (size > 0)
                        n += (size_t)size;
                else
                        settle();
        }
        settle();
        assert_int_equal(report.n_freed, 1);
        is_over(fd);
}

/* Each makes requests of root's. */
static void a_user_may_not_change_things_in_a_loop(void **state) {
        unsigned n;

        (void)state;
        for (n = 0; n < 1000; n++) {
                int fd = connect_user(UID_AMY);

                ask(fd, REQUEST_CHANGE);
                if (!is_open(fd)) {
                        get_reply(fd, REPLY_REFUSED, "too many requests at once");
                        hang_up(fd);
                        break;
                }
                hang_up(fd);
        }
        assert_in_range(n, 10, 999);
        assert_null(server.connections);
}

static void a_peer_that_does_not_read_its_report_is_dropped(void **state) {
        int fd = connect_user(UID_AMY);
        struct reply reply;

        (void)state;
        ask(fd, REQUEST_REPORT);
        report.left = 2000000;
        reply_init(&reply, REPLY_REPORT);
        report.callback(report.userdata, &reply);
        settle();
        pass_ms(5000);
        assert_int_equal(report.n_freed, 1);
        assert_null(server.connections);
        (void)close(fd);
}

static void a_report_that_cannot_be_made_is_refused(void **state) {
        int fd = connect_user(UID_AMY);

        (void)state;
        report.error = -ENOMEM;
        ask(fd, REQUEST_REPORT);
        get_reply(fd, REPLY_FAILED, "Cannot allocate memory");
        is_over(fd);
}

/* What the child has printed decides. */
static void a_capture_and_a_visit_need_a_grant(void **state) {
        static const struct {
                enum request_type request;
                int status;
                bool has_grant;
                enum reply_type type;
                const char *text;
        } rows[] = {
                {REQUEST_CAPTURE, 0, true, REPLY_DONE, "captured"},
                {REQUEST_CAPTURE, 1, true, REPLY_REPORT, ""},
                {REQUEST_CAPTURE, 0, false, REPLY_FAILED, "another version"},
                {REQUEST_VISIT, 0, true, REPLY_DONE, "entered"},
                {REQUEST_VISIT, 1, true, REPLY_REPORT, ""},
                {REQUEST_VISIT, 0, false, REPLY_FAILED, "another version"},
        };
        struct reply reply;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int fd = connect_user(UID_AMY);

                ask(fd, rows[i].request);
                report.has_grant = rows[i].has_grant;
                reply_init(&reply, REPLY_REPORT);
                reply.pid = rows[i].status;
                report.callback(report.userdata, &reply);
                get_reply(fd, rows[i].type, rows[i].text);
                is_over(fd);
        }
        assert_int_equal(report.n_grants, 2);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void one_user_has_a_few_connections(void **state) {
        int fds[9];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = connect_user(UID_AMY);
                settle();
                assert_int_equal(is_open(fds[i]), i < 8);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                hang_up(fds[i]);
}

/* Nobody keeps others out by connections that send nothing. */
static void when_there_is_no_room_the_one_that_was_silent_for_longest_goes(void **state) {
        int fds[128], next;

        (void)state;
        amy_is_logged_in = true;
        for (unsigned i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = connect_user(3000 + i / 8);
                settle();
        }
        ask(fds[0], REQUEST_ENTER); /* it waits for an answer, so it is not silent */
        next = connect_user(UID_AMY);
        settle();
        assert_true(is_open(next));
        assert_true(is_open(fds[0]));
        assert_false(is_open(fds[1]));
        assert_true(is_open(fds[2]));
        hang_up(next);
        for (unsigned i = 0; i < ELEMENTSOF(fds); i++)
                hang_up(fds[i]);
}

/* Or others could fill all places at that moment. */
static void a_request_that_was_sent_is_read_before_another_connection_is_accepted(void **state) {
        const struct request request = make_request(REQUEST_ENTER);
        int fd = connect_user(UID_AMY);

        (void)state;
        amy_is_logged_in = true;
        assert_int_equal(send(fd, &request, sizeof(request), 0), sizeof(request));
        assert_true(sd_event_run(server.event, UINT64_C(10000000)) > 0);
        assert_int_equal(lease.n_asked, 1);
        hang_up(fd);
}

/* With a lease the limits of leases count. */
static void who_waits_for_a_seat_may_open_another_connection(void **state) {
        int fds[9];

        (void)state;
        amy_is_logged_in = true;
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = connect_user(UID_AMY);
                ask(fds[i], REQUEST_ENTER);
                assert_int_equal(lease.n_asked, i + 1);
                assert_true(is_open(fds[i]));
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                hang_up(fds[i]);
}

/* Such a connection waits in the socket, which stays readable. */
static void without_descriptors_the_activator_pauses_and_loses_nobody(void **state) {
        struct rlimit limit, none;
        unsigned n_runs = 0;
        int fd;

        (void)state;
        settle();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        fd = connect_root();
        none = limit;
        none.rlim_cur = (rlim_t)fd + 1; /* it is the lowest that was free */
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        while (n_runs < 100 && sd_event_run(server.event, 0) > 0)
                n_runs++;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_in_range(n_runs, 1, 5);

        assert_null(server.connections);
        while (!server.connections)
                assert_true(sd_event_run(server.event, UINT64_C(10000000)) > 0);
        hang_up(fd);
}

/* --- the fixture ----------------------------------------------------------------------------- */

static void listen_at(const char *name, mode_t mode, bool privileged) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)string_copy(address.sun_path, sizeof(address.sun_path), etc_path(name));
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(chmod(address.sun_path, mode), 0);
        assert_int_equal(listen(fd, 256), 0);
        assert_true(server_listen(&server, fd, privileged) >= 0);
}

static int set_up(void **state) {
        sd_event *event;

        if (make_etc(state) < 0 || sd_event_new(&event) < 0)
                return -1;
        memset(&lease, 0, sizeof(lease));
        memset(&whois, 0, sizeof(whois));
        memset(&report, 0, sizeof(report));
        amy_is_logged_in = false;
        n_leases = ELEMENTSOF(owners);
        noted[0] = '\0';
        server_init(&server, event, &leases, &seats);
        listen_at("activator.sock", 0600, true);
        listen_at("query.sock", 0666, false);
        return 0;
}

static int tear_down(void **state) {
        server_done(&server);
        sd_event_unref(server.event);
        return remove_etc(state);
}

#define server_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                server_test(a_user_may_ask_for_nothing_that_is_root_s),
                server_test(only_root_gets_a_connection_to_the_activator),
                server_test(what_is_no_request_is_refused),
                server_test(a_peer_that_sends_nothing_is_dropped),
                server_test(a_second_request_over_one_connection_ends_it),
                server_test(a_login_that_has_read_its_answer_has_its_lease),
                server_test(a_login_that_has_not_read_its_answer_has_none),
                server_test(a_login_that_hangs_up_before_its_answer_has_none),
                server_test(a_login_that_fails_is_told_why),
                server_test(a_login_that_did_not_wait_hears_no_second_answer),
                server_test(a_login_gives_its_lease_back),
                server_test(a_hold_is_answered_as_a_login_is),
                server_test(a_stop_says_how_many_leases_it_ended),
                server_test(a_release_says_how_many_holds_it_ended),
                server_test(a_reload_answers_with_its_sentence),
                server_test(a_refused_session_is_noted_for_the_fence),
                server_test(everybody_sees_their_own_leases_and_root_sees_all),
                server_test(thousands_of_leases_are_all_told_however_slowly_they_are_read),
                server_test(who_enters_is_who_the_kernel_says),
                server_test(what_is_no_token_is_dropped),
                server_test(the_user_database_is_not_asked_for_one_who_is_logged_in),
                server_test(who_has_no_name_is_told_so),
                server_test(the_seat_comes_as_a_descriptor),
                server_test(who_enters_too_often_has_to_wait),
                server_test(a_report_comes_behind_its_reply),
                server_test(a_user_may_not_change_things_in_a_loop),
                server_test(a_peer_that_does_not_read_its_report_is_dropped),
                server_test(a_report_that_cannot_be_made_is_refused),
                server_test(a_capture_and_a_visit_need_a_grant),
                server_test(one_user_has_a_few_connections),
                server_test(when_there_is_no_room_the_one_that_was_silent_for_longest_goes),
                server_test(a_request_that_was_sent_is_read_before_another_connection_is_accepted),
                server_test(without_descriptors_the_activator_pauses_and_loses_nobody),
                server_test(who_waits_for_a_seat_may_open_another_connection),
        };

        return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
