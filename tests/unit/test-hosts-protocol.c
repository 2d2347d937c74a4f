/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages of coursenet-hosts: those that are complete are accepted, and with any field corrupted they are
 * refused. */

#include "fixture.h"

#include "hosts-protocol.h"

static struct hosts_request good_claim(void) {
        struct hosts_request request;

        hosts_request_init(&request, HOSTS_CLAIM, 7);
        protocol_copy_text(request.seat, sizeof(request.seat), "12310");
        protocol_copy_text(request.user, sizeof(request.user), "cs123-newellz2");
        return request;
}

static struct hosts_request good_number(void) {
        struct hosts_request request;

        hosts_request_init(&request, HOSTS_NUMBER, 7);
        protocol_copy_text(request.course, sizeof(request.course), "123");
        protocol_copy_text(request.user, sizeof(request.user), "cs123-newellz2");
        request.number = 10;
        return request;
}

static struct hosts_request good_drain(void) {
        struct hosts_request request;

        hosts_request_init(&request, HOSTS_DRAIN, 7);
        protocol_copy_text(request.member, sizeof(request.member), "hostb");
        protocol_copy_text(request.user, sizeof(request.user), "root");
        return request;
}

static struct hosts_request good_exam(void) {
        struct hosts_request request;

        hosts_request_init(&request, HOSTS_EXAM, 7);
        protocol_copy_text(request.course, sizeof(request.course), "123");
        return request;
}

static struct hosts_reply good_refusal(void) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, HOSTS_REFUSED, 7);
        reply.reason = HOSTS_NO_STORE;
        protocol_copy_text(reply.text, sizeof(reply.text), "A sentence.");
        return reply;
}

static struct hosts_reply good_push(void) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, HOSTS_TAKEN, 0);
        protocol_copy_text(reply.seat, sizeof(reply.seat), "12310");
        protocol_copy_text(reply.member, sizeof(reply.member), "hostb");
        return reply;
}

#define TAKEN(make, check)                                                                                   \
        do {                                                                                                 \
                __typeof__(make()) message = make();                                                         \
                assert_int_equal(check(&message, sizeof(message)), 0);                                       \
        } while (0)

static void test_good_ones_are_taken(void **state) {
        struct hosts_request request;
        struct hosts_reply reply;

        (void)state;
        TAKEN(good_claim, hosts_request_check);
        TAKEN(good_number, hosts_request_check);
        TAKEN(good_drain, hosts_request_check);
        TAKEN(good_exam, hosts_request_check);
        TAKEN(good_refusal, hosts_reply_check);
        TAKEN(good_push, hosts_reply_check);
        hosts_request_init(&request, HOSTS_LIST, 1);
        assert_int_equal(hosts_request_check(&request, sizeof(request)), 0);
        hosts_request_init(&request, HOSTS_WATCH, 1);
        assert_int_equal(hosts_request_check(&request, sizeof(request)), 0);
        hosts_reply_init(&reply, HOSTS_BACK, 0);
        assert_int_equal(hosts_reply_check(&reply, sizeof(reply)), 0);
}

/* Each changes one field to a value that is refused. */
#define REFUSED(make, check, change, error)                                                                  \
        do {                                                                                                 \
                __typeof__(make()) message = make();                                                         \
                change;                                                                                      \
                assert_int_equal(check(&message, sizeof(message)), error);                                   \
        } while (0)

#define REQUEST_REFUSED(make, change, error) REFUSED(make, hosts_request_check, change, error)
#define REPLY_REFUSED(make, change, error) REFUSED(make, hosts_reply_check, change, error)

static void test_bad_requests(void **state) {
        (void)state;
        REQUEST_REFUSED(good_claim, message.magic++, -EBADMSG);
        REQUEST_REFUSED(good_claim, message.version++, -EPROTO);
        REQUEST_REFUSED(good_claim, message.verb = 0, -EBADMSG);
        REQUEST_REFUSED(good_claim, message.verb = _HOSTS_VERB_MAX, -EBADMSG);
        REQUEST_REFUSED(good_claim, message.id = 0, -EBADMSG);
        REQUEST_REFUSED(good_claim, message.number = 1, -EBADMSG);
        REQUEST_REFUSED(good_claim, memset(message.seat, 0, sizeof(message.seat)), -EBADMSG);
        REQUEST_REFUSED(good_claim, message.seat[1] = '/', -EBADMSG);
        REQUEST_REFUSED(good_claim, memset(message.seat, '1', SEAT_ID_SIZE), -EBADMSG);
        REQUEST_REFUSED(good_claim, memset(message.user, 0, sizeof(message.user)), -EBADMSG);
        REQUEST_REFUSED(good_claim, memset(message.user, 'x', sizeof(message.user)), -EBADMSG);
        REQUEST_REFUSED(good_claim, message.user[0] = '\n', -EBADMSG);
        REQUEST_REFUSED(good_claim, message.user[0] = '-', -EBADMSG);
        REQUEST_REFUSED(good_claim, message.user[1] = '/', -EBADMSG);
        REQUEST_REFUSED(good_claim, message.user[1] = ' ', -EBADMSG);
        REQUEST_REFUSED(good_claim, message.user[1] = ':', -EBADMSG);
        REQUEST_REFUSED(good_claim, message.course[0] = '1', -EBADMSG);
        REQUEST_REFUSED(good_number, memset(message.course, 0, sizeof(message.course)), -EBADMSG);
        REQUEST_REFUSED(good_number, message.course[0] = 'x', -EBADMSG);
        REQUEST_REFUSED(good_number, memset(message.course, '1', COURSE_SIZE), -EBADMSG);
        REQUEST_REFUSED(good_number, message.seat[0] = '1', -EBADMSG);
        REQUEST_REFUSED(good_exam, memset(message.course, 0, sizeof(message.course)), -EBADMSG);
        REQUEST_REFUSED(good_exam, message.course[0] = '/', -EBADMSG);
        REQUEST_REFUSED(good_exam, message.user[0] = 'a', -EBADMSG);
        REQUEST_REFUSED(good_exam, message.number = 1, -EBADMSG);
        REQUEST_REFUSED(good_drain, memset(message.member, 0, sizeof(message.member)), -EBADMSG);
        REQUEST_REFUSED(good_drain, message.member[1] = '/', -EBADMSG);
        REQUEST_REFUSED(good_drain, message.user[1] = '/', -EBADMSG);
        REQUEST_REFUSED(good_number, message.user[1] = '/', -EBADMSG);
}

static void test_bad_replies(void **state) {
        (void)state;
        REPLY_REFUSED(good_refusal, message.magic++, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.version++, -EPROTO);
        REPLY_REFUSED(good_refusal, message.type = 0, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.type = _HOSTS_REPLY_TYPE_MAX, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.reason = HOSTS_NO_REASON, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.reason = _HOSTS_REASON_MAX, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.type = HOSTS_DONE, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.reserved = 1, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.id = 0, -EBADMSG);
        REPLY_REFUSED(good_refusal, message.text[0] = '\n', -EBADMSG);
        REPLY_REFUSED(good_push, message.id = 1, -EBADMSG);
        REPLY_REFUSED(good_push, message.seat[1] = '/', -EBADMSG);
        REPLY_REFUSED(good_push, memset(message.seat, 0, sizeof(message.seat)), -EBADMSG);
        REPLY_REFUSED(good_push, memset(message.member, 0, sizeof(message.member)), -EBADMSG);
        REPLY_REFUSED(good_push, message.member[0] = '.', -EBADMSG);
}

static void test_sizes(void **state) {
        struct hosts_request request[2] = {good_claim(), good_claim()};
        struct hosts_reply reply[2] = {good_refusal(), good_refusal()};

        (void)state;
        for (size_t size = 0; size <= sizeof(request); size++)
                assert_int_equal(
                        hosts_request_check(request, size), size == sizeof(request[0]) ? 0 : -EBADMSG);
        for (size_t size = 0; size <= sizeof(reply); size++)
                assert_int_equal(hosts_reply_check(reply, size), size == sizeof(reply[0]) ? 0 : -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_ones_are_taken),
                cmocka_unit_test(test_bad_requests),
                cmocka_unit_test(test_bad_replies),
                cmocka_unit_test(test_sizes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
