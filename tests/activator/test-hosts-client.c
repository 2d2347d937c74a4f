/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The requests to coursenet-hosts. The test is coursenet-hosts: it listens on the socket and answers as it
 * likes. */

#include "tests/unit/fixture.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "seat/hosts-client.h"

static sd_event *event;
static struct hosts_client *client;
static int listener = -1, connection = -1;
static unsigned n_pushes;

static const char *socket_path(void) {
        static char path[100];

        (void)snprintf(path, sizeof(path), "%s/hosts.sock", etc);
        return path;
}

/* --- coursenet-hosts -------------------------------------------------------------------------- */

static void start_hosts(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path());
        (void)unlink(address.sun_path);
        listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(listener >= 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 8), 0);
}

static void stop_hosts(void) {
        close_pointer(&connection);
        close_pointer(&listener);
        (void)unlink(socket_path());
}

/* The next request, which must be this one. Returns its id. */
static uint32_t receive(enum hosts_verb verb, const char *seat) {
        struct hosts_request request;
        ssize_t n;

        if (connection < 0)
                connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        n = recv(connection, &request, sizeof(request), MSG_DONTWAIT);
        assert_int_equal(n, sizeof(request));
        assert_int_equal(hosts_request_check(&request, (size_t)n), 0);
        assert_int_equal(request.verb, verb);
        assert_string_equal(request.seat, seat);
        return request.id;
}

static void reply(uint32_t id, enum hosts_reply_type type) {
        struct hosts_reply message;

        hosts_reply_init(&message, type, id);
        if (type == HOSTS_ELSEWHERE || type == HOSTS_TAKEN)
                protocol_copy_text(message.member, sizeof(message.member), "hostb");
        if (type == HOSTS_TAKEN)
                protocol_copy_text(message.seat, sizeof(message.seat), "12310");
        assert_int_equal(send(connection, &message, sizeof(message), MSG_NOSIGNAL), sizeof(message));
}

static void run(void) {
        while (sd_event_run(event, 0) > 0)
                ;
}

/* --- who asks --------------------------------------------------------------------------------- */

struct asker {
        struct hosts_call *call;
        unsigned n_answers;
        struct hosts_reply reply;
};

static void handle_answer(void *userdata, const struct hosts_reply *answer) {
        struct asker *asker = userdata;

        assert_null(asker->call);
        asker->n_answers++;
        asker->reply = *answer;
}

static void ask(struct asker *asker, const char *seat) {
        assert_int_equal(
                hosts_client_claim(client, seat, "cs123-newellz2", handle_answer, asker, &asker->call), 0);
        assert_non_null(asker->call);
        assert_int_equal(asker->n_answers, 0);
}

static void handle_push(void *userdata, const struct hosts_reply *push) {
        assert_ptr_equal(userdata, &n_pushes);
        assert_int_equal(push->type, HOSTS_TAKEN);
        assert_string_equal(push->seat, "12310");
        n_pushes++;
}

static void make_client(void) {
        client = hosts_client_new(event, socket_path(), handle_push, &n_pushes);
        assert_non_null(client);
}

static int set_up(void **state) {
        n_pushes = 0;
        return make_etc(state) < 0 || sd_event_new(&event) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        hosts_client_free(client);
        client = NULL;
        stop_hosts();
        event = sd_event_unref(event);
        return remove_etc(state);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_answers_go_to_who_asked(void **state) {
        struct asker one = {0}, other = {0};
        uint32_t one_id, other_id;

        (void)state;
        start_hosts();
        make_client();
        ask(&one, "12310");
        ask(&other, "12311");
        (void)receive(HOSTS_WATCH, "");
        one_id = receive(HOSTS_CLAIM, "12310");
        other_id = receive(HOSTS_CLAIM, "12311");
        reply(other_id, HOSTS_ELSEWHERE);
        run();
        assert_int_equal(one.n_answers, 0);
        assert_int_equal(other.n_answers, 1);
        assert_int_equal(other.reply.type, HOSTS_ELSEWHERE);
        assert_string_equal(other.reply.member, "hostb");
        reply(one_id, HOSTS_DONE);
        run();
        assert_int_equal(one.n_answers, 1);
        assert_int_equal(one.reply.type, HOSTS_DONE);
}

static void test_what_is_pushed(void **state) {
        (void)state;
        start_hosts();
        make_client();
        (void)receive(HOSTS_WATCH, "");
        reply(0, HOSTS_TAKEN);
        run();
        assert_int_equal(n_pushes, 1);
}

static void test_a_dropped_call_gets_no_answer(void **state) {
        struct asker asker = {0};
        uint32_t id;

        (void)state;
        start_hosts();
        make_client();
        ask(&asker, "12310");
        hosts_call_drop(&asker.call);
        assert_null(asker.call);
        (void)receive(HOSTS_WATCH, "");
        id = receive(HOSTS_CLAIM, "12310");
        reply(id, HOSTS_DONE);
        run();
        assert_int_equal(asker.n_answers, 0);
        hosts_client_release(client, "12310");
        (void)receive(HOSTS_RELEASE, "12310");
}

static void run_until(const unsigned *n) {
        while (*n == 0)
                assert_true(sd_event_run(event, 10000000) > 0);
}

/* A request of the time of a restart is sent again. */
static void test_a_restart_refuses_nobody(void **state) {
        struct asker asker = {0};
        uint32_t id;

        (void)state;
        start_hosts();
        make_client();
        ask(&asker, "12310");
        (void)receive(HOSTS_WATCH, "");
        (void)receive(HOSTS_CLAIM, "12310");
        stop_hosts();
        start_hosts();
        assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
        while (connection < 0) {
                assert_true(sd_event_run(event, 10000000) >= 0);
                connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        }
        (void)receive(HOSTS_WATCH, "");
        id = receive(HOSTS_CLAIM, "12310");
        reply(id, HOSTS_DONE);
        run_until(&asker.n_answers);
        assert_int_equal(asker.reply.type, HOSTS_DONE);
}

/* A login never waits for long. */
static void test_without_coursenet_hosts(void **state) {
        struct asker asker = {0};

        (void)state;
        make_client();
        ask(&asker, "12310");
        run_until(&asker.n_answers);
        assert_int_equal(asker.reply.type, HOSTS_REFUSED);
        assert_int_equal(asker.reply.reason, HOSTS_NOT_READY);
        assert_non_null(strstr(asker.reply.text, "systemctl status coursenet-hosts.service"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answers_go_to_who_asked, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_what_is_pushed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_dropped_call_gets_no_answer, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_restart_refuses_nobody, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_without_coursenet_hosts, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
