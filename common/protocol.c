/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes and checks messages. */

#include "protocol.h"
#include "number.h"

/* The structs have no padding, which could carry old contents of the stack. */
_Static_assert(sizeof(struct seat_grant) == 32 + 2 * USER_NAME_SIZE, "struct seat_grant has padding");
_Static_assert(sizeof(struct request) == 24 + USER_NAME_SIZE + LEASE_ID_SIZE + SERVICE_SIZE + 2 * ORIGIN_SIZE,
        "struct request has padding");
_Static_assert(sizeof(struct reply) == 32 + LEASE_ID_SIZE + 8 + 16 + USER_NAME_SIZE + SERVICE_SIZE +
                                               2 * ORIGIN_SIZE + REPLY_TEXT_SIZE,
        "struct reply has padding");

static bool printable(char c) {
        return c >= ' ' && c <= '~';
}

bool protocol_text_valid(const char *array, size_t size) {
        size_t length = strnlen(array, size);

        if (length == size)
                return false;
        for (size_t i = 0; i < length; i++)
                if (!printable(array[i]))
                        return false;
        for (size_t i = length; i < size; i++)
                if (array[i] != '\0')
                        return false;
        return true;
}

#define TEXT_VALID(array) protocol_text_valid((array), sizeof(array))

void request_init(struct request *request, enum request_type type) {
        *request = (struct request){
                .magic = PROTOCOL_MAGIC,
                .version = PROTOCOL_VERSION,
                .type = (uint16_t)type,
        };
}

void reply_init(struct reply *reply, enum reply_type type) {
        *reply = (struct reply){
                .magic = PROTOCOL_MAGIC,
                .version = PROTOCOL_VERSION,
                .type = (uint16_t)type,
        };
}

int request_check(const void *message, size_t size) {
        const struct request *request = message;

        if (size < 8 || request->magic != PROTOCOL_MAGIC)
                return -EBADMSG;
        if (request->version != PROTOCOL_VERSION)
                return -EPROTO;
        if (size != sizeof(*request) || request->type == 0 || request->type >= _REQUEST_TYPE_MAX ||
                (request->flags & ~(uint32_t)(REQUEST_WAIT_CONTAINER | REQUEST_NO_WAIT | REQUEST_JSON |
                                              REQUEST_NO_LEGEND)) ||
                request->reserved != 0)
                return -EBADMSG;
        if (!TEXT_VALID(request->user) || !TEXT_VALID(request->lease) || !TEXT_VALID(request->service) ||
                !TEXT_VALID(request->tty) || !TEXT_VALID(request->remote_host))
                return -EBADMSG;
        return 0;
}

int reply_check(const void *message, size_t size) {
        const struct reply *reply = message;

        if (size < 8 || reply->magic != PROTOCOL_MAGIC)
                return -EBADMSG;
        if (reply->version != PROTOCOL_VERSION)
                return -EPROTO;
        if (size != sizeof(*reply) || reply->type == 0 || reply->type >= _REPLY_TYPE_MAX)
                return -EBADMSG;
        if (!TEXT_VALID(reply->lease) || !TEXT_VALID(reply->course) || !TEXT_VALID(reply->seat) ||
                !TEXT_VALID(reply->user) || !TEXT_VALID(reply->service) || !TEXT_VALID(reply->tty) ||
                !TEXT_VALID(reply->remote_host) || !TEXT_VALID(reply->text))
                return -EBADMSG;
        return 0;
}

int seat_grant_check(const void *message, size_t size) {
        const struct seat_grant *grant = message;

        if (size != sizeof(*grant) || grant->own > 1 || !TEXT_VALID(grant->course) ||
                !TEXT_VALID(grant->seat) || !TEXT_VALID(grant->user) || !TEXT_VALID(grant->peer) ||
                !digits_only(grant->seat) || strlen(grant->seat) >= SEAT_ID_SIZE)
                return -EBADMSG;
        return 0;
}

void protocol_copy_text(char *array, size_t size, const char *text) {
        size_t n = 0;

        for (; n + 1 < size && text[n]; n++)
                array[n] = printable(text[n]) ? text[n] : '?';
        memset(array + n, 0, size - n);
}
