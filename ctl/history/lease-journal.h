/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads what the activator has logged about leases from the system's journal. */

#include "base/scope.h"
#include "lease-history.h"

struct lease_journal {
        struct lease_history history;
        uint64_t begins_usec; /* the oldest entry; 0: the journal is empty */
        bool persistent;      /* it is kept over a reboot */
};

void lease_journal_done(struct lease_journal *journal);

/*
 * Reads the leases of a user, a seat or a course of that name, or of an address, "10.0.123.10" or
 * "2001:db8::10"; word NULL: all. Only those of courses within the scope. -EACCES if there is no
 * journal that the caller may read.
 */
int lease_journal_read(const char *word, const struct scope *scope, struct lease_journal *ret);

#define _cleanup_lease_journal_ _cleanup_(lease_journal_done)
