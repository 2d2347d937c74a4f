/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages of the worker: those that the functions make are accepted, and with any field corrupted they are
 * refused. */

#include "fixture.h"

#include "worker-protocol.h"

static struct worker_request good_request(void) {
        struct worker_request request;

        worker_request_init(&request, WORKER_PREPARE, 7, "12310");
        return request;
}

static struct worker_reply good_reply(void) {
        struct worker_reply reply;

        worker_reply_init(&reply, 7, -EBUSY, "A sentence.");
        return reply;
}

static void test_good_ones_are_taken(void **state) {
        struct worker_request request = good_request();
        struct worker_reply reply = good_reply();

        (void)state;
        assert_int_equal(worker_request_check(&request, sizeof(request)), 0);
        assert_int_equal(worker_reply_check(&reply, sizeof(reply)), 0);
        worker_request_init(&request, WORKER_DISCARD, UINT32_MAX, "007999999999");
        assert_int_equal(worker_request_check(&request, sizeof(request)), 0);
        assert_string_equal(request.seat, "007999999999");
        worker_reply_init(&reply, UINT32_MAX, 0, "");
        assert_int_equal(worker_reply_check(&reply, sizeof(reply)), 0);
}

/* Each changes one field to a value that is refused. */
#define REFUSED(make, check, type, change, error)                                                            \
        do {                                                                                                 \
                struct type message = make();                                                                \
                change;                                                                                      \
                assert_int_equal(check(&message, sizeof(message)), error);                                   \
        } while (0)

#define REQUEST_REFUSED(change, error)                                                                       \
        REFUSED(good_request, worker_request_check, worker_request, change, error)
#define REPLY_REFUSED(change, error) REFUSED(good_reply, worker_reply_check, worker_reply, change, error)

static void test_bad_requests(void **state) {
        (void)state;
        REQUEST_REFUSED(message.magic++, -EBADMSG);
        REQUEST_REFUSED(message.version++, -EPROTO);
        REQUEST_REFUSED(message.verb = 0, -EBADMSG);
        REQUEST_REFUSED(message.verb = _WORKER_VERB_MAX, -EBADMSG);
        REQUEST_REFUSED(message.reserved = 1, -EBADMSG);
        REQUEST_REFUSED(message.seat[0] = '\0', -EBADMSG);
        REQUEST_REFUSED(message.seat[1] = '/', -EBADMSG);
        REQUEST_REFUSED(message.seat[sizeof(message.seat) - 1] = '1', -EBADMSG);
        REQUEST_REFUSED(memset(message.seat, '1', sizeof(message.seat)), -EBADMSG);
        REQUEST_REFUSED(memset(message.seat, '1', SEAT_ID_SIZE), -EBADMSG);
}

static void test_bad_replies(void **state) {
        (void)state;
        REPLY_REFUSED(message.magic++, -EBADMSG);
        REPLY_REFUSED(message.version++, -EPROTO);
        REPLY_REFUSED(message.reserved = 1, -EBADMSG);
        REPLY_REFUSED(message.error = 1, -EBADMSG);
        REPLY_REFUSED(message.text[0] = '\n', -EBADMSG);
        REPLY_REFUSED(memset(message.text, 'x', sizeof(message.text)), -EBADMSG);
}

static void test_sizes(void **state) {
        struct worker_request request[2] = {good_request(), good_request()};
        struct worker_reply reply[2] = {good_reply(), good_reply()};

        (void)state;
        for (size_t size = 0; size <= sizeof(request); size++)
                assert_int_equal(
                        worker_request_check(request, size), size == sizeof(request[0]) ? 0 : -EBADMSG);
        for (size_t size = 0; size <= sizeof(reply); size++)
                assert_int_equal(worker_reply_check(reply, size), size == sizeof(reply[0]) ? 0 : -EBADMSG);
}

/* A text from outside gets into a reply without breaking it. */
static void test_text_is_made_printable(void **state) {
        struct worker_reply reply;
        char text[2 * REPLY_TEXT_SIZE];

        (void)state;
        memset(text, '\n', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        worker_reply_init(&reply, 1, -EIO, text);
        assert_int_equal(worker_reply_check(&reply, sizeof(reply)), 0);
        assert_int_equal(strlen(reply.text), REPLY_TEXT_SIZE - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_ones_are_taken),
                cmocka_unit_test(test_bad_requests),
                cmocka_unit_test(test_bad_replies),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_text_is_made_printable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
