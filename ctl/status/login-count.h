/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many logins there have been, how long they waited for a seat that was down, and how many were refused,
 * counted from entries in the journal. A file keeps the numbers and the position in the journal, so that they
 * only grow, also when the journal drops old entries.
 */

#include <stdint.h>

#include "plan.h"
#include "refusal.h"

#define LOGIN_BUCKETS 8U

/* Upper bounds of the buckets, in seconds. */
extern const double login_count_bounds[LOGIN_BUCKETS];

struct course_count {
        char course[COURSE_SIZE];
        uint64_t n_logins;
};

/* The empty value is all zero. */
struct login_count {
        struct course_count *courses;
        size_t n_courses;
        uint64_t buckets[LOGIN_BUCKETS]; /* starts of seats: each only what is not in a bucket before */
        uint64_t n_slower;               /* than the last bound */
        double seconds;                  /* of all of them together */
        uint64_t refusals[_REFUSAL_MAX];
        uint64_t n_other_refusals; /* for a reason that this version does not know */
};

void login_count_done(struct login_count *count);

/* Adds a login of that course. -ENOMEM. */
int login_count_add(struct login_count *count, const char *course);

/* Adds the start of a seat that took so long. */
void login_count_add_start(struct login_count *count, uint64_t usec);

/* Adds a refusal; reason is the text of one of refusal.h. */
void login_count_add_refusal(struct login_count *count, const char *reason);

/*
 * Reads the numbers from a file in the folder, adds what the journal has since then, and writes them back. A
 * missing or broken file begins with all that the journal has. Negative errno.
 */
int login_count_update(const char *directory, struct login_count *ret);

#define _cleanup_login_count_ _cleanup_(login_count_done)
