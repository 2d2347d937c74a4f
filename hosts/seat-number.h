/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * numbers/COURSE/USER and seats/COURSE/NUMBER in the store: the number of each user's seat, the same on all
 * members. Both keys are made by one transaction, or neither is, and nothing changes them afterwards.
 */

#include "hosts-protocol.h"
#include "mirror.h"
#include "session.h"

/* What the store has of a user and of the number that was tried, in the answer of a transaction. */
enum number_step {
        NUMBER_GIVEN, /* the user has *ret */
        NUMBER_TAKEN, /* somebody else has the one that was tried */
        NUMBER_BAD,   /* the user's is none that this version writes */
};

enum number_step number_judge(
        const struct etcd_pairs *pairs, const char *course, const char *user, unsigned *ret);

/* The first number from number on whose key the mirror does not have; 0: there is none. */
unsigned number_first_free(const struct mirror *mirror, const char *course, unsigned number);

/* The caller frees it. NULL: out of memory. */
char *number_body(const char *course, const char *user, unsigned number);

struct number_call;

/* The answer comes once, at once or later. The call has been freed. */
typedef void (*number_answer_t)(void *userdata, struct hosts_reply *reply);

/* mirror and session are borrowed. *place is the call until the answer comes. Negative errno. */
int number_call_begin(const struct mirror *mirror, const struct session *session,
        const struct hosts_request *request, number_answer_t answer, void *userdata,
        struct number_call **place);
void number_call_drop(struct number_call **place);
