/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libnftables accepts every rule set that is made of a site's plans, whatever the settings are. site-input.h
 * describes the input.
 */

#include "firewall/ruleset.h"
#include "nft-check.h"
#include "site-input.h"

static void check_courses(const struct settings *settings, const struct bridge_plan *bridge) {
        struct exam exam = {.course = SITE_COURSE};
        const struct ruleset_exam examined = {.bridge = bridge->name, .exam = &exam};
        uint32_t members[HOSTS_MAX];
        struct ruleset_courses courses = {.courses = bridge,
                .n_courses = 1,
                .dns = settings->dns.source != DNS_OFF,
                .exams = &examined,
                .members = members};
        _cleanup_free_ char *first = NULL;

        list_members(settings, members, &courses.n_members);
        for (size_t i = 0; i < settings->n_uplinks; i++) {
                link_names_add(&courses.uplinks, settings->uplinks[i]);
                link_names_add(i % 2 ? &courses.opened4 : &courses.opened6, settings->uplinks[i]);
                link_names_add(&courses.bridged, settings->uplinks[i]);
        }
        courses.opened6_all = settings->n_uplinks > 2;
        for (size_t i = 0; i < settings->dns.n_servers && i < RULESET_RESOLVERS_MAX; i++)
                (void)string_copy(
                        courses.resolvers[courses.n_resolvers++], INET6_ADDRSTRLEN, settings->dns.servers[i]);
        /* Without and with an exam. */
        for (courses.n_exams = 0; courses.n_exams < 2; courses.n_exams++) {
                _cleanup_free_ char *both = ruleset_format_courses(&courses),
                                    *exams = ruleset_format_exams(&courses);

                check_accepted(both);
                check_accepted(exams);
        }
        courses.n_exams = 0;
        first = ruleset_format_first_course(&courses);
        check_accepted(first);
}

static void check_local(const struct seat_plan *plan, bool empty_sets) {
        _cleanup_free_ char *table = ruleset_format_local(empty_sets), *seat = NULL, *text = NULL;

        if (!plan->spread)
                return;
        seat = ruleset_format_local_seat(plan);
        CHECK(table && seat && asprintf(&text, "%s%s", table, seat) >= 0);
        check_accepted(text);
}

/* A seat's part needs the table, so both are one transaction. */
static void check_seat(const struct seat_plan *plan, bool empty_sets) {
        unsigned number = ruleset_seats_table(plan->link);
        _cleanup_free_ char *table = ruleset_format_seats(number, empty_sets),
                            *seat = ruleset_format_seat(plan), *text = NULL,
                            *removal = ruleset_format_seat_removal(number, plan->link);

        CHECK(table && seat && removal);
        CHECK(asprintf(&text, "%s%s%s", table, seat, removal) >= 0);
        check_accepted(text);
}

static void check_site(const char *etc, const struct settings *settings) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const struct seat_id id = {.course = SITE_COURSE, .number = 10};
        struct bridge_plan bridge;
        struct seat_plan seat;

        if (bridge_plan_load(etc, settings, SITE_COURSE, &bridge, &diagnostics) < 0)
                return;
        check_courses(settings, &bridge);
        if (seat_plan_load(etc, settings, &id, &seat, &diagnostics) >= 0) {
                check_seat(&seat, settings->n_uplinks % 2);
                check_local(&seat, settings->n_uplinks % 2);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        return site_test(data, size, check_site);
}
