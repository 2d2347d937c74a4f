/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Entries that the activator has logged for leases. Every user can write to the journal, with any field that
 * does not begin with an underscore. journald itself fills in those, from what the kernel knows about the
 * sender. So only entries of root count, and of those only the activator's, because a setuid program may
 * print what its caller wants.
 */

#include <stddef.h>
#include <systemd/sd-journal.h>

/* Matches what the activator has logged, with all matches that are added until sd_journal_add_disjunction(3).
 * Negative errno. */
int journal_match_activator(sd_journal *journal);

/*
 * The same for refused logins, of the activator and of the module in any program of root: what such a program
 * prints, or gives to syslog(3), has no MESSAGE_ID.
 */
int journal_match_refusals(sd_journal *journal);

/* The text of a field of the current entry, cut to size; empty if the entry has no such field. */
void journal_read_field(sd_journal *journal, const char *field, char *ret_text, size_t size);
