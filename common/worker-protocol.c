/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes and checks messages. */

#include "worker-protocol.h"
#include "number.h"

_Static_assert(sizeof(struct worker_request) == 32, "struct worker_request has padding");
_Static_assert(sizeof(struct worker_reply) == 16 + REPLY_TEXT_SIZE, "struct worker_reply has padding");

void worker_request_init(
        struct worker_request *request, enum worker_verb verb, uint32_t id, const char *seat) {
        *request = (struct worker_request){
                .magic = WORKER_MAGIC,
                .version = WORKER_VERSION,
                .verb = (uint16_t)verb,
                .id = id,
        };
        protocol_copy_text(request->seat, sizeof(request->seat), seat);
}

void worker_reply_init(struct worker_reply *reply, uint32_t id, int error, const char *text) {
        *reply = (struct worker_reply){
                .magic = WORKER_MAGIC,
                .version = WORKER_VERSION,
                .id = id,
                .error = error,
        };
        protocol_copy_text(reply->text, sizeof(reply->text), text);
}

int worker_request_check(const void *message, size_t size) {
        const struct worker_request *request = message;

        if (size < 8 || request->magic != WORKER_MAGIC)
                return -EBADMSG;
        if (request->version != WORKER_VERSION)
                return -EPROTO;
        if (size != sizeof(*request) || request->verb == 0 || request->verb >= _WORKER_VERB_MAX ||
                request->reserved != 0 || !protocol_text_valid(request->seat, sizeof(request->seat)) ||
                !digits_only(request->seat) || strlen(request->seat) >= SEAT_ID_SIZE)
                return -EBADMSG;
        return 0;
}

int worker_reply_check(const void *message, size_t size) {
        const struct worker_reply *reply = message;

        if (size < 8 || reply->magic != WORKER_MAGIC)
                return -EBADMSG;
        if (reply->version != WORKER_VERSION)
                return -EPROTO;
        if (size != sizeof(*reply) || reply->reserved != 0 || reply->error > 0 ||
                !protocol_text_valid(reply->text, sizeof(reply->text)))
                return -EBADMSG;
        return 0;
}
