/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The requests to coursenet-worker. The test is the worker: it listens on the socket and answers as it likes.
 */

#include "tests/unit/fixture.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "fake-timer.h"
#include "seat/worker-client.h"
#include "worker-protocol.h"

static sd_event *event;
static struct worker_client *client;
static int listener = -1, connection = -1;

/* --- the worker --------------------------------------------------------------------------------------- */

static void start_worker(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", etc_path("worker.sock"));
        (void)unlink(address.sun_path);
        listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(listener >= 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 8), 0);
}

static void stop_worker(void) {
        close_pointer(&connection);
        close_pointer(&listener);
}

/* The next request; it must be this one. Returns its id. */
static uint32_t receive(enum worker_verb verb, const char *seat) {
        struct worker_request request;
        ssize_t n;

        if (connection < 0)
                connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        n = recv(connection, &request, sizeof(request), MSG_DONTWAIT);
        assert_int_equal(n, sizeof(request));
        assert_int_equal(worker_request_check(&request, (size_t)n), 0);
        assert_int_equal(request.verb, verb);
        assert_string_equal(request.seat, seat);
        return request.id;
}

static void received_nothing(void) {
        char byte;

        if (connection >= 0)
                assert_int_equal(recv(connection, &byte, 1, MSG_DONTWAIT), -1);
}

static void reply(uint32_t id, int error) {
        struct worker_reply message;

        worker_reply_init(&message, id, error, error < 0 ? "it does not work" : "");
        assert_int_equal(send(connection, &message, sizeof(message), MSG_NOSIGNAL), sizeof(message));
}

static void run(void) {
        while (sd_event_run(event, 0) > 0)
                ;
}

/* --- who asks ----------------------------------------------------------------------------------------- */

struct asker {
        struct worker_call *call;
        unsigned n_answers;
        int error;
        struct asker *next; /* asks as soon as this one has its answer */
};

static int ask(struct asker *asker, const char *seat);

static void handle_answer(void *userdata, int error) {
        struct asker *asker = userdata;

        assert_null(asker->call);
        asker->n_answers++;
        asker->error = error;
        if (asker->next)
                assert_int_equal(ask(asker->next, "12399"), 0);
}

static int ask(struct asker *asker, const char *seat) {
        return worker_client_prepare(client, seat, handle_answer, asker, &asker->call);
}

/* --- what holds --------------------------------------------------------------------------------------- */

static void replies_come_in_the_order_of_the_requests(void **state) {
        struct asker first = {0}, second = {0};
        uint32_t ids[2];

        (void)state;
        assert_int_equal(ask(&first, "12310"), 0);
        assert_int_equal(ask(&second, "12311"), 0);
        ids[0] = receive(WORKER_PREPARE, "12310");
        ids[1] = receive(WORKER_PREPARE, "12311");
        run();
        assert_int_equal(first.n_answers, 0);
        reply(ids[0], 0);
        reply(ids[1], -EBUSY);
        run();
        assert_int_equal(first.n_answers, 1);
        assert_int_equal(first.error, 0);
        assert_int_equal(second.n_answers, 1);
        assert_int_equal(second.error, -EBUSY);
}

static void a_call_that_was_dropped_has_no_answer_and_shifts_no_other(void **state) {
        struct asker first = {0}, second = {0};
        uint32_t ids[2];

        (void)state;
        assert_int_equal(ask(&first, "12310"), 0);
        assert_int_equal(ask(&second, "12311"), 0);
        worker_call_drop(&first.call);
        assert_null(first.call);
        ids[0] = receive(WORKER_PREPARE, "12310");
        ids[1] = receive(WORKER_PREPARE, "12311");
        reply(ids[0], 0);
        reply(ids[1], 0);
        run();
        assert_int_equal(first.n_answers, 0);
        assert_int_equal(second.n_answers, 1);
}

/* No login waits for it, and the next one asks a worker that was started again. */
static void a_worker_that_dies_fails_every_call_at_once(void **state) {
        struct asker first = {0}, second = {0}, third = {0};

        (void)state;
        first.next = &third;
        assert_int_equal(ask(&first, "12310"), 0);
        assert_int_equal(ask(&second, "12311"), 0);
        (void)receive(WORKER_PREPARE, "12310");
        close_pointer(&connection);
        run();
        assert_int_equal(first.n_answers, 1);
        assert_int_equal(first.error, -ECONNRESET);
        assert_int_equal(second.error, -ECONNRESET);
        assert_int_equal(third.n_answers, 0);
        reply(receive(WORKER_PREPARE, "12399"), 0);
        run();
        assert_int_equal(third.n_answers, 1);
        assert_int_equal(third.error, 0);
}

/* The end of the old connection has not been read yet. */
static void a_worker_that_was_started_again_is_asked_at_once(void **state) {
        struct asker first = {0}, second = {0};

        (void)state;
        assert_int_equal(ask(&first, "12310"), 0);
        reply(receive(WORKER_PREPARE, "12310"), 0);
        run();
        stop_worker();
        start_worker();
        assert_int_equal(ask(&second, "12311"), 0);
        reply(receive(WORKER_PREPARE, "12311"), 0);
        run();
        assert_int_equal(second.n_answers, 1);
        assert_int_equal(second.error, 0);
}

static void a_worker_that_is_not_there_is_an_error_at_once(void **state) {
        struct asker asker = {0};

        (void)state;
        stop_worker();
        assert_int_equal(ask(&asker, "12310"), -ECONNREFUSED);
        assert_null(asker.call);
        assert_int_equal(worker_client_prepare(NULL, "12310", handle_answer, &asker, &asker.call), -ENOTCONN);
        assert_int_equal(asker.n_answers, 0);
}

static void a_worker_that_reads_nothing_is_an_error_and_no_wait(void **state) {
        struct asker asker = {0};
        unsigned n = 0;
        int r;

        (void)state;
        do {
                r = ask(&asker, "12310");
                worker_call_drop(&asker.call);
        } while (r == 0 && ++n < 100000);
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(asker.n_answers, 0);
}

static void what_is_no_reply_ends_the_connection(void **state) {
        struct asker asker = {0};
        struct worker_reply message;

        (void)state;
        assert_int_equal(ask(&asker, "12310"), 0);
        reply(receive(WORKER_PREPARE, "12310") + 1, 0);
        run();
        assert_int_equal(asker.error, -EBADMSG);
        close_pointer(&connection);

        assert_int_equal(ask(&asker, "12310"), 0);
        worker_reply_init(&message, receive(WORKER_PREPARE, "12310"), 0, "");
        message.version++;
        assert_int_equal(send(connection, &message, sizeof(message), 0), sizeof(message));
        run();
        assert_int_equal(asker.n_answers, 2);
        assert_int_equal(asker.error, -EBADMSG);
}

static void only_what_was_prepared_is_discarded(void **state) {
        struct asker asker = {0};
        uint32_t id;

        (void)state;
        assert_int_equal(worker_client_discard(client, "12310"), 0);
        /* It may make something as long as it has not answered, also if nobody waits for that any more. */
        assert_int_equal(ask(&asker, "12310"), 0);
        worker_call_drop(&asker.call);
        assert_int_equal(worker_client_discard(client, "12311"), 0);
        assert_int_equal(worker_client_discard(client, "12310"), 1);
        reply(receive(WORKER_PREPARE, "12310"), 0);
        id = receive(WORKER_DISCARD, "12310");
        received_nothing();
        reply(id, 0);
        run();
        assert_int_equal(worker_client_discard(client, "12310"), 0);

        write_file("netns@12310", "");
        assert_int_equal(worker_client_discard(client, "12310"), 1);
        reply(receive(WORKER_DISCARD, "12310"), -EBUSY);
        run();
        assert_int_equal(worker_client_discard(client, "12310"), 1);
        assert_int_equal(worker_client_discard(NULL, "12310"), 0);
}

/* A worker that was killed had made no more than the bridge, and the start of its unit was cancelled. */
static void a_bridge_alone_is_discarded(void **state) {
        (void)state;
        write_file("netbr@123", "");
        assert_int_equal(worker_client_discard(client, "45610"), 0);
        assert_int_equal(worker_client_discard(client, "12310"), 1);
        reply(receive(WORKER_DISCARD, "12310"), 0);
        run();
        assert_int_equal(worker_client_discard(client, "123"), 1); /* after a restart, by the list */
        reply(receive(WORKER_DISCARD, "123"), 0);
        run();
}

static void note_seat(void *userdata, const char *seat) {
        unsigned *n = userdata;

        *n += string_equal(seat, "12310") ? 1 : string_equal(seat, "123") ? 10 : 100;
}

static void seats_with_a_receipt_are_listed(void **state) {
        unsigned n = 0;

        (void)state;
        write_file("nsbr@12310", "");
        write_file("netbr@123", "");
        write_file("other", "");
        write_file("netns@strange", "");
        worker_client_list(client, note_seat, &n);
        assert_int_equal(n, 11);
        worker_client_list(NULL, note_seat, &n);
        assert_int_equal(n, 11);
}

static void count_silence(void *userdata) {
        (*(unsigned *)userdata)++;
}

static void a_worker_that_leaves_a_request_unanswered_is_silent(void **state) {
        struct asker asker = {0};
        unsigned n = 0;
        uint32_t id;

        (void)state;
        worker_client_on_silence(client, count_silence, &n);
        assert_int_equal(ask(&asker, "12310"), 0);
        id = receive(WORKER_PREPARE, "12310");
        pass_ms(2000);
        assert_int_equal(n, 1);
        pass_ms(2000);
        assert_int_equal(n, 2);
        reply(id, 0);
        run();
        pass_ms(2000);
        assert_int_equal(n, 2);
        assert_int_equal(timers_set(), 0);
}

static void a_worker_that_is_not_back_after_its_end_is_silent(void **state) {
        struct asker asker = {0};
        unsigned n = 0;

        (void)state;
        worker_client_on_silence(client, count_silence, &n);
        assert_int_equal(ask(&asker, "12310"), 0);
        reply(receive(WORKER_PREPARE, "12310"), 0);
        run();
        fake_timers[0].usec = 1000; /* the time of the request is nearly over */
        stop_worker();
        run();
        assert_int_equal(timers_set(), 1);
        assert_int_equal(n, 0);
        pass_ms(2000);
        assert_int_equal(n, 1);
        assert_int_equal(timers_set(), 0);
}

static int set_up(void **state) {
        if (make_etc(state) < 0 || sd_event_new(&event) < 0)
                return -1;
        start_worker();
        client = worker_client_new(event, etc_path("worker.sock"), etc);
        return client ? 0 : -1;
}

static int tear_down(void **state) {
        worker_client_free(client);
        stop_worker();
        event = sd_event_unref(event);
        return remove_etc(state);
}

#define worker_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                worker_test(replies_come_in_the_order_of_the_requests),
                worker_test(a_call_that_was_dropped_has_no_answer_and_shifts_no_other),
                worker_test(a_worker_that_dies_fails_every_call_at_once),
                worker_test(a_worker_that_was_started_again_is_asked_at_once),
                worker_test(a_worker_that_is_not_there_is_an_error_at_once),
                worker_test(a_worker_that_reads_nothing_is_an_error_and_no_wait),
                worker_test(what_is_no_reply_ends_the_connection),
                worker_test(only_what_was_prepared_is_discarded),
                worker_test(a_bridge_alone_is_discarded),
                worker_test(seats_with_a_receipt_are_listed),
                worker_test(a_worker_that_leaves_a_request_unanswered_is_silent),
                worker_test(a_worker_that_is_not_back_after_its_end_is_silent),
        };

        return cmocka_run_group_tests_name("worker-client", tests, NULL, NULL);
}
