/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The filter of a seat: the chain at the server's end of its cable. It belongs to the addresses that the seat
 * was started with, whatever the settings say by now; so its text is kept for as long as the seat is up, and
 * is what is restored, and compared with. A lock keeps a restoration and the seats' starts and stops apart.
 */

#include "diagnostics.h"
#include "plan.h"

/* Held, as long as *ret_fd is open, by whoever starts or stops a seat; any number may do so side by side. */
int seat_rules_lock(int *ret_fd);

/* Keeps the text and applies it; the link must be there, and the lock be held. Errors are in diagnostics. */
int seat_rules_apply(const struct seat_plan *plan, struct diagnostics *diagnostics);

/* Removes chain and text of a link, whether or not they are there. As above. */
int seat_rules_remove(const char *link, struct diagnostics *diagnostics);

/* What seat_rules_apply() applies. NULL: out of memory. */
char *seat_rules_format(const struct seat_plan *plan);

/* The text that was kept for a link. The caller frees *ret; -ENOENT if there is none. */
int seat_rules_read(const char *link, char **ret);

/* Whether the seat that this text was kept for would have the same addresses and the same way out now. */
bool seat_rules_fit(const char *text, const struct seat_plan *plan);

/*
 * Makes the chains of all seats that are up anew, as they were, and removes those whose link is gone: in one
 * transaction. The settings count only for a link without a text, of a version that kept none.
 */
int seat_rules_refresh(const char *etc, struct diagnostics *diagnostics);
