/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `coursenet-host check`: compares everything that is up with its plan. It changes nothing. It does not
 * repeat mistakes in the configuration, because coursenetctl reports them.
 */

#include "diagnostics.h"
#include "firewall/nft-text.h"
#include "firewall/ruleset.h"
#include "kernel/qdisc.h"
#include "site.h"

/*
 * Adds an error or a warning for each difference, with what to do. Negative errno, and an error in
 * diagnostics, if it could not look at everything.
 */
int inspect(const char *etc, struct diagnostics *diagnostics);

/* --- what the files inspect*.c share ------------------------------------------------------------------- */

struct inspection {
        const char *etc;
        const struct site *site;
        const struct settings *settings; /* the site's */
        struct link_socket host;
        struct qdisc_rates rates; /* of the host's links */
        /* The rules of the seats that are up, as far as they are known: of each table, and of that of local
         * seats. */
        struct nft_texts seats[RULESET_SEATS_TABLES], locals;
        bool any_spread; /* a seat of a spread course is up */
        struct diagnostics *diagnostics;
};

/* Each looks at one link of ours that is there; negative errno, and an error in diagnostics, if it cannot. */
int inspect_bridge(struct inspection *inspection, const struct link *link, const struct bridge_plan *plan);
/*
 * edited: the settings have been changed since its start, so that it would get other addresses or another
 * gateway.
 */
int inspect_seat(
        struct inspection *inspection, const struct link *link, const struct seat_plan *plan, bool edited);

/*
 * Compares the addresses of an interface with the planned ones; repair ends the sentence. socket is in the
 * interface's namespace.
 */
int inspect_addresses(struct inspection *inspection, struct link_socket *socket, const struct link *link,
        const struct address *address, const struct address6 *address6, const char *repair);

/* Compares its MAC address, and whether it is up. */
void inspect_link(
        struct inspection *inspection, const struct link *link, const struct mac *mac, const char *repair);

/* The latter alone. */
void inspect_link_up(struct inspection *inspection, const struct link *link, const char *repair);

/* Whether the seats of spread courses that are on the network are those that this member has a claim to. */
int inspect_claims(struct inspection *inspection);

/* Warns of what the worker has made and nobody uses. */
void inspect_prepared(struct inspection *inspection);

/* Compares our tables with their plan, and looks for chains of other firewalls that drop packets of seats. */
int inspect_firewall(struct inspection *inspection);

/* Whether all students are among these uids, which it puts in order. */
void inspect_fenced(struct inspection *inspection, uint32_t *uids, size_t n_uids);
