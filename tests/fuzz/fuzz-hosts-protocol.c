/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages of coursenet-hosts and its clients. The input is a message as it comes from the socket. */

#include "fuzz.h"
#include "hosts-protocol.h"
#include "number.h"
#include "setting-value.h"

static void check_request(const void *message, size_t size) {
        const struct hosts_request *request = message;

        if (hosts_request_check(message, size) < 0)
                return;
        CHECK(size == sizeof(*request));
        CHECK(request->verb > 0 && request->verb < _HOSTS_VERB_MAX);
        /* Seat and member become part of paths and of keys in the store, and so do course and user. */
        CHECK(fuzz_printable(request->seat, SEAT_ID_SIZE));
        CHECK(!request->seat[0] || digits_only(request->seat));
        CHECK(fuzz_printable(request->course, COURSE_SIZE));
        CHECK(!request->course[0] || digits_only(request->course));
        CHECK(!request->member[0] || host_member_name_valid(request->member));
        CHECK(fuzz_printable(request->user, sizeof(request->user)));
        CHECK((request->verb == HOSTS_CLAIM || request->verb == HOSTS_RELEASE) == (request->seat[0] != '\0'));
}

static void check_reply(const void *message, size_t size) {
        const struct hosts_reply *reply = message;

        if (hosts_reply_check(message, size) < 0)
                return;
        CHECK(size == sizeof(*reply));
        CHECK(fuzz_printable(reply->text, sizeof(reply->text)));
        CHECK(!reply->seat[0] || digits_only(reply->seat));
        CHECK(!reply->member[0] || host_member_name_valid(reply->member));
        CHECK(reply->type != HOSTS_ELSEWHERE || reply->member[0]);
}

/* Whatever the text is, the other end accepts a message with it. */
static void check_made(const char *text) {
        struct hosts_reply reply;

        hosts_reply_init(&reply, HOSTS_REFUSED, 1);
        reply.reason = HOSTS_NO_STORE;
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        CHECK(hosts_reply_check(&reply, sizeof(reply)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* Of its exact size, so that the sanitizer sees a read behind its end. */
        _cleanup_free_ uint8_t *message = calloc(1, size ? size : 1);
        _cleanup_free_ char *text = fuzz_text(data, size);

        CHECK(message);
        if (size > 0)
                memcpy(message, data, size);
        check_request(message, size);
        check_reply(message, size);
        if (text)
                check_made(text);
        return 0;
}
