/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * No packet is followed through the rules. A chain counts as one that knows of a course if a rule that it
 * leads to matches the course's link (or link group) and does not drop: whoever has written that has thought
 * of it. The way back is also taken care of by any rule that accepts what is established.
 */

#include <json.h>

#include "foreign-firewall.h"

/* Names of bridges in a message. */
#define NAMES_SIZE 160U

/* As JSON has it, which owns all of this but the array. */
struct chain {
        const char *family, *table, *name, *hook, *policy;
        json_object **rules; /* what each is made of */
        size_t n_rules;
        unsigned visit; /* the last time that a search came by */
};

struct rules {
        json_object *items;   /* the array under "nftables"; borrowed */
        struct chain *chains; /* sorted */
        size_t n_chains;
        unsigned visit; /* how often the chains were searched */
        const struct bridge_plan *courses;
        size_t n_courses;
        bool dns;
        bool docker; /* Docker calls its own bridges br-, too */
};

enum maker {
        MAKER_DOCKER,
        MAKER_UFW,
        MAKER_FIREWALLD,
        MAKER_IPTABLES,
        MAKER_ADMIN, /* nft, most likely /etc/nftables.conf */
};

static void put_json(json_object **object) {
        (void)json_object_put(*object);
}

#define _cleanup_json_ _cleanup_(put_json)

/* NULL if there is no such member, or no object in the first place. */
static json_object *get(json_object *object, const char *key) {
        json_object *value = NULL;

        return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, &value)
                       ? value
                       : NULL;
}

static bool has(json_object *object, const char *key) {
        return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, NULL);
}

/* "" if it is not there. */
static const char *get_text(json_object *object, const char *key) {
        json_object *value = get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static size_t length_of(json_object *array) {
        return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static bool in_table(json_object *object, const struct chain *chain) {
        return string_equal(get_text(object, "family"), chain->family) &&
               string_equal(get_text(object, "table"), chain->table);
}

/* --- chains ----------------------------------------------------------------------------------- */

static void rules_done(struct rules *rules) {
        for (size_t i = 0; i < rules->n_chains; i++)
                free(rules->chains[i].rules);
        free(rules->chains);
        *rules = (struct rules){0};
}

static int compare_chains(const void *a, const void *b) {
        const struct chain *one = a, *other = b;
        int r;

        r = strcmp(one->family, other->family);
        if (r == 0)
                r = strcmp(one->table, other->table);
        return r == 0 ? strcmp(one->name, other->name) : r;
}

static struct chain *find_chain(
        const struct rules *rules, const char *family, const char *table, const char *name) {
        struct chain wanted = {.family = family, .table = table, .name = name};

        return rules->n_chains == 0
                       ? NULL
                       : bsearch(&wanted, rules->chains, rules->n_chains, sizeof(wanted), compare_chains);
}

static int append_rule(struct chain *chain, json_object *expressions) {
        json_object **larger;

        larger = reallocarray(chain->rules, chain->n_rules + 1, sizeof(json_object *));
        if (!larger)
                return -ENOMEM;
        chain->rules = larger;
        larger[chain->n_rules++] = expressions;
        return 0;
}

/* nft lists chains before the rules in them, but nothing here relies on it. */
static int sort_rules(struct rules *rules) {
        size_t n = length_of(rules->items);

        rules->chains = calloc(n + 1, sizeof(*rules->chains));
        if (!rules->chains)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                json_object *chain = get(json_object_array_get_idx(rules->items, i), "chain");

                if (chain)
                        rules->chains[rules->n_chains++] = (struct chain){
                                .family = get_text(chain, "family"),
                                .table = get_text(chain, "table"),
                                .name = get_text(chain, "name"),
                                .hook = get_text(chain, "hook"),
                                .policy = get_text(chain, "policy"),
                        };
        }
        qsort(rules->chains, rules->n_chains, sizeof(*rules->chains), compare_chains);

        for (size_t i = 0; i < n; i++) {
                json_object *rule = get(json_object_array_get_idx(rules->items, i), "rule");
                struct chain *chain = find_chain(
                        rules, get_text(rule, "family"), get_text(rule, "table"), get_text(rule, "chain"));

                if (chain && append_rule(chain, get(rule, "expr")) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* False if this search has been there. */
static bool enter(const struct rules *rules, struct chain *chain) {
        if (chain->visit == rules->visit)
                return false;
        chain->visit = rules->visit;
        return true;
}

/* The chain that a rule leads to; NULL: it leads nowhere. */
static struct chain *find_target(
        const struct rules *rules, const struct chain *from, json_object *expression) {
        json_object *jump = has(expression, "jump") ? get(expression, "jump") : get(expression, "goto");

        return jump ? find_chain(rules, from->family, from->table, get_text(jump, "target")) : NULL;
}

/* --- what a rule matches --------------------------------------------------------------------- */

/* What the rules of a chain do with one course's link, as far as we look. */
struct regard {
        bool from;        /* what comes from it is let through, or sorted further */
        bool to;          /* what goes to it */
        bool established; /* the answers of whatever was let through */
        bool translated;  /* what was redirected: our DNS */
};

/* Whether "iifname" or the like is what an expression is about. */
static bool is_about(json_object *left, const char *key) {
        json_object *parts = get(left, "concat");

        for (size_t i = 0; i < length_of(parts); i++)
                if (is_about(json_object_array_get_idx(parts, i), key))
                        return true;
        return string_equal(get_text(get(left, "meta"), "key"), key);
}

static bool is_about_ct(json_object *left, const char *key) {
        return string_equal(get_text(get(left, "ct"), "key"), key);
}

/* Whether a value, or one of a set, is this text: "br-*" is each that begins so. */
static bool has_value(
        const struct rules *rules, const struct chain *chain, json_object *value, const char *text) {
        const char *pattern;
        size_t length;

        if (json_object_is_type(value, json_type_array)) {
                for (size_t i = 0; i < length_of(value); i++)
                        if (has_value(rules, chain, json_object_array_get_idx(value, i), text))
                                return true;
                return false;
        }
        if (json_object_is_type(value, json_type_object)) {
                static const char *const wrappers[] = {"set", "elem", "val", "concat"};

                for (size_t i = 0; i < ELEMENTSOF(wrappers); i++)
                        if (has_value(rules, chain, get(value, wrappers[i]), text))
                                return true;
                return false;
        }
        if (!value || json_object_is_type(value, json_type_null))
                return false;

        pattern = json_object_get_string(value);
        if (pattern[0] == '@') {
                for (size_t i = 0; i < length_of(rules->items); i++) {
                        json_object *item = json_object_array_get_idx(rules->items, i);
                        json_object *set = has(item, "map") ? get(item, "map") : get(item, "set");

                        if (in_table(set, chain) && string_equal(get_text(set, "name"), pattern + 1) &&
                                has_value(rules, chain, get(set, "elem"), text))
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
static bool matches_link(const struct rules *rules, const struct chain *chain, json_object *left,
        json_object *right, const char *link, bool out) {
        static const char *const name_keys[2][2] = {{"iifname", "iif"}, {"oifname", "oif"}};
        static const char *const group_keys[2] = {"iifgroup", "oifgroup"};

        for (size_t i = 0; i < 2; i++)
                if (is_about(left, name_keys[out][i]) && has_value(rules, chain, right, link))
                        return true;
        return is_about(left, group_keys[out]) &&
               has_value(rules, chain, right, STRINGIFY(COURSENET_LINK_GROUP));
}

static bool is_xt(json_object *expression, const char *type, const char *name) {
        json_object *xt = get(expression, "xt");

        return string_equal(get_text(xt, "type"), type) && string_equal(get_text(xt, "name"), name);
}

static void look_at_match(const struct rules *rules, const struct chain *chain, json_object *expression,
        const char *link, struct regard *regard) {
        /* A verdict map both matches and decides. */
        json_object *match = has(expression, "vmap") ? get(expression, "vmap") : get(expression, "match");
        json_object *left = has(match, "key") ? get(match, "key") : get(match, "left");
        json_object *right = has(match, "data") ? get(match, "data") : get(match, "right");

        /* iptables -m devgroup: libnftables does not say which group, or whether in or out. */
        if (is_xt(expression, "match", "devgroup"))
                regard->from = regard->to = true;
        if (is_xt(expression, "match", "conntrack") || is_xt(expression, "match", "state"))
                regard->established = true;
        if (!match || string_equal(get_text(match, "op"), "!="))
                return;

        regard->from = regard->from || matches_link(rules, chain, left, right, link, false);
        regard->to = regard->to || matches_link(rules, chain, left, right, link, true);
        if (is_about_ct(left, "state"))
                regard->established = regard->established || has_value(rules, chain, right, "established");
        if (is_about_ct(left, "status"))
                regard->translated = regard->translated || has_value(rules, chain, right, "dnat");
}

/* --- what a rule decides --------------------------------------------------------------------- */

static bool is_denial(json_object *expression) {
        return has(expression, "drop") || has(expression, "reject") || is_xt(expression, "target", "DROP") ||
               is_xt(expression, "target", "REJECT");
}

/* Says nothing of which packets it is about. */
static bool is_remark(json_object *expression) {
        return has(expression, "counter") || has(expression, "log") || is_xt(expression, "target", "LOG") ||
               is_xt(expression, "match", "comment");
}

/* Whether a chain ends, for all that nobody let through before, in a drop. */
static bool denies(const struct rules *rules, struct chain *chain) {
        if (!enter(rules, chain))
                return false;
        for (size_t i = 0; i < chain->n_rules; i++) {
                json_object *rule = chain->rules[i];

                for (size_t j = 0; j < length_of(rule); j++) {
                        json_object *expression = json_object_array_get_idx(rule, j);
                        struct chain *next = find_target(rules, chain, expression);

                        if (is_denial(expression) || (next && denies(rules, next)))
                                return true;
                        if (!is_remark(expression))
                                break;
                }
        }
        return false;
}

static void look_at_chain(
        const struct rules *rules, struct chain *chain, const char *link, struct regard *regard);

/* Follows what a verdict map leads to. */
static void look_along_map(const struct rules *rules, const struct chain *chain, json_object *expression,
        const char *link, struct regard *regard) {
        json_object *pairs = get(get(get(expression, "vmap"), "data"), "set");

        for (size_t i = 0; i < length_of(pairs); i++) {
                json_object *pair = json_object_array_get_idx(pairs, i);
                struct chain *next = length_of(pair) == 2
                                             ? find_target(rules, chain, json_object_array_get_idx(pair, 1))
                                             : NULL;

                if (next)
                        look_at_chain(rules, next, link, regard);
        }
}

/* What a rule that drops matches is no regard; where a rule leads, more may follow. */
static void look_at_rule(const struct rules *rules, const struct chain *chain, json_object *rule,
        const char *link, struct regard *regard) {
        struct regard seen = {0};

        for (size_t i = 0; i < length_of(rule); i++) {
                json_object *expression = json_object_array_get_idx(rule, i);
                struct chain *next = find_target(rules, chain, expression);

                if (is_denial(expression))
                        return;
                if (next)
                        look_at_chain(rules, next, link, regard);
                look_along_map(rules, chain, expression, link, regard);
                look_at_match(rules, chain, expression, link, &seen);
        }
        regard->from = regard->from || seen.from;
        regard->to = regard->to || seen.to;
        regard->established = regard->established || seen.established;
        regard->translated = regard->translated || seen.translated;
}

static void look_at_chain(
        const struct rules *rules, struct chain *chain, const char *link, struct regard *regard) {
        if (!enter(rules, chain))
                return;
        for (size_t i = 0; i < chain->n_rules; i++)
                look_at_rule(rules, chain, chain->rules[i], link, regard);
}

/* --- what to do ------------------------------------------------------------------------------- */

static enum maker find_maker(const struct rules *rules, const struct chain *chain, bool forward) {
        bool six = string_equal(chain->family, "ip6");

        if (string_equal(chain->table, "firewalld"))
                return MAKER_FIREWALLD;
        if (!string_equal(chain->table, "filter") ||
                !string_equal(chain->name, forward ? "FORWARD" : "INPUT"))
                return MAKER_ADMIN;
        /* The first one in the chain: what it accepts passes by the others. */
        if (forward && find_chain(rules, chain->family, "filter", "DOCKER-USER"))
                return MAKER_DOCKER;
        if (find_chain(rules, chain->family, "filter", six ? "ufw6-before-input" : "ufw-before-input"))
                return MAKER_UFW;
        return MAKER_IPTABLES;
}

/* Commands that take no link group: "br-+" for all, unless that would open Docker's own networks. */
static void format_links(
        const struct rules *rules, const char *before, const char *behind, char *text, size_t size) {
        size_t length = 0;

        text[0] = '\0';
        for (size_t i = 0; i < rules->n_courses && length + 1 < size; i++) {
                (void)snprintf(text + length, size - length, "%s%s%s%s", i > 0 ? " " : "", before,
                        rules->docker ? rules->courses[i].name : "br-+", behind);
                length += strlen(text + length);
                if (!rules->docker)
                        break;
        }
}

static void format_advice(const struct rules *rules, const struct chain *chain, bool forward,
        enum maker maker, char *text, size_t size) {
        const char *iptables = string_equal(chain->family, "ip6") ? "ip6tables" : "iptables";
        const char *group = STRINGIFY(COURSENET_LINK_GROUP);
        char links[NAMES_SIZE * 2];

        switch (maker) {
        case MAKER_DOCKER:
                (void)snprintf(text, size,
                        "%s -I DOCKER-USER -m devgroup --src-group %s -j ACCEPT; %s -I DOCKER-USER -m "
                        "devgroup --dst-group %s -j ACCEPT (to keep them: two ExecStartPost=/usr/sbin/%s "
                        "lines, by systemctl edit docker)",
                        iptables, group, iptables, group, iptables);
                return;
        case MAKER_UFW:
                format_links(rules, forward ? "ufw route allow in on " : "ufw allow in on ", ";", links,
                        sizeof(links));
                links[strlen(links) - 1] = '\0';
                (void)snprintf(text, size, "%s", links);
                return;
        case MAKER_FIREWALLD:
                format_links(rules, "--add-interface=", "", links, sizeof(links));
                (void)snprintf(text, size,
                        "firewall-cmd --permanent --zone=trusted %s; firewall-cmd --reload", links);
                return;
        case MAKER_IPTABLES:
                (void)snprintf(text, size, "%s -I %s -m devgroup --src-group %s -j ACCEPT", iptables,
                        chain->name, group);
                if (forward)
                        (void)snprintf(text + strlen(text), size - strlen(text),
                                "; %s -I FORWARD -m devgroup --dst-group %s -j ACCEPT", iptables, group);
                (void)snprintf(
                        text + strlen(text), size - strlen(text), " (to keep it: netfilter-persistent save)");
                return;
        case MAKER_ADMIN:
                break;
        }
        (void)snprintf(text, size,
                "nft insert rule %s %s %s iifgroup %s accept%s (to keep it: in that chain of "
                "/etc/nftables.conf, or wherever it comes from)",
                chain->family, chain->table, chain->name, group,
                forward ? ", and the same with oifgroup" : "");
}

static const char *maker_name(enum maker maker) {
        switch (maker) {
        case MAKER_DOCKER:
                return "Docker's ";
        case MAKER_UFW:
                return "ufw's ";
        case MAKER_FIREWALLD:
                return "firewalld's ";
        case MAKER_IPTABLES:
        case MAKER_ADMIN:
                break;
        }
        return "";
}

static void warn(const struct rules *rules, const struct chain *chain, bool forward, const char *names,
        struct diagnostics *diagnostics) {
        enum maker maker = find_maker(rules, chain, forward);
        char path[128], advice[640];

        (void)snprintf(path, sizeof(path), "table %s %s", chain->family, chain->table);
        format_advice(rules, chain, forward, maker, advice, sizeof(advice));
        diagnostics_warning(diagnostics, path, 0,
                "%schain %s drops whatever it does not know, and it does not know %s, so %s: %s",
                maker_name(maker), chain->name, names,
                forward ? "seats reach no other network" : "seats cannot ask the host for names", advice);
}

/* Whether a chain of this family is passed by packets of the course that have to come through. */
static bool concerns(
        const struct rules *rules, const struct bridge_plan *course, const char *family, bool forward) {
        const struct traffic_settings *traffic = &course->traffic;
        bool four = forward ? traffic->nat || traffic->inbound : rules->dns;
        bool six = address6_is_set(&course->address6) &&
                   (forward ? traffic->nat6 == CHOICE_YES || traffic->inbound : rules->dns);

        if (string_equal(family, "ip"))
                return four;
        if (string_equal(family, "ip6"))
                return six;
        return four || six;
}

static bool knows(struct rules *rules, struct chain *chain, bool forward, const char *link) {
        struct regard regard = {0};

        rules->visit++;
        look_at_chain(rules, chain, link, &regard);
        if (forward)
                return regard.from && (regard.to || regard.established);
        return regard.from || regard.translated;
}

static void append_name(char *names, const char *name) {
        size_t length = strlen(names);

        if (length + strlen(name) + sizeof(", ...") < NAMES_SIZE)
                (void)snprintf(names + length, NAMES_SIZE - length, "%s%s", length > 0 ? ", " : "", name);
        else if (!string_equal(names + length - 3, "..."))
                (void)snprintf(names + length, NAMES_SIZE - length, ", ...");
}

/* Names the bridges that it does not know, if it knows others. */
static void check_chain(
        struct rules *rules, struct chain *chain, bool forward, struct diagnostics *diagnostics) {
        char names[NAMES_SIZE] = "";
        size_t n_known = 0, n_unknown = 0;

        for (size_t i = 0; i < rules->n_courses; i++) {
                const struct bridge_plan *course = &rules->courses[i];

                if (!concerns(rules, course, chain->family, forward))
                        continue;
                if (knows(rules, chain, forward, course->name)) {
                        n_known++;
                        continue;
                }
                n_unknown++;
                append_name(names, course->name);
        }
        if (n_unknown > 0)
                warn(rules, chain, forward, n_known > 0 ? names : "the courses' bridges", diagnostics);
}

/* Whether packets pass it that are ours to worry about. */
static bool is_relevant(const struct chain *chain) {
        static const char *const families[] = {"inet", "ip", "ip6"};

        if (string_equal(chain->table, "coursenet") || string_equal(chain->table, "coursenet_fence"))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (string_equal(chain->family, families[i]))
                        return string_equal(chain->hook, "forward") || string_equal(chain->hook, "input");
        return false;
}

int foreign_firewall_check(const char *text, const struct bridge_plan *courses, size_t n_courses, bool dns,
        struct diagnostics *diagnostics) {
        _cleanup_json_ json_object *document = json_tokener_parse(text);
        _cleanup_(rules_done) struct rules rules = {
                .items = get(document, "nftables"), .courses = courses, .n_courses = n_courses, .dns = dns};
        int r;

        if (!json_object_is_type(rules.items, json_type_array))
                return -EINVAL;
        r = sort_rules(&rules);
        if (r < 0)
                return r;
        rules.docker = find_chain(&rules, "ip", "filter", "DOCKER-USER");

        for (size_t i = 0; i < rules.n_chains; i++) {
                struct chain *chain = &rules.chains[i];

                if (!is_relevant(chain))
                        continue;
                rules.visit++;
                if (string_equal(chain->policy, "drop") || denies(&rules, chain))
                        check_chain(&rules, chain, string_equal(chain->hook, "forward"), diagnostics);
        }
        return 0;
}

static bool has_line(const char *path, const char *line) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        char text[64];

        while (file && fgets(text, sizeof(text), file)) {
                text[strcspn(text, "\n")] = '\0';
                if (string_equal(text, line))
                        return true;
        }
        return false;
}

void foreign_firewall_check_legacy(const char *names, struct diagnostics *diagnostics) {
        static const struct {
                const char *file, *command;
        } tables[] = {{"ip_tables_names", "iptables-legacy"}, {"ip6_tables_names", "ip6tables-legacy"}};

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                char path[256];

                (void)snprintf(path, sizeof(path), "%s/%s", names, tables[i].file);
                if (has_line(path, "filter"))
                        diagnostics_warning(diagnostics, path, 0,
                                "there are rules of %s, which cannot be looked at here: see that %s -S lets "
                                "the courses' bridges through, or move them to nftables",
                                tables[i].command, tables[i].command);
        }
}
