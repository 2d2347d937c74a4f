/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All claims of this member: carries out what claim.h decides, and answers the requests for them. */

#include "claim.h"
#include "hosts-protocol.h"
#include "mirror.h"
#include "session.h"

/* Somebody who waits for an answer. The callback comes once, at once or later. */
typedef void (*claim_answer_t)(void *userdata, const struct hosts_reply *reply);
struct claim_waiter;

struct kept_claim;

struct claim_keeper {
        sd_event *event; /* borrowed, and so are the next four */
        struct store *store;
        struct session *session;
        struct mirror *mirror;
        const char *root; /* HOSTS_DIRECTORY, or a test's */
        bool (*has_cable)(const char *seat);
        /* A seat of this member is live on another one: it has to end here. */
        void (*taken)(void *userdata, const char *seat, const char *member, uint64_t since_usec);
        /* The store has answered for each claim that is needed. It comes again and again. */
        void (*settled)(void *userdata);
        void *userdata;

        struct kept_claim *claims; /* a uthash */
        bool adopted;              /* the store's keys are known since the session has begun */
        unsigned n_asking;
        sd_event_source *step_source; /* before the loop waits again */
        sd_event_source *timer;
};

/* With the fields of the first part filled in: the claims that the earlier program had. Negative errno. */
int claim_keeper_begin(struct claim_keeper *keeper);
void claim_keeper_done(struct claim_keeper *keeper);

/* HOSTS_CLAIM. *place is the waiter until the answer comes. id: the request's. */
void claim_keeper_claim(struct claim_keeper *keeper, const char *seat, const char *user, uint32_t id,
        claim_answer_t answer, void *userdata, struct claim_waiter **place);
void claim_waiter_drop(struct claim_waiter **place);

/* HOSTS_RELEASE. */
void claim_keeper_release(struct claim_keeper *keeper, const char *seat);

/* The program that wants seats has gone. It asks again for those that it wants still. */
void claim_keeper_orphan(struct claim_keeper *keeper);

/* Calls with each seat that another member has and whose cable is still here. */
void claim_keeper_each_taken(struct claim_keeper *keeper,
        void (*visit)(void *userdata, const char *seat, const char *member, uint64_t since_usec),
        void *userdata);

/* What has happened: to the session, to a key of the store, to the links. */
void claim_keeper_session_begun(struct claim_keeper *keeper);
void claim_keeper_session_resumed(struct claim_keeper *keeper);
void claim_keeper_session_renewed(struct claim_keeper *keeper);
void claim_keeper_session_over(struct claim_keeper *keeper);
void claim_keeper_key_changed(struct claim_keeper *keeper, const struct etcd_pair *pair);
void claim_keeper_loaded(struct claim_keeper *keeper);
void claim_keeper_link_changed(struct claim_keeper *keeper, const char *seat); /* NULL: any */

/* The deadline is past: nobody who waits can be answered soon. */
void claim_keeper_cut_off(struct claim_keeper *keeper);
