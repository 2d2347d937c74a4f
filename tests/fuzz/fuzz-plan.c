/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plans of a site, and the firewall that is made of them. site-input.h describes the input. */

#include <ctype.h>

#include "firewall/ruleset.h"
#include "setting-value.h"
#include "site-input.h"

/* --- the text of a rule set --- */

/* The links to other members. */
#define OWN_PATTERN "vx-*\""

/* Whether a name in quotes is the name of a link, which has no wildcard, escape or blank; nft ends it at the
 * next quote only. */
static const char *skip_quoted(const char *text) {
        const char *end = strpbrk(text, "\"\n");
        char name[IFNAMSIZ];

        if (string_starts_with(text, OWN_PATTERN))
                return text + strlen(OWN_PATTERN);
        CHECK(end && *end == '"' && end > text && (size_t)(end - text) < sizeof(name));
        (void)snprintf(name, sizeof(name), "%.*s", (int)(end - text), text);
        CHECK(link_name_valid(name) && !strpbrk(name, "*\\ \t"));
        return end + 1;
}

/* Outside of quotes a rule set has only these; its braces are in pairs, and text nowhere goes on in a
 * comment. */
static void check_ruleset(const char *text) {
        int depth = 0;

        CHECK(text);
        while (*text) {
                char c = *text++;

                if (c == '"') {
                        text = skip_quoted(text);
                        continue;
                }
                CHECK(c != '\0' && (isalnum((unsigned char)c) || strchr(" \t\n{}.,:;/@_-=!>", c)));
                depth += (c == '{') - (c == '}');
                CHECK(depth >= 0);
        }
        CHECK(depth == 0);
}

static void check_seat_rules(const struct seat_plan *plan) {
        _cleanup_free_ char *seat = ruleset_format_seat(plan);
        _cleanup_free_ char *removal =
                ruleset_format_seat_removal(ruleset_seats_table(plan->link), plan->link);

        check_ruleset(seat);
        check_ruleset(removal);
        if (plan->spread) {
                _cleanup_free_ char *local = ruleset_format_local_seat(plan);

                check_ruleset(local);
        }
}

static void check_course_rules(const struct settings *settings, const struct bridge_plan *bridge) {
        struct ruleset_courses courses = {
                .courses = bridge, .n_courses = 1, .dns = settings->dns.source != DNS_OFF};
        _cleanup_free_ char *text = NULL, *first = NULL, *exams = NULL;
        uint32_t members[HOSTS_MAX];

        courses.members = members;
        list_members(settings, members, &courses.n_members);
        for (size_t i = 0; i < settings->n_uplinks; i++)
                link_names_add(&courses.uplinks, settings->uplinks[i]);
        for (size_t i = 0; i < settings->dns.n_servers && i < RULESET_RESOLVERS_MAX; i++)
                (void)string_copy(
                        courses.resolvers[courses.n_resolvers++], INET6_ADDRSTRLEN, settings->dns.servers[i]);
        text = ruleset_format_courses(&courses);
        check_ruleset(text);
        first = ruleset_format_first_course(&courses);
        check_ruleset(first);
        exams = ruleset_format_exams(&courses);
        check_ruleset(exams);
}

/* --- plans --- */

static void check_address(const struct address *address) {
        uint32_t mask = prefix_mask(address->prefix);

        CHECK(address->prefix >= SUBNET_PREFIX_MIN && address->prefix <= SUBNET_PREFIX_MAX);
        CHECK((address->ip & ~mask) != 0 && (address->ip | mask) != UINT32_MAX);
}

static void check_bridge(const struct bridge_plan *plan) {
        CHECK(string_equal(plan->course, SITE_COURSE) && string_equal(plan->name, "br-" SITE_COURSE));
        check_address(&plan->address);
        CHECK((plan->vni > 0) == (plan->underlay != 0) && plan->vni < 1U << 24);
        CHECK(plan->traffic.nat6 != CHOICE_UNSET && plan->traffic.isolation != ISOLATION_UNSET);
}

static void check_seat(const struct seat_plan *plan) {
        CHECK(link_name_valid(plan->link) && link_name_valid(plan->peer) && link_name_valid(plan->bridge));
        check_address(&plan->address);
        CHECK(plan->gateway != plan->address.ip);
        CHECK(address_contains(&plan->address, plan->gateway));
        CHECK(address6_is_set(&plan->address6) == address6_is_set(&plan->gateway6));
        CHECK(!address6_is_set(&plan->address6) ||
                (address6_contains(&plan->gateway6, &plan->address6) &&
                        !address6_same_ip(&plan->gateway6, &plan->address6)));
        CHECK(!plan->dns || plan->bridge_course[0]);
        CHECK(!plan->spread || plan->bridge_course[0]);
}

static void check_plans(const char *etc, const struct settings *settings) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const struct seat_id id = {.course = SITE_COURSE, .number = 10};
        struct bridge_plan bridge;
        struct seat_plan seat;

        if (bridge_plan_load(etc, settings, SITE_COURSE, &bridge, &diagnostics) < 0) {
                CHECK(diagnostics.n_errors > 0);
                return;
        }
        CHECK(diagnostics.n_errors == 0);
        check_bridge(&bridge);
        check_course_rules(settings, &bridge);
        if (seat_plan_load(etc, settings, &id, &seat, &diagnostics) < 0) {
                CHECK(diagnostics.n_errors > 0);
                return;
        }
        CHECK(diagnostics.n_errors == 0);
        check_seat(&seat);
        check_seat_rules(&seat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        return site_test(data, size, check_plans);
}
