/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * This member's lease in the store, and its key members/HOST, which has that lease.
 *
 * A renewal counts only if a quorum of the store confirms it. A server of the store that has lost the others
 * goes on for a moment as if it led them, and so answers a renewal that the others do not know of. So each
 * renewal is followed by a read of the member's key that the leader has to confirm with a quorum. If the key
 * still has the lease, and the leader's term is that of the renewal, the lease was renewed by the leader
 * itself: a term has one leader.
 */

#include "hosts.h"
#include "store.h"

struct session_events {
        void (*begun)(void *userdata);   /* there is a new lease: nothing is claimed under it */
        void (*resumed)(void *userdata); /* the lease of an earlier program of this boot goes on */
        void (*renewed)(void *userdata); /* the deadline has moved; also after each of the above */
        void (*over)(void *userdata);    /* the lease is gone: each member may have its seats */
        void *userdata;
};

struct session {
        sd_event *event; /* borrowed, and so are the next two */
        struct store *store;
        const char *root; /* HOSTS_DIRECTORY, or a test's */
        struct host_member own;
        unsigned seconds; /* claim-time */
        struct session_events events;

        uint64_t lease;         /* 0: none */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME; 0: none yet */
        int64_t revision;       /* of the store, at the last renewal */
        char *value;            /* of the key, as it should be; the session's */
        uint64_t since_usec;    /* CLOCK_REALTIME; when this program began */
        char conflict[160];     /* another server has this member's name: a sentence; "": none */

        /* What is under way. */
        uint64_t asked_lease, sent_usec, term;
        unsigned asked_seconds;
        bool is_new, published;
        unsigned edition, asked_edition; /* of value, and of the one under way */
        struct store_call *call;
        sd_event_source *timer;
};

/* Begins, with the fields of the first part filled in, after session_set_courses(). */
int session_begin(struct session *session);

/* courses: the JSON object of the courses, borrowed. A change of it is published at once. */
int session_set_courses(struct session *session, json_object *courses);

/* Something else has found that there is no such lease. */
void session_is_over(struct session *session, uint64_t lease);

/* Whether claims are good now. */
bool session_is_good(const struct session *session);

void session_done(struct session *session);
