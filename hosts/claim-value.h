/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys and values of the store, below one prefix; the values are JSON. */

#include <stdint.h>

#include "name-rule.h"
#include "seat-id.h"
#include "setting-value.h"

#define STORE_PREFIX "/coursenet/1/"
#define STORE_CLAIMS STORE_PREFIX "claims/"   /* SEAT, with the lease of the member that has it */
#define STORE_MEMBERS STORE_PREFIX "members/" /* HOST, with its lease */
#define STORE_DRAIN STORE_PREFIX "drain/"     /* HOST */
#define STORE_EXAMS STORE_PREFIX "exams/"     /* COURSE */
#define STORE_NUMBERS STORE_PREFIX "numbers/" /* COURSE/USER */
#define STORE_SEATS STORE_PREFIX "seats/"     /* COURSE/NUMBER */

#define STORE_KEY_SIZE 512U

/* claims/SEAT: {"host": "hosta", "user": "cs123-newellz2", "since": 1} */
struct claim_value {
        char host[HOST_MEMBER_NAME_SIZE];
        char user[USER_NAME_SIZE];
        uint64_t since_usec; /* CLOCK_REALTIME */
};

/* The caller frees it. NULL: out of memory. */
char *claim_value_format(const struct claim_value *value);

/* -EBADMSG if the text is no such value: host and user are checked as settings are. */
int claim_value_parse(const char *text, struct claim_value *ret);

/* The seat of a key below STORE_CLAIMS; within key. NULL: it is none. */
const char *claim_key_seat(const char *key);
