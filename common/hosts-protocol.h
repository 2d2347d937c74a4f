/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What local programs say to coursenet-hosts, and what it answers: fixed-size requests and replies over
 * AF_UNIX SOCK_SEQPACKET. Only root may connect. A connection may have several requests under way. Replies
 * have the id of their request, and may come in another order.
 *
 * A claim is this member's right to have a seat live (docs/architecture/hosts.md). Without it the seat's
 * cable is not made.
 */

#include <stdint.h>

#include "protocol.h"

#define HOSTS_SOCKET "/run/coursenet/hosts.sock"

#define HOSTS_MAGIC 0x686f7374U /* "host" */
#define HOSTS_VERSION 1U

enum hosts_verb {
        /*
         * seat, user: the right to have the seat live. HOSTS_DONE, HOSTS_ELSEWHERE or HOSTS_REFUSED. A claim
         * that this member has already is answered at once, without the store. The seat counts as wanted for
         * HOSTS_WANTED_SECONDS, or until HOSTS_RELEASE; later its cable keeps the claim.
         */
        HOSTS_CLAIM = 1,
        /* seat: it is not wanted any longer. HOSTS_DONE at once. The claim ends when the seat's cable is
         * gone. */
        HOSTS_RELEASE,
        /* HOSTS_DONE with a sealed memfd, see below. */
        HOSTS_LIST,
        /*
         * member, number (1: it gets no new seats; 0: it does again), user: who wants that. HOSTS_DONE when
         * the store has it. HOSTS_REFUSED: member is none, or the store cannot be reached.
         */
        HOSTS_DRAIN,
        /*
         * course, user, number: the number of a seat that no roster gives to anybody else. HOSTS_DONE with
         * the number that the store has for the user; without one it is the first from number on that the
         * store has for nobody. HOSTS_REFUSED: the store cannot be reached, or there is no such number.
         */
        HOSTS_NUMBER,
        /* HOSTS_DONE at once; from then on this connection gets HOSTS_TAKEN, HOSTS_CUT_OFF and HOSTS_BACK. */
        HOSTS_WATCH,
        /*
         * course: its files of exam-state.h have changed here, so all members shall have them. HOSTS_DONE
         * when those that are up have them, or when the time for an answer is over: text has the members
         * that do not have them yet, with blanks between, and number how many of these are up.
         * HOSTS_REFUSED: the store cannot be reached, and gets them later.
         */
        HOSTS_EXAM,
        _HOSTS_VERB_MAX,
};

/* For so long a claim is kept for a seat whose cable is still to come. */
#define HOSTS_WANTED_SECONDS 60U

/*
 * And for so long after who wanted it, or coursenet-hosts itself, has ended without a word. It is enough for
 * a restart and for a cable whose units are starting.
 */
#define HOSTS_ORPHANED_SECONDS 10U

/* An answer takes no longer than this. */
#define HOSTS_ANSWER_SECONDS 5U

enum hosts_reply_type {
        HOSTS_DONE = 1,
        HOSTS_ELSEWHERE, /* the seat is live on member, since since_usec */
        HOSTS_REFUSED,   /* reason, and a sentence in text */
        /* To a connection with HOSTS_WATCH; their id is 0. */
        HOSTS_TAKEN,   /* seat is live on member, so it must end here */
        HOSTS_CUT_OFF, /* this member has lost the store, and its spread seats are off the network */
        HOSTS_BACK,    /* it has the store again, and the claims that it could get */
        _HOSTS_REPLY_TYPE_MAX,
};

enum hosts_reason {
        HOSTS_NO_REASON,  /* of all replies but HOSTS_REFUSED */
        HOSTS_NO_STORE,   /* the majority of the store's servers cannot be reached */
        HOSTS_NO_MEMBER,  /* there is no such member */
        HOSTS_OTHER_USER, /* the seat is another user's on a member: the rosters differ */
        HOSTS_NOT_READY,  /* this server is no member by its settings, or has not spoken to the store yet */
        HOSTS_NO_NUMBER,  /* the store has no number for the user, or one that cannot be used */
        _HOSTS_REASON_MAX,
};

struct hosts_request {
        uint32_t magic;
        uint16_t version;
        uint16_t verb;   /* enum hosts_verb */
        uint32_t id;     /* any number but 0; the reply has the same */
        uint32_t number; /* HOSTS_DRAIN, HOSTS_NUMBER; else 0 */
        char course[8];  /* COURSE_SIZE, rounded up: digits. HOSTS_NUMBER, HOSTS_EXAM; else empty */
        char seat[16];   /* SEAT_ID_SIZE, rounded up: digits. HOSTS_CLAIM, HOSTS_RELEASE; else empty */
        char member[40]; /* HOST_MEMBER_NAME_SIZE, rounded up. HOSTS_DRAIN; else empty */
        char user[USER_NAME_SIZE]; /* HOSTS_CLAIM, HOSTS_NUMBER, HOSTS_DRAIN; else empty */
};

struct hosts_reply {
        uint32_t magic;
        uint16_t version;
        uint16_t type;       /* enum hosts_reply_type */
        uint32_t id;         /* the request's */
        uint32_t reason;     /* enum hosts_reason */
        uint64_t since_usec; /* CLOCK_REALTIME; HOSTS_ELSEWHERE and HOSTS_TAKEN */
        uint32_t number;     /* HOSTS_NUMBER: the seat's; HOSTS_LIST: the length of the text; HOSTS_EXAM */
        uint32_t reserved;   /* zero */
        char seat[16];
        char member[40];
        char text[REPLY_TEXT_SIZE];
};

/*
 * HOSTS_LIST: JSON, one object, UTF-8. Times are microseconds of CLOCK_REALTIME, except the deadline.
 * Names and texts are as the store has them, so who shows them makes them printable.
 *
 *     {"version": 1,
 *      "own": {"host": "hosta", "address": "192.0.2.1",
 *              "cut_off": false,
 *              "deadline": 123456789,      CLOCK_BOOTTIME; 0: none yet
 *              "left_ms": 21000,           until the deadline; 0: it is past
 *              "claim_seconds": 30,
 *              "store": "https://192.0.2.1:2379",   the endpoint in use, or the last one tried
 *              "error": null},             or a sentence: why the store cannot be reached
 *      "members": [                        all of members =, in that order, and others that the store knows
 *              {"host": "hosta", "address": "192.0.2.1",
 *               "listed": true,            false: it is not in this server's members =
 *               "up": true,                its key is in the store
 *               "version": "0.9", "contract": 1,      null unless it is up
 *               "boot": "…", "since": 1, "courses": {"123": {…}},   the same
 *               "drained": null}],         or {"by": "root", "since": 1}
 *      "claims": [{"seat": "12310", "user": "cs123-newellz2", "host": "hosta", "since": 1}]}
 *
 * Of each spread course:
 *
 *     {"vni": 100123,
 *      "settings": "…", "settings_changed": 1,   a digest of what must be the same on all members, and
 *      "roster": "…", "roster_changed": 1,       when the file was changed
 *      "exam": 1}                                the time of the exam's state that is in force, exam-state.h
 *
 * While the store cannot be reached, members and claims are as they were last known.
 */

/*
 * Set magic, version and one field each; the caller sets the rest. Texts are copied by protocol_copy_text().
 */
void hosts_request_init(struct hosts_request *request, enum hosts_verb verb, uint32_t id);
void hosts_reply_init(struct hosts_reply *reply, enum hosts_reply_type type, uint32_t id);

/*
 * Check a received message before anything in it is used. -EBADMSG if it is not a message of this protocol,
 * -EPROTO if it is of another version.
 */
int hosts_request_check(const void *message, size_t size);
int hosts_reply_check(const void *message, size_t size);
