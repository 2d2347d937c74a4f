/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the activator says to coursenet-worker, and what it answers: one fixed-size request and one fixed-size
 * reply over AF_UNIX SOCK_SEQPACKET. Requests are carried out one at a time, in the order in which they
 * arrive, and the replies come in the same order. Only root may connect.
 *
 * The worker only makes logins fast. The units of the seat make the same things a moment later. So every
 * error, and a connection that ends without a reply, means "wait for the units".
 */

#include <stdint.h>

#include "protocol.h"

#define WORKER_SOCKET "/run/coursenet/worker.sock"

#define WORKER_MAGIC 0x776f726bU /* "work" */
#define WORKER_VERSION 1U

enum worker_verb {
        /*
         * Makes bridge, namespace, cable and filter of a seat, those that are not there yet. 0: all of them
         * are there and complete, and a login can use the seat. -EBUSY: a unit's program is at work on one of
         * them. Other errors: it cannot be made; the seat's units will report the same.
         */
        WORKER_PREPARE = 1,
        /*
         * Removes what WORKER_PREPARE has made for a seat and no unit has adopted, also its course's bridge
         * if that has no other port. It touches nothing else. Having nothing to remove is success. -EBUSY: a
         * unit's program is at work on it, which will adopt or remove it.
         */
        WORKER_DISCARD,
        _WORKER_VERB_MAX,
};

struct worker_request {
        uint32_t magic;
        uint16_t version;
        uint16_t verb;     /* enum worker_verb */
        uint32_t id;       /* any number; the reply has the same */
        uint32_t reserved; /* zero */
        char seat[16];     /* SEAT_ID_SIZE, rounded up: digits, NUL-terminated and filled with NUL */
};

struct worker_reply {
        uint32_t magic;
        uint16_t version;
        uint16_t reserved;          /* zero */
        uint32_t id;                /* the request's */
        int32_t error;              /* 0 or negative errno */
        char text[REPLY_TEXT_SIZE]; /* a sentence for the log; empty without an error */
};

/* Set magic and version, the verb and the seat (digits, shorter than SEAT_ID_SIZE), or id and error. */
void worker_request_init(
        struct worker_request *request, enum worker_verb verb, uint32_t id, const char *seat);
void worker_reply_init(struct worker_reply *reply, uint32_t id, int error, const char *text);

/*
 * Check a received message before anything in it is used. -EBADMSG if it is not a message of this protocol,
 * -EPROTO if it is of another version.
 */
int worker_request_check(const void *message, size_t size);
int worker_reply_check(const void *message, size_t size);
