/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which chains of other firewalls drop packets of the courses, who made them, and what to tell the
 * administrator. */

#include "foreign-firewall.h"
#include "foreign-chain.h"

/* Names of bridges in a message. */
#define NAMES_SIZE 160U

struct check {
        struct nft_listing listing;
        const struct bridge_plan *courses; /* borrowed */
        size_t n_courses;
        bool dns;
        bool docker; /* Docker names its own bridges br-, too */
};

enum maker {
        MAKER_DOCKER,
        MAKER_UFW,
        MAKER_FIREWALLD,
        MAKER_IPTABLES,
        MAKER_ADMIN, /* nft, most likely /etc/nftables.conf */
};

static enum maker find_maker(const struct check *check, const struct nft_chain *chain, bool forward) {
        bool six = string_equal(chain->family, "ip6");

        if (string_equal(chain->table, "firewalld"))
                return MAKER_FIREWALLD;
        if (!string_equal(chain->table, "filter") ||
                !string_equal(chain->name, forward ? "FORWARD" : "INPUT"))
                return MAKER_ADMIN;
        /* The first accepting rule of the chain: packets that it accepts skip the others. */
        if (forward && nft_listing_find_chain(&check->listing, chain->family, "filter", "DOCKER-USER"))
                return MAKER_DOCKER;
        if (nft_listing_find_chain(
                    &check->listing, chain->family, "filter", six ? "ufw6-before-input" : "ufw-before-input"))
                return MAKER_UFW;
        return MAKER_IPTABLES;
}

/* Commands that take no link group: "br-+" for all, unless that would open Docker's own networks. */
static void format_links(
        const struct check *check, const char *before, const char *behind, char *text, size_t size) {
        size_t length = 0;

        text[0] = '\0';
        for (size_t i = 0; i < check->n_courses && length + 1 < size; i++) {
                (void)snprintf(text + length, size - length, "%s%s%s%s", i > 0 ? " " : "", before,
                        check->docker ? check->courses[i].name : "br-+", behind);
                length += strlen(text + length);
                if (!check->docker)
                        break;
        }
}

static void format_advice(const struct check *check, const struct nft_chain *chain, bool forward,
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
                format_links(check, forward ? "ufw route allow in on " : "ufw allow in on ", ";", links,
                        sizeof(links));
                links[strlen(links) - 1] = '\0';
                (void)snprintf(text, size, "%s", links);
                return;
        case MAKER_FIREWALLD:
                format_links(check, "--add-interface=", "", links, sizeof(links));
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

static void warn(const struct check *check, const struct nft_chain *chain, bool forward, const char *names,
        struct diagnostics *diagnostics) {
        enum maker maker = find_maker(check, chain, forward);
        char path[128], advice[640];

        (void)snprintf(path, sizeof(path), "table %s %s", chain->family, chain->table);
        format_advice(check, chain, forward, maker, advice, sizeof(advice));
        diagnostics_warning(diagnostics, path, 0,
                "%schain %s drops packets by default and has no rule for %s, so %s: %s", maker_name(maker),
                chain->name, names,
                forward ? "seats reach no other network" : "seats cannot ask the host for names", advice);
}

/* Whether packets of the course that must be accepted pass a chain of this family. */
static bool concerns(
        const struct check *check, const struct bridge_plan *course, const char *family, bool forward) {
        const struct traffic_settings *traffic = &course->traffic;
        bool four = forward ? traffic->nat || traffic->inbound : check->dns;
        bool six = address6_is_set(&course->address6) &&
                   (forward ? traffic->nat6 == CHOICE_YES || traffic->inbound : check->dns);

        if (string_equal(family, "ip"))
                return four;
        if (string_equal(family, "ip6"))
                return six;
        return four || six;
}

static void append_name(char *names, const char *name) {
        size_t length = strlen(names);

        if (length + strlen(name) + sizeof(", ...") < NAMES_SIZE)
                (void)snprintf(names + length, NAMES_SIZE - length, "%s%s", length > 0 ? ", " : "", name);
        else if (!string_equal(names + length - 3, "..."))
                (void)snprintf(names + length, NAMES_SIZE - length, ", ...");
}

/* Names the bridges that the chain does not know, if it knows others. */
static void check_chain(
        struct check *check, struct nft_chain *chain, bool forward, struct diagnostics *diagnostics) {
        char names[NAMES_SIZE] = "";
        size_t n_known = 0, n_unknown = 0;

        for (size_t i = 0; i < check->n_courses; i++) {
                const struct bridge_plan *course = &check->courses[i];

                if (!concerns(check, course, chain->family, forward))
                        continue;
                if (foreign_chain_knows(&check->listing, chain, forward, course->name)) {
                        n_known++;
                        continue;
                }
                n_unknown++;
                append_name(names, course->name);
        }
        if (n_unknown > 0)
                warn(check, chain, forward, n_known > 0 ? names : "the courses' bridges", diagnostics);
}

/* Whether packets of seats pass the chain. */
static bool is_relevant(const struct nft_chain *chain) {
        static const char *const families[] = {"inet", "ip", "ip6"};

        if (string_equal(chain->table, "coursenet") || string_equal(chain->table, "coursenet_fence"))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (string_equal(chain->family, families[i]))
                        return string_equal(chain->hook, "forward") || string_equal(chain->hook, "input");
        return false;
}

static void check_done(struct check *check) {
        nft_listing_done(&check->listing);
}

int foreign_firewall_check(const char *text, const struct bridge_plan *courses, size_t n_courses, bool dns,
        struct diagnostics *diagnostics) {
        _cleanup_(check_done) struct check check = {.courses = courses, .n_courses = n_courses, .dns = dns};
        int r;

        r = nft_listing_parse(text, &check.listing);
        if (r < 0)
                return r;
        check.docker = nft_listing_find_chain(&check.listing, "ip", "filter", "DOCKER-USER");

        for (size_t i = 0; i < check.listing.n_chains; i++) {
                struct nft_chain *chain = &check.listing.chains[i];

                if (is_relevant(chain) &&
                        (string_equal(chain->policy, "drop") || foreign_chain_denies(&check.listing, chain)))
                        check_chain(&check, chain, string_equal(chain->hook, "forward"), diagnostics);
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
                                "there are rules of %s, which coursenet cannot read: check with %s -S that "
                                "they "
                                "accept packets of the courses' bridges, or move them to nftables",
                                tables[i].command, tables[i].command);
        }
}
