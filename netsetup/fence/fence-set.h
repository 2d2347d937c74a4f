/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Computes who is fenced, from the accounts that this run has found and from those of earlier runs. A uid
 * that was fenced once stays fenced until it turns out to be somebody else's, because a directory may be
 * down, and an account may be deleted while its processes still run.
 */

#include <stdint.h>

#include "settings.h"

struct account {
        uint32_t uid;
        char *name; /* empty: only the uid is known */
};

/* The empty value is all zero. */
struct accounts {
        struct account *items;
        size_t n_items;
};

enum account_kind {
        ACCOUNT_OTHER,  /* none of ours */
        ACCOUNT_COURSE, /* a course user's */
        ACCOUNT_EXCEPT, /* a course user's, by name, but fence-except-users has it */
};

void accounts_done(struct accounts *accounts);

/* Copies the name, which may have any length and is never cut. -ENOMEM. */
int accounts_add(struct accounts *accounts, uint32_t uid, const char *name);

/* A copy in the order of uids or of names. -ENOMEM. */
int accounts_copy_by_uid(const struct accounts *accounts, struct accounts *ret);
int accounts_copy_by_name(const struct accounts *accounts, struct accounts *ret);

/* The accounts must be in that order. */
bool accounts_have_uid(const struct accounts *by_uid, uint32_t uid);
bool accounts_have_name(const struct accounts *by_name, const char *name);

enum account_kind account_classify(const struct settings *settings, const char *name);

/* Who is fenced: ordered by uid, each once. -ENOMEM. */
int fence_compute(const struct settings *settings, const struct accounts *remembered,
        const struct accounts *found, struct accounts *ret);

/*
 * What a run remembers for the next one, as text: one "UID NAME" a line ("-" without a name); missing: how
 * many students of the rosters have no account. NULL: out of memory.
 */
char *fence_format_memory(const struct accounts *accounts, unsigned missing);

/* Invalid lines are skipped. -ENOMEM. */
int fence_parse_memory(const char *text, struct accounts *ret, unsigned *ret_missing);

#define _cleanup_accounts_ _cleanup_(accounts_done)
