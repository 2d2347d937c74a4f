/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a chain of somebody else's firewall does with packets of a course's link. */

#include "nft-listing.h"

/* Whether the chain drops what no earlier rule has accepted, by a rule at its end. */
bool foreign_chain_denies(struct nft_listing *listing, struct nft_chain *chain);

/*
 * Whether the chain has rules that accept packets of a link. With forward: in both directions; otherwise,
 * name queries to the host.
 */
bool foreign_chain_knows(
        struct nft_listing *listing, struct nft_chain *chain, bool forward, const char *link);
