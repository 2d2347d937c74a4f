/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads what the activator has logged about leases, from the system's journal and from those of other
 * machines that are collected here.
 */

#include "base/scope.h"
#include "collected.h"
#include "lease-history.h"

struct lease_journal {
        struct lease_history history;
        uint64_t begins_usec; /* the oldest entry; 0: the journal is empty */
        bool persistent;      /* it is kept over a reboot */
        struct collected collected;
};

void lease_journal_done(struct lease_journal *journal);

/*
 * Reads the leases of a user, a seat or a course of that name, or of an address, "10.0.123.10" or
 * "2001:db8::10"; word NULL: all. Only those of courses within the scope. -EACCES if there is no
 * journal that the caller may read.
 */
int lease_journal_read(const char *word, const struct scope *scope, struct lease_journal *ret);

/*
 * Adds the leases in the collected journals of a folder: of other machines, and of this one, whose leases are
 * not added twice. boot_state: of a boot after which its machine, whose name is host, has logged no other
 * one. -EACCES if the caller may not read the folder, -ENOENT if there is no journal in it.
 */
int lease_journal_add_collected(const char *directory, const char *word, const struct scope *scope,
        enum boot_state (*boot_state)(void *userdata, sd_id128_t boot, const char *host), void *userdata,
        struct lease_journal *journal);

#define _cleanup_lease_journal_ _cleanup_(lease_journal_done)
