/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "claim.h"

/* Between attempts to get a claim for a cable that is there. */
#define RETRY_USEC UINT64_C(1000000)

enum claim_step claim_next_step(const struct claim *claim, const struct claim_view *view) {
        bool needed = view->cable || view->waiting || claim->wanted_until_usec > view->now_usec;

        switch (claim->state) {
        case CLAIM_FREE:
                if (!needed)
                        return CLAIM_FORGET;
                /* It ends here as soon as its leases end, and is not taken back. */
                if (claim->taken_by[0] && !view->waiting)
                        return CLAIM_STAYS;
                if (!view->session || !claim->user[0])
                        return CLAIM_STAYS;
                return view->waiting || claim->not_before_usec <= view->now_usec ? CLAIM_ASK : CLAIM_STAYS;
        case CLAIM_HELD:
                return needed || !view->session ? CLAIM_STAYS : CLAIM_DROP;
        default:
                return CLAIM_STAYS;
        }
}

bool claim_want(struct claim *claim, const char *user, uint64_t now_usec, uint64_t seconds) {
        bool same = claim->state != CLAIM_HELD || string_equal(claim->user, user);

        (void)string_copy(claim->user, sizeof(claim->user), user);
        claim->wanted_until_usec = now_usec + seconds * UINT64_C(1000000);
        if (!same)
                claim->state = CLAIM_FREE;
        return same;
}

void claim_orphan(struct claim *claim, uint64_t now_usec, uint64_t seconds) {
        uint64_t until = now_usec + seconds * UINT64_C(1000000);

        if (claim->wanted_until_usec > until)
                claim->wanted_until_usec = until;
}

void claim_granted(struct claim *claim, int64_t revision, uint64_t since_usec) {
        claim->state = CLAIM_HELD;
        claim->revision = revision;
        claim->since_usec = since_usec;
        claim->taken_by[0] = '\0';
}

void claim_refused(struct claim *claim, const struct claim_value *other) {
        claim->state = CLAIM_FREE;
        claim->revision = 0;
        claim->wanted_until_usec = 0;
        (void)string_copy(claim->taken_by, sizeof(claim->taken_by), other->host);
        claim->taken_since_usec = other->since_usec;
}

void claim_failed(struct claim *claim, uint64_t now_usec) {
        claim->state = CLAIM_FREE;
        claim->not_before_usec = now_usec + RETRY_USEC;
}

void claim_dropped(struct claim *claim) {
        claim->state = CLAIM_FREE;
        claim->revision = 0;
}

void claim_session_over(struct claim *claim) {
        claim->state = CLAIM_FREE;
        claim->revision = 0;
        claim->not_before_usec = 0;
}

enum claim_news claim_see(struct claim *claim, const struct claim_sight *sight) {
        /* The answer of the transaction says what holds. */
        if (claim->state == CLAIM_ASKING || claim->state == CLAIM_DROPPING)
                return CLAIM_NO_NEWS;
        /* A change that is older than what a transaction has said. */
        if (claim->state == CLAIM_HELD && sight->revision <= claim->revision)
                return CLAIM_NO_NEWS;

        if (!sight->deleted && sight->own) {
                bool news = claim->state != CLAIM_HELD;

                claim_granted(claim, sight->revision, sight->value.since_usec);
                (void)string_copy(claim->user, sizeof(claim->user), sight->value.user);
                return news ? CLAIM_FOUND : CLAIM_NO_NEWS;
        }
        if (claim->state != CLAIM_HELD)
                return CLAIM_NO_NEWS;
        if (sight->deleted)
                claim_dropped(claim);
        else
                claim_refused(claim, &sight->value);
        return CLAIM_LOST;
}
