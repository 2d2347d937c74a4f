/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plans of a site, and the firewall that is made of them. The input is coursenet.conf, the override file
 * of the bridge of course 123, and that of its seat 12310, with "%%" on a line between them.
 */

#include <ctype.h>

#include "firewall/ruleset.h"
#include "fuzz.h"
#include "setting-value.h"

#define COURSE "123"

static struct { char settings[96], folder[96], bridge[128], seat[128]; } paths;

static void make_paths(const char *etc) {
        (void)snprintf(paths.settings, sizeof(paths.settings), "%s/" SETTINGS_FILE, etc);
        (void)snprintf(paths.folder, sizeof(paths.folder), "%s/" OVERRIDE_DIRECTORY, etc);
        (void)snprintf(paths.bridge, sizeof(paths.bridge), "%s/bridge-" COURSE ".conf", paths.folder);
        (void)snprintf(paths.seat, sizeof(paths.seat), "%s/ns" COURSE "10.conf", paths.folder);
        CHECK(mkdir(paths.folder, 0755) == 0);
}

static void remove_paths(void) {
        (void)unlink(paths.settings);
        (void)unlink(paths.bridge);
        (void)unlink(paths.seat);
        (void)rmdir(paths.folder);
}

/* --- the text of a rule set --- */

/* Whether a name in quotes is the name of a link, which has no wildcard, escape or blank; nft ends it at the
 * next quote only. */
static const char *skip_quoted(const char *text) {
        const char *end = strpbrk(text, "\"\n");
        char name[IFNAMSIZ];

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
                CHECK(c != '\0' && (isalnum((unsigned char)c) || strchr(" \t\n{}.,:;/@_-=!", c)));
                depth += (c == '{') - (c == '}');
                CHECK(depth >= 0);
        }
        CHECK(depth == 0);
}

static void check_seat_rules(const struct seat_plan *plan) {
        _cleanup_free_ char *seat = ruleset_format_seat(plan);
        _cleanup_free_ char *removal = ruleset_format_seat_removal(plan->link);

        check_ruleset(seat);
        check_ruleset(removal);
}

static void check_course_rules(const struct settings *settings, const struct bridge_plan *bridge) {
        struct ruleset_courses courses = {
                .courses = bridge, .n_courses = 1, .dns = settings->dns.source != DNS_OFF};
        _cleanup_free_ char *text = NULL, *first = NULL;

        for (size_t i = 0; i < settings->n_uplinks; i++)
                link_names_add(&courses.uplinks, settings->uplinks[i]);
        for (size_t i = 0; i < settings->dns.n_servers && i < RULESET_RESOLVERS_MAX; i++)
                (void)string_copy(
                        courses.resolvers[courses.n_resolvers++], INET6_ADDRSTRLEN, settings->dns.servers[i]);
        text = ruleset_format_courses(&courses);
        check_ruleset(text);
        first = ruleset_format_first_course(&courses);
        check_ruleset(first);
}

/* --- plans --- */

static void check_address(const struct address *address) {
        uint32_t mask = prefix_mask(address->prefix);

        CHECK(address->prefix >= SUBNET_PREFIX_MIN && address->prefix <= SUBNET_PREFIX_MAX);
        CHECK((address->ip & ~mask) != 0 && (address->ip | mask) != UINT32_MAX);
}

static void check_bridge(const struct bridge_plan *plan) {
        CHECK(string_equal(plan->course, COURSE) && string_equal(plan->name, "br-" COURSE));
        check_address(&plan->address);
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
}

static void check_plans(const char *etc, const struct settings *settings) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const struct seat_id id = {.course = COURSE, .number = 10};
        struct bridge_plan bridge;
        struct seat_plan seat;

        if (bridge_plan_load(etc, settings, COURSE, &bridge, &diagnostics) < 0) {
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
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_free_ char *text = fuzz_text(data, size);
        const char *etc = fuzz_make_folder();
        char *rest = text;

        if (!text)
                return 0;
        make_paths(etc);
        fuzz_write(paths.settings, fuzz_take_part(&rest));
        fuzz_write(paths.bridge, fuzz_take_part(&rest));
        fuzz_write(paths.seat, rest);
        if (settings_load(etc, &settings, &diagnostics) == 0)
                check_plans(etc, &settings);
        remove_paths();
        return 0;
}
