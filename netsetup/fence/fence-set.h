/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is fenced, as a computation: from accounts that were found just now, and from those of earlier runs. A
 * uid that was fenced once stays so until it is seen to be somebody else's, as a directory that is down, or
 * an account that was deleted with processes left, is no reason to let go.
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

/* Copies the name, which may be of any length and is never cut. -ENOMEM. */
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
 * The memory of a run, as text, one "UID NAME" a line ("-" without a name); missing: how many students of the
 * rosters have no account. NULL: out of memory.
 */
char *fence_format_memory(const struct accounts *accounts, unsigned missing);

/* Lines that are none are skipped. -ENOMEM. */
int fence_parse_memory(const char *text, struct accounts *ret, unsigned *ret_missing);

#define _cleanup_accounts_ _cleanup_(accounts_done)
