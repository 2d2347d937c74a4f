/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What this member does about one seat: decisions without input or output, which claim-keeper.c carries out.
 *
 * The rules that make a seat live on one member only:
 *
 * - A claim is a key in the store that lives as long as this member's lease there. It is held when the
 *   store's own transaction has set it under that lease, and never before.
 * - The deadline of a lease is computed from the time at which its renewal was sent, and is a sixth of the
 *   claim time before the moment at which the store may end the lease.
 * - A claim ends only after the seat's cable is gone. First the file of the claim goes, so that no new cable
 *   is made, then the key.
 * - With a new lease, no claim of the former one is held. Each is asked for as a new one is.
 * - A transaction whose answer is lost may have been carried out, or be carried out later. So each deletion
 *   names the change of the key that it is about, and a claim that is found to be this member's already is
 *   written again, which makes such a deletion void.
 */

#include "claim-value.h"

enum claim_state {
        CLAIM_FREE,   /* not held, as far as is known */
        CLAIM_ASKING, /* a transaction for it is under way */
        CLAIM_HELD,
        CLAIM_DROPPING, /* its deletion is under way */
};

struct claim {
        char seat[SEAT_ID_SIZE];
        char user[USER_NAME_SIZE]; /* "": not known */
        enum claim_state state;
        int64_t revision;                     /* CLAIM_HELD: of its last change in the store */
        uint64_t since_usec;                  /* CLAIM_HELD: CLOCK_REALTIME */
        uint64_t wanted_until_usec;           /* CLOCK_BOOTTIME; 0: it is not wanted */
        uint64_t not_before_usec;             /* the next attempt; CLOCK_BOOTTIME */
        char taken_by[HOST_MEMBER_NAME_SIZE]; /* another member has it, so it must end here; "": none */
        uint64_t taken_since_usec;
};

/* When the store may no longer count on the lease. */
static inline uint64_t claim_deadline(uint64_t sent_usec, unsigned seconds) {
        return sent_usec + (uint64_t)seconds * 1000000U / 6U * 5U;
}

/* What is known in addition. */
struct claim_view {
        uint64_t now_usec; /* CLOCK_BOOTTIME */
        bool session;      /* there is a lease, and the store's keys are known */
        bool cable;        /* the seat's cable exists */
        bool waiting;      /* somebody waits for an answer */
};

enum claim_step {
        CLAIM_STAYS,
        CLAIM_ASK,
        CLAIM_DROP,
        CLAIM_FORGET,
};

enum claim_step claim_next_step(const struct claim *claim, const struct claim_view *view);

/* Somebody wants the seat live now. False: it is another user's until now, so it has to be written again. */
bool claim_want(struct claim *claim, const char *user, uint64_t now_usec, uint64_t seconds);

/* Who wanted the seat has ended, and may want it again. */
void claim_orphan(struct claim *claim, uint64_t now_usec, uint64_t seconds);

/* The ends of a transaction. The last one also of a deletion. */
void claim_granted(struct claim *claim, int64_t revision, uint64_t since_usec);
void claim_refused(struct claim *claim, const struct claim_value *other);
void claim_failed(struct claim *claim, uint64_t now_usec);
void claim_dropped(struct claim *claim);

/* The lease is over. */
void claim_session_over(struct claim *claim);

/* The key as the store shows it, in a snapshot or a change. */
struct claim_sight {
        int64_t revision;         /* of the change */
        bool deleted;             /* there is no key */
        bool own;                 /* with this member's lease */
        struct claim_value value; /* unless it was deleted */
};

enum claim_news {
        CLAIM_NO_NEWS,
        CLAIM_FOUND, /* it is held, by a transaction whose answer was lost or by an earlier program */
        CLAIM_LOST,  /* it is not held any longer; taken_by says whose it is */
};

enum claim_news claim_see(struct claim *claim, const struct claim_sight *sight);
