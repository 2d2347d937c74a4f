/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The chains are sorted by name, so that a jump is followed by a binary search: Docker has thousands of
 * rules. */

#include "nft-listing.h"

json_object *nft_json_get(json_object *object, const char *key) {
        json_object *value = NULL;

        return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, &value)
                       ? value
                       : NULL;
}

bool nft_json_has(json_object *object, const char *key) {
        return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, NULL);
}

const char *nft_json_text(json_object *object, const char *key) {
        json_object *value = nft_json_get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

size_t nft_json_length(json_object *array) {
        return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

void nft_listing_done(struct nft_listing *listing) {
        for (size_t i = 0; i < listing->n_chains; i++)
                free(listing->chains[i].rules);
        free(listing->chains);
        (void)json_object_put(listing->document);
        *listing = (struct nft_listing){0};
}

static int compare_chains(const void *a, const void *b) {
        const struct nft_chain *one = a, *other = b;
        int r;

        r = strcmp(one->family, other->family);
        if (r == 0)
                r = strcmp(one->table, other->table);
        return r == 0 ? strcmp(one->name, other->name) : r;
}

struct nft_chain *nft_listing_find_chain(
        const struct nft_listing *listing, const char *family, const char *table, const char *name) {
        struct nft_chain wanted = {.family = family, .table = table, .name = name};

        return listing->n_chains == 0
                       ? NULL
                       : bsearch(&wanted, listing->chains, listing->n_chains, sizeof(wanted), compare_chains);
}

static int append_rule(struct nft_chain *chain, json_object *expressions) {
        json_object **larger;

        larger = reallocarray(chain->rules, chain->n_rules + 1, sizeof(json_object *));
        if (!larger)
                return -ENOMEM;
        chain->rules = larger;
        larger[chain->n_rules++] = expressions;
        return 0;
}

/* nft lists chains before the rules in them, but nothing here relies on it. */
static int sort_rules(struct nft_listing *listing) {
        size_t n = nft_json_length(listing->items);

        listing->chains = calloc(n + 1, sizeof(*listing->chains));
        if (!listing->chains)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                json_object *chain = nft_json_get(json_object_array_get_idx(listing->items, i), "chain");

                if (chain)
                        listing->chains[listing->n_chains++] = (struct nft_chain){
                                .family = nft_json_text(chain, "family"),
                                .table = nft_json_text(chain, "table"),
                                .name = nft_json_text(chain, "name"),
                                .hook = nft_json_text(chain, "hook"),
                                .policy = nft_json_text(chain, "policy"),
                        };
        }
        qsort(listing->chains, listing->n_chains, sizeof(*listing->chains), compare_chains);

        for (size_t i = 0; i < n; i++) {
                json_object *rule = nft_json_get(json_object_array_get_idx(listing->items, i), "rule");
                struct nft_chain *chain = nft_listing_find_chain(listing, nft_json_text(rule, "family"),
                        nft_json_text(rule, "table"), nft_json_text(rule, "chain"));

                if (chain && append_rule(chain, nft_json_get(rule, "expr")) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int nft_listing_parse(const char *text, struct nft_listing *ret) {
        _cleanup_nft_listing_ struct nft_listing listing = {.document = json_tokener_parse(text)};
        int r;

        listing.items = nft_json_get(listing.document, "nftables");
        if (!json_object_is_type(listing.items, json_type_array))
                return -EINVAL;
        r = sort_rules(&listing);
        if (r < 0)
                return r;
        *ret = listing;
        listing = (struct nft_listing){0};
        return 0;
}

void nft_listing_begin_search(struct nft_listing *listing) {
        listing->search++;
}

bool nft_listing_enter(const struct nft_listing *listing, struct nft_chain *chain) {
        if (chain->search == listing->search)
                return false;
        chain->search = listing->search;
        return true;
}

struct nft_chain *nft_listing_find_target(
        const struct nft_listing *listing, const struct nft_chain *from, json_object *expression) {
        json_object *jump = nft_json_has(expression, "jump") ? nft_json_get(expression, "jump")
                                                             : nft_json_get(expression, "goto");

        return jump ? nft_listing_find_chain(
                              listing, from->family, from->table, nft_json_text(jump, "target"))
                    : NULL;
}
