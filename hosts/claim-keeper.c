/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The file of a claim is there while the claim is held under the session's lease, and only then: it is
 * written after the transaction, and removed before the key. The deadline is in another file, so the files of
 * claims need not be touched when it passes.
 */

#include <utlist.h>

#include "claim-keeper.h"
#include "clock.h"
#include "log.h"
#include "refusal.h"
#include "run-state.h"

/* The store is asked for so many at once. */
#define ASKING_MAX 32U

/* A transaction finds the key changed, and the next one again: somebody else is at it. */
#define TRIES_MAX 4U

#define WITHIN_USEC (HOSTS_ANSWER_SECONDS * USEC_PER_SEC - 500 * USEC_PER_MSEC)

struct claim_waiter {
        struct kept_claim *kept;
        struct claim_waiter **place;
        claim_answer_t answer;
        void *userdata;
        uint32_t id;
        sd_event_source *timer;
        struct claim_waiter *prev, *next;
};

struct kept_claim {
        struct claim claim;
        struct claim_keeper *keeper;
        struct claim_waiter *waiters; /* a utlist */
        struct store_call *call;
        uint64_t lease; /* of the transaction under way */
        struct claim_value asked;
        unsigned tries;
        bool cable; /* as claim_keeper_link_changed() has found it last */
        UT_hash_handle hh;
};

static void step_soon(struct claim_keeper *keeper);

static struct kept_claim *find(struct claim_keeper *keeper, const char *seat) {
        struct kept_claim *kept;

        HASH_FIND_STR(keeper->claims, seat, kept);
        return kept;
}

static struct kept_claim *find_or_make(struct claim_keeper *keeper, const char *seat) {
        struct kept_claim *kept = find(keeper, seat);

        if (kept)
                return kept;
        kept = calloc(1, sizeof(*kept));
        if (!kept)
                return NULL;
        kept->keeper = keeper;
        (void)string_copy(kept->claim.seat, sizeof(kept->claim.seat), seat);
        kept->cable = keeper->has_cable(seat);
        HASH_ADD_STR(keeper->claims, claim.seat, kept);
        return kept;
}

static void forget(struct kept_claim *kept) {
        store_call_drop(&kept->call);
        HASH_DEL(kept->keeper->claims, kept);
        free(kept);
}

/* --- files ----------------------------------------------------------------------------------- */

static void remove_file(struct kept_claim *kept) {
        int r = run_state_remove_claim(kept->keeper->root, kept->claim.seat);

        if (r < 0)
                log_error("The claim of seat %s cannot be removed: %s", kept->claim.seat, strerror(-r));
}

/* --- who waits ------------------------------------------------------------------------------- */

void claim_waiter_drop(struct claim_waiter **place) {
        struct claim_waiter *waiter = *place;

        if (!waiter)
                return;
        *place = NULL;
        DL_DELETE(waiter->kept->waiters, waiter);
        (void)sd_event_source_disable_unref(waiter->timer);
        free(waiter);
}

static void answer(struct claim_waiter *waiter, struct hosts_reply *reply) {
        claim_answer_t callback = waiter->answer;
        void *userdata = waiter->userdata;

        reply->id = waiter->id;
        protocol_copy_text(reply->seat, sizeof(reply->seat), waiter->kept->claim.seat);
        claim_waiter_drop(waiter->place);
        callback(userdata, reply);
}

static void answer_all(struct kept_claim *kept, struct hosts_reply *reply) {
        while (kept->waiters)
                answer(kept->waiters, reply);
}

/* Nobody waits any longer. The seat may be wanted elsewhere now, so it is not asked for again. */
static void refuse_with(struct kept_claim *kept, struct hosts_reply *reply) {
        if (!kept->waiters)
                return;
        kept->claim.wanted_until_usec = 0;
        answer_all(kept, reply);
}

static void refuse_all(struct kept_claim *kept) {
        struct hosts_reply reply;

        refusal_of_session(kept->keeper->session, &reply);
        refuse_with(kept, &reply);
}

/* For a reason that is neither the session's nor another member's. text: a sentence. */
static void refuse_saying(struct kept_claim *kept, const char *text) {
        struct hosts_reply reply;

        log_error("A claim is refused: %s", text);
        refusal_fill(&reply, HOSTS_NOT_READY, text);
        refuse_with(kept, &reply);
}

static int handle_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        struct claim_waiter *waiter = userdata;
        struct kept_claim *kept = waiter->kept;
        struct hosts_reply reply;

        (void)source;
        (void)usec;
        refusal_of_session(kept->keeper->session, &reply);
        if (waiter == kept->waiters && !waiter->next && kept->claim.state != CLAIM_HELD)
                kept->claim.wanted_until_usec = 0;
        step_soon(kept->keeper);
        answer(waiter, &reply);
        return 0;
}

static void answer_granted(struct kept_claim *kept) {
        struct hosts_reply reply;

        if (kept->claim.state != CLAIM_HELD || !session_is_good(kept->keeper->session))
                return;
        hosts_reply_init(&reply, HOSTS_DONE, 1);
        answer_all(kept, &reply);
}

static void answer_elsewhere(struct kept_claim *kept, const struct claim_value *other) {
        struct hosts_reply reply;

        if (string_equal(other->user, kept->claim.user)) {
                hosts_reply_init(&reply, HOSTS_ELSEWHERE, 1);
                reply.since_usec = other->since_usec;
        } else {
                hosts_reply_init(&reply, HOSTS_REFUSED, 1);
                reply.reason = HOSTS_OTHER_USER;
                (void)snprintf(reply.text, sizeof(reply.text),
                        "seat %s is live on %s for another user: the rosters of the members differ",
                        kept->claim.seat, other->host);
        }
        protocol_copy_text(reply.member, sizeof(reply.member), other->host);
        answer_all(kept, &reply);
}

/* --- ends of transactions --------------------------------------------------------------------- */

static void grant(struct kept_claim *kept, int64_t revision, uint64_t since_usec) {
        char text[REPLY_TEXT_SIZE];
        int r;

        claim_granted(&kept->claim, revision, since_usec);
        r = run_state_add_claim(kept->keeper->root, kept->claim.seat, kept->claim.user);
        if (r < 0) {
                (void)snprintf(text, sizeof(text), "the claim of seat %s cannot be noted: %s",
                        kept->claim.seat, strerror(-r));
                refuse_saying(kept, text);
        }
        answer_granted(kept);
}

/* Its file and its leases end here. */
static void lose(struct kept_claim *kept) {
        struct claim_keeper *keeper = kept->keeper;

        remove_file(kept);
        if (!kept->claim.taken_by[0] || !keeper->has_cable(kept->claim.seat))
                return;
        log_notice("Seat %s is live on %s, and ends here", kept->claim.seat, kept->claim.taken_by);
        keeper->taken(keeper->userdata, kept->claim.seat, kept->claim.taken_by, kept->claim.taken_since_usec);
}

static void ask(struct kept_claim *kept, int64_t revision);

static void handle_refusal(struct kept_claim *kept, json_object *answer_object) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};
        struct claim_keeper *keeper = kept->keeper;
        struct claim_value other = {0};
        char text[REPLY_TEXT_SIZE];
        int r = etcd_read_txn_pairs(answer_object, &pairs);

        if (r >= 0 && pairs.n_items == 0 && kept->tries < TRIES_MAX) {
                ask(kept, 0);
                return;
        }
        if (r >= 0 && pairs.n_items > 0)
                r = claim_value_parse(pairs.items[0].value, &other);
        if (r < 0 || pairs.n_items == 0) {
                (void)snprintf(text, sizeof(text),
                        "the store's claim of seat %s is not one that this version writes", kept->claim.seat);
                claim_failed(&kept->claim, now_boottime_usec());
                refuse_saying(kept, text);
                return;
        }
        if (string_equal(other.host, keeper->session->own.name) && kept->tries < TRIES_MAX) {
                /* Of a transaction whose answer was lost, or of an earlier lease of this member's. */
                if (string_equal(other.user, kept->claim.user))
                        kept->asked.since_usec = other.since_usec;
                ask(kept, pairs.items[0].revision);
                return;
        }
        claim_refused(&kept->claim, &other);
        answer_elsewhere(kept, &other);
        lose(kept);
}

static void handle_asked(void *userdata, int error, json_object *answer_object, uint64_t sent_usec) {
        struct kept_claim *kept = userdata;
        struct claim_keeper *keeper = kept->keeper;
        struct etcd_header header;

        (void)sent_usec;
        keeper->n_asking--;
        step_soon(keeper);
        if (error == -ENOENT)
                session_is_over(keeper->session, kept->lease);
        if (error >= 0 && !etcd_read_header(answer_object, &header))
                error = -EBADMSG;
        if (error < 0 || kept->lease != keeper->session->lease) {
                claim_failed(&kept->claim, now_boottime_usec());
                if (error < 0 && error != -ENOENT)
                        refuse_all(kept);
                return;
        }
        if (etcd_succeeded(answer_object))
                grant(kept, header.revision, kept->asked.since_usec);
        else
                handle_refusal(kept, answer_object);
}

static void call(struct kept_claim *kept, char *body, store_callback_t callback) {
        struct claim_keeper *keeper = kept->keeper;

        kept->lease = keeper->session->lease;
        if (store_call(keeper->store, ETCD_TXN, body, WITHIN_USEC, callback, kept, &kept->call) >= 0) {
                keeper->n_asking++;
                return;
        }
        claim_failed(&kept->claim, now_boottime_usec());
        refuse_all(kept);
}

static void format_key(const struct claim *claim, char ret_key[static STORE_KEY_SIZE]) {
        (void)snprintf(ret_key, STORE_KEY_SIZE, STORE_CLAIMS "%s", claim->seat);
}

static void ask(struct kept_claim *kept, int64_t revision) {
        _cleanup_free_ char *value = claim_value_format(&kept->asked);
        char key[STORE_KEY_SIZE];

        kept->tries++;
        kept->claim.state = CLAIM_ASKING;
        format_key(&kept->claim, key);
        call(kept, value ? etcd_put_if_body(key, revision, value, kept->keeper->session->lease) : NULL,
                handle_asked);
}

static void begin_asking(struct kept_claim *kept) {
        struct claim_value *asked = &kept->asked;

        kept->tries = 0;
        *asked = (struct claim_value){.since_usec = now_realtime_usec()};
        (void)string_copy(asked->host, sizeof(asked->host), kept->keeper->session->own.name);
        (void)string_copy(asked->user, sizeof(asked->user), kept->claim.user);
        ask(kept, 0);
}

/* --- the end of a claim ----------------------------------------------------------------------- */

static void drop(struct kept_claim *kept);

/* Until the store has answered it may still have the key, and nobody else could have the seat. */
static void handle_dropped(void *userdata, int error, json_object *answer_object, uint64_t sent_usec) {
        struct kept_claim *kept = userdata;
        struct claim_keeper *keeper = kept->keeper;

        (void)answer_object;
        (void)sent_usec;
        keeper->n_asking--;
        if (error < 0 && keeper->session->lease == kept->lease)
                drop(kept);
        else
                claim_dropped(&kept->claim);
        step_soon(keeper);
}

static void drop(struct kept_claim *kept) {
        char key[STORE_KEY_SIZE];

        remove_file(kept);
        kept->claim.state = CLAIM_DROPPING;
        format_key(&kept->claim, key);
        call(kept, etcd_delete_if_body(key, kept->claim.revision), handle_dropped);
}

/* --- steps ----------------------------------------------------------------------------------- */

static void step(struct kept_claim *kept, uint64_t now) {
        struct claim_keeper *keeper = kept->keeper;
        const struct claim_view view = {
                .now_usec = now,
                .session = keeper->session->lease && keeper->adopted,
                .cable = kept->cable,
                .waiting = kept->waiters,
        };

        switch (claim_next_step(&kept->claim, &view)) {
        case CLAIM_ASK:
                if (keeper->n_asking < ASKING_MAX)
                        begin_asking(kept);
                break;
        case CLAIM_DROP:
                /* The message of a cable that has just come may not have been read. */
                kept->cable = keeper->has_cable(kept->claim.seat);
                if (!kept->cable)
                        drop(kept);
                break;
        case CLAIM_FORGET:
                forget(kept);
                break;
        case CLAIM_STAYS:
                break;
        }
}

static int handle_steps(sd_event_source *source, void *userdata) {
        struct claim_keeper *keeper = userdata;
        uint64_t now = now_boottime_usec();
        struct kept_claim *kept, *next;

        (void)source;
        HASH_ITER (hh, keeper->claims, kept, next)
                step(kept, now);
        if (keeper->session->lease && keeper->adopted && keeper->n_asking == 0)
                keeper->settled(keeper->userdata);
        return 0;
}

static void step_soon(struct claim_keeper *keeper) {
        (void)sd_event_source_set_enabled(keeper->step_source, SD_EVENT_ONESHOT);
}

/* What is wanted for a time only, and what will be tried again. */
#define TICK_USEC USEC_PER_SEC

static int handle_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        struct claim_keeper *keeper = userdata;

        (void)usec;
        if (keeper->claims)
                step_soon(keeper);
        (void)sd_event_source_set_time_relative(source, TICK_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- requests -------------------------------------------------------------------------------- */

static struct claim_waiter *add_waiter(struct kept_claim *kept, uint32_t id, claim_answer_t callback,
        void *userdata, struct claim_waiter **place) {
        struct claim_waiter *waiter = calloc(1, sizeof(*waiter));

        if (!waiter)
                return NULL;
        *waiter = (struct claim_waiter){
                .kept = kept, .place = place, .answer = callback, .userdata = userdata, .id = id};
        if (sd_event_add_time_relative(kept->keeper->event, &waiter->timer, CLOCK_BOOTTIME,
                    HOSTS_ANSWER_SECONDS * USEC_PER_SEC, 1, handle_patience, waiter) < 0) {
                free(waiter);
                return NULL;
        }
        DL_APPEND(kept->waiters, waiter);
        *place = waiter;
        return waiter;
}

void claim_keeper_claim(struct claim_keeper *keeper, const char *seat, const char *user, uint32_t id,
        claim_answer_t callback, void *userdata, struct claim_waiter **place) {
        struct kept_claim *kept = find_or_make(keeper, seat);
        struct hosts_reply reply;

        if (!kept || !add_waiter(kept, id, callback, userdata, place)) {
                refusal_fill(&reply, HOSTS_NOT_READY, "out of memory");
                reply.id = id;
                callback(userdata, &reply);
                return;
        }
        (void)claim_want(&kept->claim, user, now_boottime_usec(), HOSTS_WANTED_SECONDS);
        step_soon(keeper);
        /* One that has had contact, and has lost it, would wait without an answer. */
        if (keeper->session->conflict[0] ||
                (keeper->session->deadline_usec > 0 && !session_is_good(keeper->session) &&
                        store_error(keeper->store)[0]))
                refuse_all(kept);
        else
                answer_granted(kept);
}

void claim_keeper_release(struct claim_keeper *keeper, const char *seat) {
        struct kept_claim *kept = find(keeper, seat);

        if (!kept)
                return;
        kept->claim.wanted_until_usec = 0;
        step_soon(keeper);
}

void claim_keeper_orphan(struct claim_keeper *keeper) {
        struct kept_claim *kept, *next;

        HASH_ITER (hh, keeper->claims, kept, next)
                claim_orphan(&kept->claim, now_boottime_usec(), HOSTS_ORPHANED_SECONDS);
}

void claim_keeper_each_taken(struct claim_keeper *keeper,
        void (*visit)(void *userdata, const char *seat, const char *member, uint64_t since_usec),
        void *userdata) {
        struct kept_claim *kept, *next;

        HASH_ITER (hh, keeper->claims, kept, next)
                if (kept->claim.taken_by[0] && kept->claim.state == CLAIM_FREE &&
                        keeper->has_cable(kept->claim.seat))
                        visit(userdata, kept->claim.seat, kept->claim.taken_by, kept->claim.taken_since_usec);
}

/* --- what has happened ------------------------------------------------------------------------ */

/* No claim of the former lease counts, and another member may have each of them. */
static void end_all(struct claim_keeper *keeper) {
        struct kept_claim *kept, *next;

        keeper->adopted = false;
        HASH_ITER (hh, keeper->claims, kept, next) {
                remove_file(kept);
                if (kept->call) {
                        store_call_drop(&kept->call);
                        keeper->n_asking--;
                }
                claim_session_over(&kept->claim);
        }
}

void claim_keeper_session_over(struct claim_keeper *keeper) {
        end_all(keeper);
}

void claim_keeper_session_renewed(struct claim_keeper *keeper) {
        struct kept_claim *kept, *next;

        HASH_ITER (hh, keeper->claims, kept, next)
                answer_granted(kept);
        step_soon(keeper);
}

void claim_keeper_cut_off(struct claim_keeper *keeper) {
        struct kept_claim *kept, *next;

        HASH_ITER (hh, keeper->claims, kept, next)
                refuse_all(kept);
}

static void see(struct claim_keeper *keeper, const char *seat, const struct etcd_pair *pair) {
        struct claim_sight sight = {.revision = pair->revision, .deleted = pair->deleted};
        struct kept_claim *kept = find(keeper, seat);

        if (!pair->deleted && claim_value_parse(pair->value, &sight.value) < 0)
                return;
        sight.own = !pair->deleted && keeper->session->lease && pair->lease == keeper->session->lease;
        /* Its transaction was given up, and has been carried out: it is dropped unless it is needed. */
        if (!kept && sight.own)
                kept = find_or_make(keeper, seat);
        if (!kept)
                return;
        switch (claim_see(&kept->claim, &sight)) {
        case CLAIM_FOUND:
                grant(kept, kept->claim.revision, kept->claim.since_usec);
                break;
        case CLAIM_LOST:
                lose(kept);
                break;
        case CLAIM_NO_NEWS:
                break;
        }
        step_soon(keeper);
}

void claim_keeper_key_changed(struct claim_keeper *keeper, const struct etcd_pair *pair) {
        const char *seat = claim_key_seat(pair->key);

        if (seat)
                see(keeper, seat, pair);
}

static void see_pair(void *userdata, const struct etcd_pair *pair) {
        claim_keeper_key_changed(userdata, pair);
}

/* What the store has under this lease is held, and nothing else. */
static void adopt(struct claim_keeper *keeper) {
        struct kept_claim *kept, *next;

        if (!keeper->session->lease || keeper->adopted || !mirror_is_loaded(keeper->mirror))
                return;
        keeper->adopted = true;
        mirror_each(keeper->mirror, STORE_CLAIMS, see_pair, keeper);
        HASH_ITER (hh, keeper->claims, kept, next)
                if (kept->claim.state == CLAIM_FREE)
                        remove_file(kept);
        step_soon(keeper);
}

void claim_keeper_loaded(struct claim_keeper *keeper) {
        adopt(keeper);
}

void claim_keeper_session_resumed(struct claim_keeper *keeper) {
        adopt(keeper);
}

void claim_keeper_session_begun(struct claim_keeper *keeper) {
        end_all(keeper);
        adopt(keeper);
}

void claim_keeper_link_changed(struct claim_keeper *keeper, const char *seat) {
        struct kept_claim *kept, *next;

        if (seat) {
                kept = find(keeper, seat);
                if (!kept)
                        return;
                kept->cable = keeper->has_cable(seat);
        } else
                HASH_ITER (hh, keeper->claims, kept, next)
                        kept->cable = keeper->has_cable(kept->claim.seat);
        step_soon(keeper);
}

/* --- begin and end ---------------------------------------------------------------------------- */

static void remember(void *userdata, const char *seat, const char *user) {
        struct claim_keeper *keeper = userdata;
        struct kept_claim *kept = find_or_make(keeper, seat);

        if (kept)
                (void)claim_want(&kept->claim, user, now_boottime_usec(), HOSTS_ORPHANED_SECONDS);
}

int claim_keeper_begin(struct claim_keeper *keeper) {
        int r;

        r = sd_event_add_defer(keeper->event, &keeper->step_source, handle_steps, keeper);
        if (r >= 0)
                r = sd_event_source_set_enabled(keeper->step_source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(
                        keeper->event, &keeper->timer, CLOCK_BOOTTIME, TICK_USEC, 0, handle_tick, keeper);
        if (r < 0)
                return r;
        run_state_each_claim(keeper->root, remember, keeper);
        return 0;
}

void claim_keeper_done(struct claim_keeper *keeper) {
        struct kept_claim *kept, *next;

        HASH_ITER (hh, keeper->claims, kept, next) {
                while (kept->waiters)
                        claim_waiter_drop(kept->waiters->place);
                forget(kept);
        }
        keeper->step_source = sd_event_source_disable_unref(keeper->step_source);
        keeper->timer = sd_event_source_disable_unref(keeper->timer);
}
