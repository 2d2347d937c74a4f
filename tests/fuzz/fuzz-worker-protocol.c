/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages between the activator and the worker. The input is a message as it comes from the socket. */

#include "fuzz.h"
#include "number.h"
#include "worker-protocol.h"

static void check_request(const void *message, size_t size) {
        const struct worker_request *request = message;

        if (worker_request_check(message, size) < 0)
                return;
        CHECK(size == sizeof(*request));
        CHECK(request->verb > 0 && request->verb < _WORKER_VERB_MAX);
        /* The seat becomes part of paths and of names of links. */
        CHECK(fuzz_printable(request->seat, SEAT_ID_SIZE));
        CHECK(request->seat[0] && digits_only(request->seat));
}

static void check_reply(const void *message, size_t size) {
        const struct worker_reply *reply = message;

        if (worker_reply_check(message, size) < 0)
                return;
        CHECK(size == sizeof(*reply));
        CHECK(reply->error <= 0);
        CHECK(fuzz_printable(reply->text, sizeof(reply->text)));
}

/* Whatever the text is, the other end accepts a message with it. */
static void check_made(const char *text) {
        struct worker_request request;
        struct worker_reply reply;

        worker_reply_init(&reply, 1, -EIO, text);
        CHECK(worker_reply_check(&reply, sizeof(reply)) == 0);
        if (!text[0] || !digits_only(text) || strlen(text) >= SEAT_ID_SIZE)
                return;
        worker_request_init(&request, WORKER_PREPARE, 1, text);
        CHECK(worker_request_check(&request, sizeof(request)) == 0);
        CHECK(string_equal(request.seat, text));
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
