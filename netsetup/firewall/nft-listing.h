/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What `nft -j list ruleset` prints, as chains with their rules (libnftables-json(5)). */

#include <json.h>

#include "util.h"

/* Borrowed from the document, except the array. */
struct nft_chain {
        const char *family, *table, *name, *hook, *policy; /* empty where nft says nothing of it */
        json_object **rules;                               /* the expressions of each */
        size_t n_rules;
        unsigned search; /* the last one that has entered it */
};

/* The empty value is all zero. */
struct nft_listing {
        json_object *document, *items; /* items: the array under "nftables" */
        struct nft_chain *chains;      /* sorted */
        size_t n_chains;
        unsigned search;
};

/* -EINVAL if text is no such listing; -ENOMEM. */
int nft_listing_parse(const char *text, struct nft_listing *ret);
void nft_listing_done(struct nft_listing *listing);

/* NULL if there is none. */
struct nft_chain *nft_listing_find_chain(
        const struct nft_listing *listing, const char *family, const char *table, const char *name);

/* The chain that an expression of a rule in from jumps or goes to; NULL if it does neither. */
struct nft_chain *nft_listing_find_target(
        const struct nft_listing *listing, const struct nft_chain *from, json_object *expression);

/* A search through chains that lead to each other: nft_listing_enter() returns false for one that it has
 * entered. */
void nft_listing_begin_search(struct nft_listing *listing);
bool nft_listing_enter(const struct nft_listing *listing, struct nft_chain *chain);

/* A member of an object; NULL if there is no such member, or no object in the first place. */
json_object *nft_json_get(json_object *object, const char *key);

/* The same as text: empty if there is none. */
const char *nft_json_text(json_object *object, const char *key);

/* Whether there is such a member, be it null, as {"drop": null}. */
bool nft_json_has(json_object *object, const char *key);

/* The length of an array; 0 if it is none. */
size_t nft_json_length(json_object *array);

#define _cleanup_nft_listing_ _cleanup_(nft_listing_done)
