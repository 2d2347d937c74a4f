/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The whole of coursenet-hosts, in a process of its own, with a real etcd: what it answers to who asks. */

#include "claim-value.h"
#include "daemon.h"
#include "hosts-protocol.h"
#include "store-client.h"
#include "store-server.h"
#include "trusted-file.h"

#define ETC "/run/etc"
#define SOCKET "/run/hosts.sock"
#define SAID "/run/said"
#define HEAD "[site]\nspread = yes\nnetwork6 = off\n[hosts]\nstore = " ETCD_URL "\n"
#define SETTINGS HEAD "members = hosta=192.0.2.1 hostb=192.0.2.2\nhost-name = hosta\n"

static pid_t daemon_pid;

/* --- the program ----------------------------------------------------------------------------- */

static void write_settings(const char *text) {
        FILE *file = fopen(ETC "/coursenet.conf", "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void start_daemon(void) {
        static const struct daemon_paths paths = {
                .etc = ETC, .state = "/run/state", .root = "/run/hosts", .socket = SOCKET};
        int said;

        (void)unlink(SOCKET);
        daemon_pid = start_child();
        if (daemon_pid > 0)
                return;
        said = open(SAID, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (said < 0 || dup2(said, STDERR_FILENO) < 0)
                _exit(EXIT_FAILURE);
        _exit(daemon_run(&paths) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int wait_daemon(void) {
        int status;

        assert_int_equal(waitpid(daemon_pid, &status, 0), daemon_pid);
        daemon_pid = 0;
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void assert_said(const char *part) {
        char text[4096] = "";
        FILE *file = fopen(SAID, "re");

        assert_non_null(file);
        (void)fread(text, 1, sizeof(text) - 1, file);
        (void)fclose(file);
        if (!strstr(text, part))
                fail_msg("it has not said \"%s\", but:\n%s", part, text);
}

static int begin(void **state) {
        (void)state;
        return bystander_begin();
}

static int end(void **state) {
        (void)state;
        end_child(&daemon_pid);
        bystander_end();
        put_servers_right();
        return 0;
}

static int begin_group(void **state) {
        umask(022);
        if (begin_servers(state) < 0 || mkdir(ETC, 0755) < 0 || mkdir("/run/state", 0700) < 0)
                return -1;
        return 0;
}

/* --- requests -------------------------------------------------------------------------------- */

/* Waits until the program listens. */
static int connect_to_daemon(void) {
        const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
        uint64_t patience = now_boottime_usec() + PATIENCE_USEC;
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                assert_true(now_boottime_usec() < patience);
                (void)usleep(10000);
        }
        return fd;
}

static struct hosts_request request(enum hosts_verb verb) {
        static uint32_t id;
        struct hosts_request request;

        hosts_request_init(&request, verb, ++id);
        return request;
}

static void send_request(int fd, const struct hosts_request *request) {
        assert_int_equal(send(fd, request, sizeof(*request), MSG_NOSIGNAL), sizeof(*request));
}

static struct hosts_reply receive_reply(int fd) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        struct hosts_reply reply;

        assert_int_equal(poll(&polled, 1, (int)(PATIENCE_USEC / USEC_PER_MSEC)), 1);
        assert_int_equal(recv(fd, &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(hosts_reply_check(&reply, sizeof(reply)), 0);
        return reply;
}

static struct hosts_reply ask(const struct hosts_request *request) {
        int fd = connect_to_daemon();
        struct hosts_reply reply;

        send_request(fd, request);
        reply = receive_reply(fd);
        assert_int_equal(reply.id, request->id);
        (void)close(fd);
        return reply;
}

static struct hosts_reply ask_drain(const char *member, unsigned number) {
        struct hosts_request drain = request(HOSTS_DRAIN);

        drain.number = number;
        protocol_copy_text(drain.member, sizeof(drain.member), member);
        protocol_copy_text(drain.user, sizeof(drain.user), "root");
        return ask(&drain);
}

static struct hosts_reply ask_number(const char *user, unsigned number) {
        struct hosts_request wish = request(HOSTS_NUMBER);

        wish.number = number;
        protocol_copy_text(wish.course, sizeof(wish.course), "123");
        protocol_copy_text(wish.user, sizeof(wish.user), user);
        return ask(&wish);
}

static struct hosts_request of_seat(enum hosts_verb verb, const char *seat) {
        struct hosts_request result = request(verb);

        protocol_copy_text(result.seat, sizeof(result.seat), seat);
        if (verb == HOSTS_CLAIM)
                protocol_copy_text(result.user, sizeof(result.user), "cs123-newellz2");
        return result;
}

static void assert_refused(const struct hosts_reply *reply, enum hosts_reason reason, const char *part) {
        assert_int_equal(reply->type, HOSTS_REFUSED);
        assert_int_equal(reply->reason, reason);
        if (!strstr(reply->text, part))
                fail_msg("the text is \"%s\", without \"%s\"", reply->text, part);
}

/* Until it has the store: before, numbers are refused. */
static void wait_for_store(void) {
        uint64_t patience = now_boottime_usec() + PATIENCE_USEC;

        while (ask_number("cs123-first", 10).type != HOSTS_DONE)
                assert_true(now_boottime_usec() < patience);
}

/* --- beginning and end ----------------------------------------------------------------------- */

static void test_without_members_it_ends_at_once(void **state) {
        (void)state;
        write_settings("[site]\n");
        start_daemon();
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
        assert_said("This server shares no course with others");
}

static void test_it_does_not_start_with_settings_that_cannot_be(void **state) {
        (void)state;
        write_settings(HEAD "members = hosta=192.0.2.1 hostb=192.0.2.2\nhost-name = hostx\n");
        start_daemon();
        assert_int_equal(wait_daemon(), EXIT_FAILURE);
        assert_said("this server, hostx, is not among the members of [hosts]");
        assert_said("coursenet-hosts cannot start");
        write_settings(SETTINGS "no-such = 1\n");
        start_daemon();
        assert_int_equal(wait_daemon(), EXIT_FAILURE);
        assert_said("unknown setting 'no-such' in [hosts]");
}

static void test_it_ends_with_a_signal(void **state) {
        (void)state;
        write_settings(SETTINGS);
        start_daemon();
        wait_for_store();
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

/* --- answers --------------------------------------------------------------------------------- */

static void test_drain(void **state) {
        struct hosts_reply reply;

        (void)state;
        write_settings(SETTINGS);
        start_daemon();
        reply = ask_drain("hostx", 1);
        assert_refused(&reply, HOSTS_NO_MEMBER, "there is no server 'hostx'");
        assert_int_equal(ask_drain("hostb", 1).type, HOSTS_DONE);
        assert_true(key_exists(STORE_DRAIN "hostb"));
        assert_int_equal(ask_drain("hostb", 0).type, HOSTS_DONE);
        assert_false(key_exists(STORE_DRAIN "hostb"));
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

static void test_numbers(void **state) {
        struct hosts_reply reply;

        (void)state;
        change_aside(ETCD_TXN, etcd_put_body(STORE_NUMBERS "123/cs123-odd", "\"x\""));
        write_settings(SETTINGS);
        start_daemon();
        wait_for_store();
        reply = ask_number("cs123-newellz2", 20);
        assert_int_equal(reply.number, 20);
        assert_int_equal(ask_number("cs123-smithj", 20).number, 21);
        /* One who has a number keeps it. */
        assert_int_equal(ask_number("cs123-newellz2", 30).number, 20);
        reply = ask_number("cs123-newellz2", 0);
        assert_refused(&reply, HOSTS_NO_NUMBER, "no number to begin with");
        reply = ask_number("cs123-new", UINT32_MAX);
        assert_refused(&reply, HOSTS_NO_NUMBER, "the store has no free seat number in course 123");
        reply = ask_number("cs123-odd", 10);
        assert_refused(&reply, HOSTS_NO_NUMBER, "is not one that this version writes");
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

static void test_without_the_store(void **state) {
        struct hosts_reply reply;

        (void)state;
        write_settings(SETTINGS);
        start_daemon();
        wait_for_store();
        etcd_kill();
        reply = ask_drain("hostb", 1);
        assert_refused(&reply, HOSTS_NO_STORE, "");
        reply = ask_number("cs123-late", 10);
        assert_refused(&reply, HOSTS_NO_STORE, "");
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

/* What it does not know is in the list, or left out, and no reason not to answer. */
static void test_list_of_an_odd_store(void **state) {
        const struct hosts_request list = request(HOSTS_LIST);

        (void)state;
        change_aside(ETCD_TXN, etcd_put_body(STORE_MEMBERS "hostx", "\"x\""));
        change_aside(ETCD_TXN, etcd_put_body(STORE_CLAIMS "12399", "\"x\""));
        write_settings(SETTINGS);
        start_daemon();
        wait_for_store();
        assert_int_equal(ask(&list).type, HOSTS_DONE);
        change_aside(ETCD_TXN, etcd_delete_body(STORE_MEMBERS "hostx"));
        change_aside(ETCD_TXN, etcd_delete_body(STORE_CLAIMS "12399"));
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

static void test_two_servers_with_one_name(void **state) {
        uint64_t patience = now_boottime_usec() + PATIENCE_USEC;
        struct hosts_reply reply;

        (void)state;
        change_aside(ETCD_TXN, etcd_put_body(STORE_MEMBERS "hosta", "{\"address\":\"192.0.2.9\"}"));
        write_settings(SETTINGS);
        start_daemon();
        do {
                struct hosts_request claim = of_seat(HOSTS_CLAIM, "12310");

                assert_true(now_boottime_usec() < patience);
                reply = ask(&claim);
        } while (reply.reason != HOSTS_NOT_READY ||
                 !strstr(reply.text, "another server is hosta in the store"));
        change_aside(ETCD_TXN, etcd_delete_body(STORE_MEMBERS "hosta"));
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

/* --- connections ----------------------------------------------------------------------------- */

static void assert_closed(int fd) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        char byte;

        assert_int_equal(poll(&polled, 1, (int)(PATIENCE_USEC / USEC_PER_MSEC)), 1);
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        (void)close(fd);
}

static void test_who_does_not_speak_its_language_is_cut_off(void **state) {
        const struct hosts_request list = request(HOSTS_LIST);
        struct hosts_request odd = list;
        int fd;

        (void)state;
        write_settings(SETTINGS);
        start_daemon();
        fd = connect_to_daemon();
        odd.version++;
        send_request(fd, &odd);
        assert_closed(fd);
        assert_said("what came is no request of this version");
        assert_int_equal(ask(&list).type, HOSTS_DONE);
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

static void test_there_are_not_too_many(void **state) {
        const struct hosts_request list = request(HOSTS_LIST);
        int fds[64], fd;

        (void)state;
        write_settings(SETTINGS);
        start_daemon();
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = connect_to_daemon();
        fd = connect_to_daemon();
        assert_closed(fd);
        send_request(fds[63], &list);
        assert_int_equal(receive_reply(fds[63]).type, HOSTS_DONE);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                (void)close(fds[i]);
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

/* The one that asks for a seat's claim, and the one that watches, may end at any time. */
static void test_who_asks_may_go(void **state) {
        struct hosts_request claim = of_seat(HOSTS_CLAIM, "12310"), watch = request(HOSTS_WATCH);
        struct hosts_request release = of_seat(HOSTS_RELEASE, "12311");
        struct hosts_reply reply;
        int fd, watcher;

        (void)state;
        write_settings(SETTINGS);
        start_daemon();
        wait_for_store();
        assert_int_equal(ask(&claim).type, HOSTS_DONE);
        assert_int_equal(ask(&release).type, HOSTS_DONE);
        watcher = connect_to_daemon();
        send_request(watcher, &watch);
        assert_int_equal(receive_reply(watcher).type, HOSTS_DONE);
        etcd_freeze();
        fd = connect_to_daemon();
        claim = of_seat(HOSTS_CLAIM, "12312");
        send_request(fd, &claim);
        (void)close(fd);
        (void)close(watcher);
        /* Answered without the store, and behind both ends. */
        reply = ask(&release);
        assert_int_equal(reply.type, HOSTS_DONE);
        assert_return_code(kill(etcd_pid, SIGCONT), errno);
        assert_return_code(kill(daemon_pid, SIGTERM), errno);
        assert_int_equal(wait_daemon(), EXIT_SUCCESS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_without_members_it_ends_at_once, begin, end),
                cmocka_unit_test_setup_teardown(
                        test_it_does_not_start_with_settings_that_cannot_be, begin, end),
                cmocka_unit_test_setup_teardown(test_it_ends_with_a_signal, begin, end),
                cmocka_unit_test_setup_teardown(test_drain, begin, end),
                cmocka_unit_test_setup_teardown(test_numbers, begin, end),
                cmocka_unit_test_setup_teardown(test_without_the_store, begin, end),
                cmocka_unit_test_setup_teardown(test_list_of_an_odd_store, begin, end),
                cmocka_unit_test_setup_teardown(test_two_servers_with_one_name, begin, end),
                cmocka_unit_test_setup_teardown(test_who_does_not_speak_its_language_is_cut_off, begin, end),
                cmocka_unit_test_setup_teardown(test_there_are_not_too_many, begin, end),
                cmocka_unit_test_setup_teardown(test_who_asks_may_go, begin, end),
        };

        return cmocka_run_group_tests(tests, begin_group, end_servers);
}
