/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keeps the exams of spread courses the same here and in the store: the later of the two states counts
 * (exam-state.h). What the store has becomes files, which are what the firewall is computed from, and systemd
 * applies it. A key that is missing from the store, or that has a mistake, ends no exam.
 */

#include <uthash.h>

#include "hosts-protocol.h"
#include "mirror.h"
#include "session.h"
#include "settings.h"

/* Somebody who waits until all members have it. The callback comes once, at once or later. */
typedef void (*exam_answer_t)(void *userdata, struct hosts_reply *reply);
struct exam_waiter;

struct exam_course {
        char course[COURSE_SIZE];
        uint64_t found_usec;    /* of the state of the files; 0: there is none */
        uint64_t applying_usec; /* systemd applies that one */
        uint64_t applied_usec;  /* that one is in force */
        int64_t put_revision;   /* of the store, when this member has written it last */
        int64_t bad_revision;   /* of a value with a mistake that was logged */
        struct store_call *call;
        struct exam_sync *sync;
        UT_hash_handle hh;
};

struct exam_sync {
        sd_event *event; /* borrowed, and so are the next four */
        struct store *store;
        const struct session *session;
        const struct mirror *mirror;
        const struct settings *settings; /* as they were at the start */
        const char *etc;                 /* for the settings as they are now */
        const char *state;               /* STATE_DIRECTORY, or a test's */
        const char *const *apply;        /* the program that applies the rules, with its arguments */
        /* What is in force here has changed. */
        void (*applied)(void *userdata);
        void *userdata;

        struct exam_course *courses; /* a uthash */
        struct exam_waiter *waiters; /* a utlist */
        sd_event_source *look_source, *settle_source, *lock_timer;
        sd_event_source *child_source, *child_timer;
        pid_t child; /* 0: none */
        bool again, failing;
};

/* With the fields of the first part filled in. Negative errno. */
int exam_sync_begin(struct exam_sync *sync);
void exam_sync_done(struct exam_sync *sync);

/* Looks at all courses, now; or soon. */
void exam_sync_look(struct exam_sync *sync);
void exam_sync_key_changed(struct exam_sync *sync, const char *key);

/* HOSTS_EXAM. *place is the waiter until the answer comes. */
void exam_sync_tell(struct exam_sync *sync, const char *course, uint32_t id, exam_answer_t answer,
        void *userdata, struct exam_waiter **place);
void exam_waiter_drop(struct exam_waiter **place);

/* The state that is in force here; 0: there is none. */
uint64_t exam_sync_applied(const struct exam_sync *sync, const char *course);
