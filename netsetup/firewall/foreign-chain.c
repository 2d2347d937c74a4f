/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Packets are not traced through the rules. A chain counts as one that knows a link if it leads to a rule
 * that matches the link, or our link group, and does not drop: its author has then decided about the link.
 * Any rule that accepts established connections also covers the way back.
 */

#include "foreign-chain.h"
#include "plan.h"

static bool in_table(json_object *object, const struct nft_chain *chain) {
        return string_equal(nft_json_text(object, "family"), chain->family) &&
               string_equal(nft_json_text(object, "table"), chain->table);
}

/* What the rules of a chain do with one course's link, as far as this file can tell. */
struct regard {
        bool from;        /* packets from the link are accepted, or go to other rules */
        bool to;          /* what goes to it */
        bool established; /* answers to accepted packets are accepted */
        bool translated;  /* what was redirected: our DNS */
};

/* Whether "iifname" or the like is what an expression is about. */
static bool is_about(json_object *left, const char *key) {
        json_object *parts = nft_json_get(left, "concat");

        for (size_t i = 0; i < nft_json_length(parts); i++)
                if (is_about(json_object_array_get_idx(parts, i), key))
                        return true;
        return string_equal(nft_json_text(nft_json_get(left, "meta"), "key"), key);
}

static bool is_about_ct(json_object *left, const char *key) {
        return string_equal(nft_json_text(nft_json_get(left, "ct"), "key"), key);
}

/* Whether a value, or one of a set, is this text: "br-*" is each that begins so. */
static bool has_value(const struct nft_listing *listing, const struct nft_chain *chain, json_object *value,
        const char *text) {
        const char *pattern;
        size_t length;

        if (json_object_is_type(value, json_type_array)) {
                for (size_t i = 0; i < nft_json_length(value); i++)
                        if (has_value(listing, chain, json_object_array_get_idx(value, i), text))
                                return true;
                return false;
        }
        if (json_object_is_type(value, json_type_object)) {
                static const char *const wrappers[] = {"set", "elem", "val", "concat"};

                for (size_t i = 0; i < ELEMENTSOF(wrappers); i++)
                        if (has_value(listing, chain, nft_json_get(value, wrappers[i]), text))
                                return true;
                return false;
        }
        if (!value || json_object_is_type(value, json_type_null))
                return false;

        pattern = json_object_get_string(value);
        if (pattern[0] == '@') {
                for (size_t i = 0; i < nft_json_length(listing->items); i++) {
                        json_object *item = json_object_array_get_idx(listing->items, i);
                        json_object *set = nft_json_has(item, "map") ? nft_json_get(item, "map")
                                                                     : nft_json_get(item, "set");

                        if (in_table(set, chain) && string_equal(nft_json_text(set, "name"), pattern + 1) &&
                                has_value(listing, chain, nft_json_get(set, "elem"), text))
                                return true;
                }
                return false;
        }
        length = strlen(pattern);
        if (length > 0 && pattern[length - 1] == '*')
                return strncmp(pattern, text, length - 1) == 0;
        return string_equal(pattern, text);
}

/* Whether the expression matches the link as the one a packet came in by, or (out) will leave by. */
static bool matches_link(const struct nft_listing *listing, const struct nft_chain *chain, json_object *left,
        json_object *right, const char *link, bool out) {
        static const char *const name_keys[2][2] = {{"iifname", "iif"}, {"oifname", "oif"}};
        static const char *const group_keys[2] = {"iifgroup", "oifgroup"};

        for (size_t i = 0; i < 2; i++)
                if (is_about(left, name_keys[out][i]) && has_value(listing, chain, right, link))
                        return true;
        return is_about(left, group_keys[out]) &&
               has_value(listing, chain, right, STRINGIFY(COURSENET_LINK_GROUP));
}

static bool is_xt(json_object *expression, const char *type, const char *name) {
        json_object *xt = nft_json_get(expression, "xt");

        return string_equal(nft_json_text(xt, "type"), type) && string_equal(nft_json_text(xt, "name"), name);
}

static void look_at_match(const struct nft_listing *listing, const struct nft_chain *chain,
        json_object *expression, const char *link, struct regard *regard) {
        /* A verdict map both matches and decides. */
        json_object *match = nft_json_has(expression, "vmap") ? nft_json_get(expression, "vmap")
                                                              : nft_json_get(expression, "match");
        json_object *left =
                nft_json_has(match, "key") ? nft_json_get(match, "key") : nft_json_get(match, "left");
        json_object *right =
                nft_json_has(match, "data") ? nft_json_get(match, "data") : nft_json_get(match, "right");

        /* iptables -m devgroup: libnftables does not say which group, or whether in or out. */
        if (is_xt(expression, "match", "devgroup"))
                regard->from = regard->to = true;
        if (is_xt(expression, "match", "conntrack") || is_xt(expression, "match", "state"))
                regard->established = true;
        if (!match || string_equal(nft_json_text(match, "op"), "!="))
                return;

        regard->from = regard->from || matches_link(listing, chain, left, right, link, false);
        regard->to = regard->to || matches_link(listing, chain, left, right, link, true);
        if (is_about_ct(left, "state"))
                regard->established = regard->established || has_value(listing, chain, right, "established");
        if (is_about_ct(left, "status"))
                regard->translated = regard->translated || has_value(listing, chain, right, "dnat");
}

static bool is_denial(json_object *expression) {
        return nft_json_has(expression, "drop") || nft_json_has(expression, "reject") ||
               is_xt(expression, "target", "DROP") || is_xt(expression, "target", "REJECT");
}

/* An expression that does not limit to which packets the rule applies. */
static bool is_remark(json_object *expression) {
        return nft_json_has(expression, "counter") || nft_json_has(expression, "log") ||
               is_xt(expression, "target", "LOG") || is_xt(expression, "match", "comment");
}

static bool denies(const struct nft_listing *listing, struct nft_chain *chain) {
        if (!nft_listing_enter(listing, chain))
                return false;
        for (size_t i = 0; i < chain->n_rules; i++) {
                json_object *rule = chain->rules[i];

                for (size_t j = 0; j < nft_json_length(rule); j++) {
                        json_object *expression = json_object_array_get_idx(rule, j);
                        struct nft_chain *next = nft_listing_find_target(listing, chain, expression);

                        if (is_denial(expression) || (next && denies(listing, next)))
                                return true;
                        if (!is_remark(expression))
                                break;
                }
        }
        return false;
}

bool foreign_chain_denies(struct nft_listing *listing, struct nft_chain *chain) {
        nft_listing_begin_search(listing);
        return denies(listing, chain);
}

static void look_at_chain(
        const struct nft_listing *listing, struct nft_chain *chain, const char *link, struct regard *regard);

/* Follows what a verdict map leads to. */
static void look_along_map(const struct nft_listing *listing, const struct nft_chain *chain,
        json_object *expression, const char *link, struct regard *regard) {
        json_object *pairs = nft_json_get(nft_json_get(nft_json_get(expression, "vmap"), "data"), "set");

        for (size_t i = 0; i < nft_json_length(pairs); i++) {
                json_object *pair = json_object_array_get_idx(pairs, i);
                struct nft_chain *next =
                        nft_json_length(pair) == 2
                                ? nft_listing_find_target(listing, chain, json_object_array_get_idx(pair, 1))
                                : NULL;

                if (next)
                        look_at_chain(listing, next, link, regard);
        }
}

/* A match in a rule that drops does not count. In a rule that jumps, the target is searched. */
static void look_at_rule(const struct nft_listing *listing, const struct nft_chain *chain, json_object *rule,
        const char *link, struct regard *regard) {
        struct regard seen = {0};

        for (size_t i = 0; i < nft_json_length(rule); i++) {
                json_object *expression = json_object_array_get_idx(rule, i);
                struct nft_chain *next = nft_listing_find_target(listing, chain, expression);

                if (is_denial(expression))
                        return;
                if (next)
                        look_at_chain(listing, next, link, regard);
                look_along_map(listing, chain, expression, link, regard);
                look_at_match(listing, chain, expression, link, &seen);
        }
        regard->from = regard->from || seen.from;
        regard->to = regard->to || seen.to;
        regard->established = regard->established || seen.established;
        regard->translated = regard->translated || seen.translated;
}

static void look_at_chain(
        const struct nft_listing *listing, struct nft_chain *chain, const char *link, struct regard *regard) {
        if (!nft_listing_enter(listing, chain))
                return;
        for (size_t i = 0; i < chain->n_rules; i++)
                look_at_rule(listing, chain, chain->rules[i], link, regard);
}

bool foreign_chain_knows(
        struct nft_listing *listing, struct nft_chain *chain, bool forward, const char *link) {
        struct regard regard = {0};

        nft_listing_begin_search(listing);
        look_at_chain(listing, chain, link, &regard);
        if (forward)
                return regard.from && (regard.to || regard.established);
        return regard.from || regard.translated;
}
