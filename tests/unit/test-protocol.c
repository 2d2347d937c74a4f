/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Messages: those that request_init() and reply_init() make are accepted, and with any field corrupted they
 * are refused.
 */

#include "fixture.h"

#include "protocol.h"

static struct request good_request(void) {
        struct request request;

        request_init(&request, REQUEST_OPEN);
        request.uid = 1000;
        request.timeout_ms = 20000;
        protocol_copy_text(request.user, sizeof(request.user), "cs123-newellz2");
        protocol_copy_text(request.lease, sizeof(request.lease), "a1");
        protocol_copy_text(request.service, sizeof(request.service), "sshd");
        protocol_copy_text(request.tty, sizeof(request.tty), "ssh");
        protocol_copy_text(request.remote_host, sizeof(request.remote_host), "192.0.2.1");
        return request;
}

static struct reply good_reply(void) {
        struct reply reply;

        reply_init(&reply, REPLY_LEASE);
        reply.pid = 1234;
        protocol_copy_text(reply.lease, sizeof(reply.lease), "a1");
        protocol_copy_text(reply.course, sizeof(reply.course), "123");
        protocol_copy_text(reply.seat, sizeof(reply.seat), "12310");
        protocol_copy_text(reply.user, sizeof(reply.user), "cs123-newellz2");
        protocol_copy_text(reply.service, sizeof(reply.service), "sshd");
        protocol_copy_text(reply.tty, sizeof(reply.tty), "ssh");
        protocol_copy_text(reply.remote_host, sizeof(reply.remote_host), "192.0.2.1");
        protocol_copy_text(reply.text, sizeof(reply.text), "A sentence.");
        return reply;
}

static void test_good_ones_are_taken(void **state) {
        struct request request = good_request();
        struct reply reply = good_reply();

        (void)state;
        assert_int_equal(request_check(&request, sizeof(request)), 0);
        assert_int_equal(reply_check(&reply, sizeof(reply)), 0);

        for (unsigned type = 1; type < _REQUEST_TYPE_MAX; type++) {
                request_init(&request, (enum request_type)type);
                assert_int_equal(request_check(&request, sizeof(request)), 0);
        }
        for (unsigned type = 1; type < _REPLY_TYPE_MAX; type++) {
                reply_init(&reply, (enum reply_type)type);
                assert_int_equal(reply_check(&reply, sizeof(reply)), 0);
        }
}

/* --- other versions ---------------------------------------------------------------------------- */

/*
 * In an upgrade or a downgrade, a login has the module of one version and gets its answer from the activator
 * of the other. So within one PROTOCOL_VERSION nothing may move, and no number may change.
 */

#define BYTES_OF_REQUEST 600U
#define BYTES_OF_REPLY 1144U

static void put_text(unsigned char *message, size_t at, const char *text) {
        memcpy(message + at, text, strlen(text));
}

static void put_number(unsigned char *message, size_t at, uint64_t number, size_t size) {
        memcpy(message + at, &number, size);
}

static void test_requests_of_all_programs_of_this_version(void **state) {
        static const struct {
                const char *sender;
                unsigned type, flags;
                const char *user, *lease, *service;
        } senders[] = {
                {"the module opens", 1, 0, "cs123-newellz2", "0123456789abcdef", "sshd"},
                {"the module with wait=container", 1, 1, "cs123-newellz2", "0123456789abcdef", "sshd"},
                {"the module with wait=none", 1, 2, "cs123-newellz2", "0123456789abcdef", "sshd"},
                {"the module closes", 2, 0, "cs123-newellz2", "12310_0123456789abcdef", "sshd"},
                {"the module without the lease's id", 2, 0, "cs123-newellz2", "", "sshd"},
                {"coursenetctl status", 3, 0, "", "", ""},
                {"coursenetctl start", 4, 0, "cs123-newellz2", "", ""},
                {"coursenetctl schedule", 4, 0, "cs123-newellz2", "", "schedule"},
                {"coursenetctl stop", 5, 0, "123", "", ""},
                {"coursenetctl roster", 6, 0, "", "", ""},
                {"coursenet-enter", 7, 0, "", "0123456789abcdef", ""},
                {"coursenet-enter without a token", 7, 0, "", "", ""},
                {"the module refuses", 8, 0, "cs123-x y", "", "sshd"},
                {"coursenetctl status of a user", 9, 0, "123", "", "status"},
                {"with --json", 9, 4, "123", "", "status"},
                {"with --no-legend", 9, 8, "123", "", "status"},
                {"coursenetctl release", 10, 0, "123", "", "hold"},
                {"coursenetctl release of staff", 11, 0, "123", "", "release"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(senders); i++) {
                unsigned char bytes[BYTES_OF_REQUEST] = {0};
                struct request request;

                print_message("%s\n", senders[i].sender);
                put_number(bytes, 0, 0x636f7572, 4);
                put_number(bytes, 4, 2, 2);
                put_number(bytes, 6, senders[i].type, 2);
                put_number(bytes, 8, senders[i].flags, 4);
                put_number(bytes, 12, 5001, 4);
                put_number(bytes, 16, 20000, 4);
                put_text(bytes, 24, senders[i].user);
                put_text(bytes, 280, senders[i].lease);
                put_text(bytes, 312, senders[i].service);
                put_text(bytes, 344, "pts/1");
                put_text(bytes, 472, "192.0.2.7");
                assert_int_equal(request_check(bytes, sizeof(bytes)), 0);

                memcpy(&request, bytes, sizeof(request));
                assert_int_equal(request.type, senders[i].type);
                assert_int_equal(request.flags, senders[i].flags);
                assert_int_equal(request.uid, 5001);
                assert_int_equal(request.timeout_ms, 20000);
                assert_string_equal(request.user, senders[i].user);
                assert_string_equal(request.lease, senders[i].lease);
                assert_string_equal(request.service, senders[i].service);
                assert_string_equal(request.tty, "pts/1");
                assert_string_equal(request.remote_host, "192.0.2.7");
        }
        assert_int_equal(REQUEST_OPEN, 1);
        assert_int_equal(REQUEST_CLOSE, 2);
        assert_int_equal(REQUEST_ENTER, 7);
        assert_int_equal(REQUEST_NOTE, 8);
        assert_int_equal(REQUEST_WAIT_CONTAINER, 1);
        assert_int_equal(REQUEST_NO_WAIT, 2);
}

static void test_the_answer_to_a_login_of_this_version(void **state) {
        static const enum reply_type types[] = {REPLY_DONE, REPLY_LEASE, REPLY_NO_SEAT, REPLY_NO_NAME,
                REPLY_REFUSED, REPLY_FAILED, REPLY_TIMEOUT, REPLY_KEPT, REPLY_REPORT, REPLY_NO_CONTAINER};
        unsigned char bytes[BYTES_OF_REPLY] = {0};
        struct reply reply;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                assert_int_equal(types[i], i + 1);
        reply_init(&reply, REPLY_DONE);
        reply.address = 0x0a007b0a;
        reply.prefix = 24;
        protocol_copy_text(reply.lease, sizeof(reply.lease), "12310_0123456789abcdef");
        protocol_copy_text(reply.course, sizeof(reply.course), "123");
        protocol_copy_text(reply.seat, sizeof(reply.seat), "12310");
        protocol_copy_text(reply.user, sizeof(reply.user), "cs123-newellz2");
        protocol_copy_text(reply.text, sizeof(reply.text), "A sentence.");

        put_number(bytes, 0, 0x636f7572, 4);
        put_number(bytes, 4, 2, 2);
        put_number(bytes, 6, 1, 2);
        put_number(bytes, 24, 0x0a007b0a, 4);
        put_number(bytes, 28, 24, 4);
        put_text(bytes, 32, "12310_0123456789abcdef");
        put_text(bytes, 64, "123");
        put_text(bytes, 72, "12310");
        put_text(bytes, 88, "cs123-newellz2");
        put_text(bytes, 632, "A sentence.");
        assert_int_equal(sizeof(reply), sizeof(bytes));
        assert_memory_equal(&reply, bytes, sizeof(bytes));
}

/* A module of an earlier protocol gets a sentence that says so (activator/request/connection.c). */
static void test_an_earlier_version_is_known_as_one(void **state) {
        unsigned char bytes[408] = {0};

        (void)state;
        put_number(bytes, 0, 0x636f7572, 4);
        put_number(bytes, 4, 1, 2);
        put_number(bytes, 6, 1, 2);
        assert_int_equal(request_check(bytes, sizeof(bytes)), -EPROTO);
}

static void test_sizes(void **state) {
        struct {
                struct request request;
                char more[8];
        } request = {.request = good_request()};
        struct {
                struct reply reply;
                char more[8];
        } reply = {.reply = good_reply()};

        (void)state;
        for (size_t size = 0; size <= sizeof(request); size++)
                if (size != sizeof(request.request))
                        assert_int_equal(request_check(&request, size), -EBADMSG);
        for (size_t size = 0; size <= sizeof(reply); size++)
                if (size != sizeof(reply.reply))
                        assert_int_equal(reply_check(&reply, size), -EBADMSG);
}

static void test_request_numbers(void **state) {
        static const uint32_t known =
                REQUEST_WAIT_CONTAINER | REQUEST_NO_WAIT | REQUEST_JSON | REQUEST_NO_LEGEND;
        struct request request = good_request();

        (void)state;
        request.magic ^= 1;
        assert_int_equal(request_check(&request, sizeof(request)), -EBADMSG);
        request = good_request();
        request.version++;
        assert_int_equal(request_check(&request, sizeof(request)), -EPROTO);
        request = good_request();
        request.type = 0;
        assert_int_equal(request_check(&request, sizeof(request)), -EBADMSG);
        request.type = _REQUEST_TYPE_MAX;
        assert_int_equal(request_check(&request, sizeof(request)), -EBADMSG);
        request.type = UINT16_MAX;
        assert_int_equal(request_check(&request, sizeof(request)), -EBADMSG);
        request = good_request();
        request.reserved = 1;
        assert_int_equal(request_check(&request, sizeof(request)), -EBADMSG);

        request = good_request();
        for (unsigned bit = 0; bit < 32; bit++) {
                request.flags = UINT32_C(1) << bit;
                assert_int_equal(
                        request_check(&request, sizeof(request)), request.flags & known ? 0 : -EBADMSG);
        }
}

static void test_reply_numbers(void **state) {
        struct reply reply = good_reply();

        (void)state;
        reply.magic ^= 1;
        assert_int_equal(reply_check(&reply, sizeof(reply)), -EBADMSG);
        reply = good_reply();
        reply.version = 0;
        assert_int_equal(reply_check(&reply, sizeof(reply)), -EPROTO);
        reply = good_reply();
        reply.type = 0;
        assert_int_equal(reply_check(&reply, sizeof(reply)), -EBADMSG);
        reply.type = _REPLY_TYPE_MAX;
        assert_int_equal(reply_check(&reply, sizeof(reply)), -EBADMSG);
}

#define FIELD(type, member)                                                                                  \
        { #member, offsetof(type, member), sizeof(((type *)NULL)->member) }

struct field {
        const char *name;
        size_t offset, size;
};

static const struct field request_fields[] = {
        FIELD(struct request, user),
        FIELD(struct request, lease),
        FIELD(struct request, service),
        FIELD(struct request, tty),
        FIELD(struct request, remote_host),
};

static const struct field reply_fields[] = {
        FIELD(struct reply, lease),
        FIELD(struct reply, course),
        FIELD(struct reply, seat),
        FIELD(struct reply, user),
        FIELD(struct reply, service),
        FIELD(struct reply, tty),
        FIELD(struct reply, remote_host),
        FIELD(struct reply, text),
};

/* Spoils one string of a message in every way there is. */
static void check_field(
        const void *good, size_t size, const struct field *field, int (*check)(const void *, size_t)) {
        static const unsigned char bad_bytes[] = {
                1, 7, '\b', '\t', '\n', '\r', 0x1b, 0x1f, 0x7f, 0x80, 0x9b, 0xc3, 0xff};
        _cleanup_free_ char *message = malloc(size);
        char *text;

        assert_non_null(message);
        text = message + field->offset;

        /* No end. */
        memcpy(message, good, size);
        memset(text, 'a', field->size);
        if (check(message, size) != -EBADMSG)
                fail_msg("%s: unterminated", field->name);

        /* The longest that fits. */
        text[field->size - 1] = '\0';
        if (check(message, size) != 0)
                fail_msg("%s: the longest text", field->name);

        /* Something behind the end. */
        memcpy(message, good, size);
        text[field->size - 1] = 'x';
        if (check(message, size) != -EBADMSG)
                fail_msg("%s: something behind the end", field->name);

        for (size_t i = 0; i < sizeof(bad_bytes); i++) {
                memcpy(message, good, size);
                text[0] = (char)bad_bytes[i];
                if (check(message, size) != -EBADMSG)
                        fail_msg("%s: byte %#x", field->name, bad_bytes[i]);
        }
}

static void test_strings(void **state) {
        struct request request = good_request();
        struct reply reply = good_reply();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(request_fields); i++)
                check_field(&request, sizeof(request), &request_fields[i], request_check);
        for (size_t i = 0; i < ELEMENTSOF(reply_fields); i++)
                check_field(&reply, sizeof(reply), &reply_fields[i], reply_check);
}

/* Nothing of the stack goes out. */
static void test_init_clears(void **state) {
        struct request request;
        struct reply reply;

        (void)state;
        memset(&request, 0xff, sizeof(request));
        request_init(&request, REQUEST_STATUS);
        assert_int_equal(request.type, REQUEST_STATUS);
        for (size_t i = offsetof(struct request, flags); i < sizeof(request); i++)
                assert_int_equal(((const char *)&request)[i], 0);

        memset(&reply, 0xff, sizeof(reply));
        reply_init(&reply, REPLY_DONE);
        assert_int_equal(reply.type, REPLY_DONE);
        for (size_t i = offsetof(struct reply, uid); i < sizeof(reply); i++)
                assert_int_equal(((const char *)&reply)[i], 0);
}

/* It goes to a program with a capability, and its strings to terminals. */
static void test_grants(void **state) {
        const struct seat_grant good = {
                .own = 1, .course = "123", .seat = "12310", .user = "cs123-newellz2", .peer = "prof"};
        struct seat_grant grant = good;
        char longer[sizeof(grant) + 1] = {0};

        (void)state;
        assert_int_equal(seat_grant_check(&good, sizeof(good)), 0);
        memset(grant.peer, 0, sizeof(grant.peer));
        assert_int_equal(seat_grant_check(&grant, sizeof(grant)), 0);

        assert_int_equal(seat_grant_check(&good, sizeof(good) - 1), -EBADMSG);
        memcpy(longer, &good, sizeof(good));
        assert_int_equal(seat_grant_check(longer, sizeof(longer)), -EBADMSG);
        for (const char *const *seat = (const char *const[]){"", "1231a", "../br", "1234567890123", NULL};
                *seat; seat++) {
                grant = good;
                memset(grant.seat, 0, sizeof(grant.seat));
                (void)strcpy(grant.seat, *seat);
                assert_int_equal(seat_grant_check(&grant, sizeof(grant)), -EBADMSG);
        }
        grant = good;
        grant.own = 2;
        assert_int_equal(seat_grant_check(&grant, sizeof(grant)), -EBADMSG);
        grant = good;
        grant.user[0] = '\x1b';
        assert_int_equal(seat_grant_check(&grant, sizeof(grant)), -EBADMSG);
        grant = good;
        memset(grant.peer, 'x', sizeof(grant.peer));
        assert_int_equal(seat_grant_check(&grant, sizeof(grant)), -EBADMSG);
}

static void test_copy_text(void **state) {
        static const struct {
                const char *text, *expected;
        } rows[] = {
                {"", ""},
                {"sshd", "sshd"},
                {"a\tb\nc", "a?b?c"},
                {"\x1b[31m", "?[31m"},
                {"caf\xc3\xa9", "caf??"},
                {"1234567", "1234567"},
                {"12345678", "1234567"},
                {"123456789", "1234567"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char array[8];

                memset(array, 'x', sizeof(array));
                protocol_copy_text(array, sizeof(array), rows[i].text);
                assert_string_equal(array, rows[i].expected);
                for (size_t j = strlen(array); j < sizeof(array); j++)
                        assert_int_equal(array[j], 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_ones_are_taken),
                cmocka_unit_test(test_requests_of_all_programs_of_this_version),
                cmocka_unit_test(test_the_answer_to_a_login_of_this_version),
                cmocka_unit_test(test_an_earlier_version_is_known_as_one),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_request_numbers),
                cmocka_unit_test(test_reply_numbers),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_init_clears),
                cmocka_unit_test(test_grants),
                cmocka_unit_test(test_copy_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
