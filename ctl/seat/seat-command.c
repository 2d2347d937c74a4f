/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl seat`: shows everything that belongs to a user's seat. It is computed, so nothing needs to be
 * up. */

#include "seat-command.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/hosts-list.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "base/table.h"
#include "seat-mapping.h"

const struct syntax seat_syntax = {
        .usage = "Usage: coursenetctl seat [--json] SEAT|USER\n"
                 "\n"
                 "Shows which seat a user has, or whose a seat is, and what belongs to it: address, bridge,\n"
                 "namespace, links, units. All is computed from settings and roster, so the seat need not be "
                 "up.\n",
        .options = TAKES_JSON,
        .words_min = 1,
        .words_max = 1,
        .first = WORD_PERSON,
};

struct texts {
        char gateway[ADDRESS_TEXT_SIZE];
        char address[ADDRESS_TEXT_SIZE];
        char gateway6[ADDRESS6_TEXT_SIZE]; /* empty, as the next one: no IPv6 */
        char address6[ADDRESS6_TEXT_SIZE];
        char netns[64];
        char instance[32];
        char units[3 + SERVICES_MAX][64];
};

static void format_mapping(const struct seat_mapping *mapping, struct texts *ret) {
        const struct service_settings *services = &mapping->services;
        const struct seat_plan *seat = &mapping->seat;
        struct address gateway = {.ip = seat->gateway, .prefix = seat->address.prefix};
        size_t n = 0;

        *ret = (struct texts){0};
        address_format(&gateway, ret->gateway);
        address_format(&seat->address, ret->address);
        if (address6_is_set(&seat->address6))
                address6_format(&seat->address6, ret->address6);
        if (address6_is_set(&seat->gateway6))
                address6_format(&seat->gateway6, ret->gateway6);
        (void)snprintf(ret->netns, sizeof(ret->netns), NETNS_DIRECTORY "/%s", seat->netns);
        if (mapping->has_container)
                (void)snprintf(ret->instance, sizeof(ret->instance), "inst-%s", seat->name);

        (void)snprintf(ret->units[n++], sizeof(ret->units[0]), "netns@%s.service", seat->name);
        (void)snprintf(ret->units[n++], sizeof(ret->units[0]), "nsbr@%s.service", seat->name);
        for (size_t i = 0; i < services->n_units; i++)
                (void)snprintf(ret->units[n++], sizeof(ret->units[0]), "%s@%s.service", services->units[i],
                        seat->name);
        if (seat->bridge_course[0])
                (void)snprintf(ret->units[n], sizeof(ret->units[0]), "netbr@%s.service", seat->bridge_course);
}

/* Where a seat of a shared course is live. The empty value is all zero: nowhere, or it is not known. */
struct server {
        char host[HOST_MEMBER_NAME_SIZE];
        uint64_t since_usec;
        bool own;
};

static void find_server(const struct paths *paths, const struct seat_mapping *mapping, struct server *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_hosts_list_ struct hosts_list list = {0};
        const struct listed_claim *claim;

        if (settings_load(paths->etc, &settings, &ignored) < 0 || !hosts_configured(&settings) ||
                hosts_list_ask(paths->hosts_socket, settings.course_digits, &list) < 0)
                return;
        claim = hosts_list_claim(&list, mapping->seat.name);
        if (!claim)
                return;
        *ret = (struct server){.since_usec = claim->since_usec, .own = string_equal(claim->host, list.own)};
        (void)snprintf(ret->host, sizeof(ret->host), "%s", claim->host);
}

/* "hostb since 2026-01-31 09:00"; empty if it is live nowhere. */
static void format_server(const struct server *server, char *text, size_t size) {
        char since[32];

        text[0] = '\0';
        if (!server->host[0])
                return;
        moment_format_minute(server->since_usec, since, sizeof(since));
        (void)snprintf(text, size, "%s since %s%s", server->host, since, server->own ? " (this server)" : "");
}

static int print_table(
        const struct seat_mapping *mapping, const struct texts *texts, const struct server *server) {
        static const char *const headings[] = {"", ""};
        const struct seat_plan *seat = &mapping->seat;
        char live_on[HOST_MEMBER_NAME_SIZE + 64];
        const char *const rows[][2] = {
                {"user", mapping->user},
                {"course", mapping->course},
                {"seat", seat->name},
                {"address", texts->address},
                {"gateway", texts->gateway},
                {"IPv6 address", texts->address6},
                {"IPv6 gateway", texts->gateway6},
                {"bridge", seat->bridge},
                {"namespace", texts->netns},
                {"link on the bridge", seat->link},
                {"link in the seat", seat->peer},
                {"container", texts->instance},
                {"live on", live_on},
        };
        _cleanup_table_ struct libscols_table *table = NULL;
        int r;

        format_server(server, live_on, sizeof(live_on));
        r = table_new(headings, ELEMENTSOF(headings), &table);
        for (size_t i = 0; i < ELEMENTSOF(rows) && r >= 0; i++)
                if (rows[i][1][0])
                        r = table_add(table, rows[i], ELEMENTSOF(headings));
        for (size_t i = 0; i < ELEMENTSOF(texts->units) && texts->units[i][0] && r >= 0; i++)
                r = table_add(table, (const char *const[]){i == 0 ? "units" : "", texts->units[i]},
                        ELEMENTSOF(headings));
        return r < 0 ? r : table_print(table);
}

static int put_units(json_object *document, const struct texts *texts) {
        json_object *units = json_put_array(document, "units");

        if (!units)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(texts->units); i++) {
                if (texts->units[i][0] && json_append_text(units, texts->units[i]) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int print_json(
        const struct seat_mapping *mapping, const struct texts *texts, const struct server *server) {
        const struct seat_plan *seat = &mapping->seat;
        const char *const pairs[][2] = {
                {"user", mapping->user},
                {"course", mapping->course},
                {"seat", seat->name},
                {"address", texts->address},
                {"gateway", texts->gateway},
                {"address6", texts->address6[0] ? texts->address6 : NULL},
                {"gateway6", texts->gateway6[0] ? texts->gateway6 : NULL},
                {"bridge", seat->bridge},
                {"namespace", texts->netns},
                {"link", seat->link},
                {"peer", seat->peer},
                {"instance", mapping->has_container ? texts->instance : NULL},
        };
        _cleanup_json_ json_object *document = json_new_document();

        if (!document)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                if (json_put_text(document, pairs[i][0], pairs[i][1]) < 0)
                        return -ENOMEM;
        if (put_units(document, texts) < 0 ||
                json_put_text(document, "live_on", server->host[0] ? server->host : NULL) < 0 ||
                json_put_time(document, "live_since", server->since_usec) < 0)
                return -ENOMEM;
        return json_print(document);
}

/* Scripts must distinguish a user of no course, who needs no seat, from a student who cannot have one. */
static int print_no_course_user(const char *user) {
        _cleanup_json_ json_object *document = json_new_document();

        if (!document)
                return -ENOMEM;
        if (json_put_text(document, "user", user) < 0 || json_put_text(document, "course", NULL) < 0)
                return -ENOMEM;
        return json_print(document);
}

int seat_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct arguments arguments;
        struct seat_mapping mapping;
        struct server server = {0};
        struct texts texts;
        int r;

        r = arguments_parse(argc, argv, &seat_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;

        /* Only root can read the rosters. */
        if (geteuid() != 0)
                return report_ask(paths, "seat", &arguments);
        r = seat_mapping_load(paths->etc, paths->scope, arguments.words[0], &mapping, &diagnostics);
        if (r < 0) {
                seat_mapping_complain(paths->scope, &diagnostics);
                return EXIT_NO;
        }
        if (r == SEAT_MAPPING_NO_COURSE_USER) {
                if (arguments.json && print_no_course_user(arguments.words[0]) < 0)
                        complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }

        format_mapping(&mapping, &texts);
        find_server(paths, &mapping, &server);
        r = arguments.json ? print_json(&mapping, &texts, &server) : print_table(&mapping, &texts, &server);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        return EXIT_DONE;
}
