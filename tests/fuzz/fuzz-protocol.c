/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests and replies. The input is a message as it comes from the socket. */

#include "fuzz.h"
#include "protocol.h"

/* A message of its exact size, so that the sanitizer sees a read behind its end. */
static void *copy_message(const uint8_t *data, size_t size) {
        void *message = malloc(size ? size : 1);

        CHECK(message);
        if (size > 0)
                memcpy(message, data, size);
        return message;
}

#define CHECK_TEXT(array) CHECK(fuzz_printable((array), sizeof(array)))

static void check_request(const void *message, size_t size) {
        const struct request *request = message;

        if (request_check(message, size) < 0)
                return;
        CHECK(size == sizeof(*request));
        CHECK(request->type > 0 && request->type < _REQUEST_TYPE_MAX);
        CHECK_TEXT(request->user);
        CHECK_TEXT(request->lease);
        CHECK_TEXT(request->service);
        CHECK_TEXT(request->tty);
        CHECK_TEXT(request->remote_host);
}

static void check_reply(const void *message, size_t size) {
        const struct reply *reply = message;

        if (reply_check(message, size) < 0)
                return;
        CHECK(size == sizeof(*reply));
        CHECK(reply->type > 0 && reply->type < _REPLY_TYPE_MAX);
        CHECK_TEXT(reply->lease);
        CHECK_TEXT(reply->course);
        CHECK_TEXT(reply->seat);
        CHECK_TEXT(reply->user);
        CHECK_TEXT(reply->service);
        CHECK_TEXT(reply->tty);
        CHECK_TEXT(reply->remote_host);
        CHECK_TEXT(reply->text);
}

/* Whatever the text is, a copy of it makes a message that the other end accepts. */
static void check_copy(const char *text) {
        struct request request;
        struct reply reply;

        request_init(&request, REQUEST_OPEN);
        protocol_copy_text(request.tty, sizeof(request.tty), text);
        protocol_copy_text(request.service, sizeof(request.service), text);
        CHECK(request_check(&request, sizeof(request)) == 0);
        reply_init(&reply, REPLY_FAILED);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        CHECK(reply_check(&reply, sizeof(reply)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ void *message = copy_message(data, size);
        _cleanup_free_ char *text = fuzz_text(data, size);

        check_request(message, size);
        check_reply(message, size);
        if (text)
                check_copy(text);
        return 0;
}
