/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares our tables with their plan, and looks for chains of other firewalls that drop packets of seats. */

#include "base/failure.h"
#include "base/runtime-file.h"
#include "fence/fence-route.h"
#include "fence/fence-table.h"
#include "fence/fence.h"
#include "firewall/course-rules.h"
#include "firewall/foreign-firewall.h"
#include "firewall/nftables.h"
#include "firewall/ruleset.h"
#include "inspect.h"
#include "scratch.h"
#include "stand-in.h"
#include "table-compare.h"

#define WHAT "the firewall"

enum {
        TABLE_COURSES,
        TABLE_EXAMS,
        TABLE_LOCAL,
        TABLE_FENCE,
        TABLE_FORMER,
        TABLE_SEATS, /* and those that follow */
        _TABLE_MAX = TABLE_SEATS + RULESET_SEATS_TABLES,
};

/* The empty value is all zero. */
struct tables {
        ruleset_seats_name_t seats[RULESET_SEATS_TABLES]; /* their names */
        struct scratch_table planned[_TABLE_MAX];
        char *actual[_TABLE_MAX]; /* NULL: no such table */
        uint32_t *fenced;         /* uids */
        size_t n_fenced;
};

static void tables_done(struct tables *tables) {
        for (size_t i = 0; i < _TABLE_MAX; i++) {
                free(tables->planned[i].commands);
                free(tables->planned[i].listing);
                free(tables->actual[i]);
        }
        free(tables->fenced);
}

/* --- plans -------------------------------------------------------------------------------------- */

/* The uids in the set "fenced" of a listing. The caller frees *ret. */
static int parse_fenced(const char *listing, uint32_t **ret, size_t *ret_n) {
        const char *text = listing ? strstr(listing, "\tset fenced {") : NULL;
        const char *end = text ? strstr(text, "\n\t}") : NULL;
        uint32_t *uids = calloc(listing ? strlen(listing) / 2 + 1 : 1, sizeof(*uids));
        size_t n = 0;

        if (!uids)
                return -ENOMEM;
        text = text ? strstr(text, "elements = {") : NULL;
        while (text && end && text < end) {
                char *behind;

                text += strcspn(text, "0123456789");
                if (text >= end)
                        break;
                uids[n++] = (uint32_t)strtoul(text, &behind, 10);
                text = behind;
        }
        *ret = uids;
        *ret_n = n;
        return 0;
}

/*
 * The configuration alone does not say who is fenced, so the plan is the one that was computed last. Without
 * one, the table is reported as missing.
 */
static int plan_fence(const struct inspection *inspection, struct tables *tables) {
        char **commands = &tables->planned[TABLE_FENCE].commands;
        struct fence_members members;
        int r;

        if (!tables->actual[TABLE_FENCE] && inspection->site->n_courses == 0)
                return 0;
        r = parse_fenced(tables->actual[TABLE_FENCE], &tables->fenced, &tables->n_fenced);
        if (r < 0)
                return r;
        if (inspection->settings->fence.enabled && runtime_file_read(FENCE_RULES_FILE, commands) >= 0)
                return 0;
        fence_members_list(inspection->settings, &members);
        *commands = fence_table_format(&inspection->settings->fence, &(struct fence_uids){0}, &members);
        return *commands ? 0 : -ENOMEM;
}

/* table: without the seats; NULL: out of memory. */
static int plan_with_seats(struct scratch_table *planned, const char *table, const struct nft_texts *texts) {
        _cleanup_free_ char *seats = stand_in_format(texts->items, texts->n_items);
        char *commands;

        if (!table || !seats || asprintf(&commands, "%s%s", table, seats) < 0)
                return -ENOMEM;
        planned->commands = commands;
        return 0;
}

/* The first start of a seat or of the watch creates the tables. One without seats does nothing. */
static int plan_seats(const struct inspection *inspection, struct tables *tables) {
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < RULESET_SEATS_TABLES; i++) {
                _cleanup_free_ char *table = ruleset_format_seats(i, false);

                if (inspection->seats[i].n_items > 0 || tables->actual[TABLE_SEATS + i])
                        r = plan_with_seats(&tables->planned[TABLE_SEATS + i], table, &inspection->seats[i]);
        }
        return r;
}

/* As with the tables of seats. Without spread courses there is none. */
static int plan_local(const struct inspection *inspection, struct tables *tables) {
        _cleanup_free_ char *table = ruleset_format_local(false);

        return inspection->any_spread || tables->actual[TABLE_LOCAL]
                       ? plan_with_seats(&tables->planned[TABLE_LOCAL], table, &inspection->locals)
                       : 0;
}

static int list_actual(struct tables *tables, struct diagnostics *diagnostics) {
        for (size_t i = 0; i < _TABLE_MAX; i++) {
                int r = nftables_list_table(tables->planned[i].name, &tables->actual[i]);

                if (r < 0 && r != -ENOENT)
                        return failure(diagnostics, tables->planned[i].name, r, "cannot be listed");
        }
        return 0;
}

static int plan_tables(struct inspection *inspection, struct tables *tables, struct link_names *ret_uplinks) {
        int r;

        r = course_rules_format(inspection->etc, &tables->planned[TABLE_COURSES].commands,
                &tables->planned[TABLE_EXAMS].commands, ret_uplinks, inspection->diagnostics);
        if (r < 0)
                return r;
        r = plan_seats(inspection, tables);
        if (r >= 0)
                r = plan_local(inspection, tables);
        if (r < 0)
                return failure(inspection->diagnostics, WHAT, r, "cannot be examined");
        r = plan_fence(inspection, tables);
        return r < 0 ? failure(inspection->diagnostics, FENCE_TABLE, r, "cannot be examined") : 0;
}

static unsigned count_stand_ins(const struct inspection *inspection) {
        size_t n_seats = 0;

        for (size_t i = 0; i < RULESET_SEATS_TABLES; i++)
                if (inspection->seats[i].n_items > n_seats)
                        n_seats = inspection->seats[i].n_items;
        return stand_in_count(n_seats);
}

static int list_planned(struct inspection *inspection, struct tables *tables) {
        int r = scratch_list(
                tables->planned, _TABLE_MAX, count_stand_ins(inspection), inspection->diagnostics);

        for (size_t i = TABLE_SEATS; r >= 0 && i < _TABLE_MAX; i++) {
                char **seats = &tables->planned[i].listing,
                     *restored = *seats ? stand_in_restore(*seats) : NULL;

                if (*seats && !restored)
                        return failure(inspection->diagnostics, WHAT, -ENOMEM, "cannot be examined");
                free(*seats);
                *seats = restored;
        }
        return r;
}

/* --- our own ------------------------------------------------------------------------------------ */

static int inspect_own(struct inspection *inspection, struct link_names *ret_uplinks) {
        _cleanup_(tables_done) struct tables tables = {
                .planned =
                        {
                                [TABLE_COURSES] = {.name = RULESET_COURSES},
                                [TABLE_EXAMS] = {.name = RULESET_EXAMS},
                                [TABLE_LOCAL] = {.name = RULESET_LOCAL},
                                [TABLE_FENCE] = {.name = FENCE_TABLE},
                                [TABLE_FORMER] = {.name = RULESET_SEATS_FORMER},
                        },
        };
        bool fence_differs = false;
        int r;

        for (unsigned i = 0; i < RULESET_SEATS_TABLES; i++) {
                ruleset_seats_name(i, tables.seats[i]);
                tables.planned[TABLE_SEATS + i].name = tables.seats[i];
        }
        r = list_actual(&tables, inspection->diagnostics);
        if (r >= 0)
                r = plan_tables(inspection, &tables, ret_uplinks);
        if (r >= 0)
                r = list_planned(inspection, &tables);
        if (r < 0)
                return r;

        for (size_t i = 0; i < _TABLE_MAX; i++) {
                size_t n_different = table_compare(tables.planned[i].name, tables.planned[i].listing,
                        tables.actual[i], inspection->diagnostics);

                fence_differs |= i == TABLE_FENCE && n_different > 0;
        }
        if (!fence_differs && tables.actual[TABLE_FENCE])
                inspect_fenced(inspection, tables.fenced, tables.n_fenced);
        return tables.planned[TABLE_FENCE].commands
                       ? fence_route_compare(tables.planned[TABLE_FENCE].commands, inspection->diagnostics)
                       : 0;
}

/* --- the way out, and others' tables ------------------------------------------------------------ */

static bool some_course_has_nat(const struct site *site) {
        for (size_t i = 0; i < site->n_courses; i++)
                if (site->courses[i].bridge.traffic.nat)
                        return true;
        return false;
}

static void inspect_uplinks(struct inspection *inspection, const struct link_names *uplinks) {
        const struct settings *settings = inspection->settings;

        if (settings->n_uplinks == 0 && uplinks->n_items == 0 && some_course_has_nat(inspection->site))
                diagnostics_warning(inspection->diagnostics, "uplink", 0,
                        "this host has no default route, so seats reach no other network: give it one, or "
                        "set "
                        "uplink or nat = no");
        for (size_t i = 0; i < settings->n_uplinks; i++)
                if (if_nametoindex(settings->uplinks[i]) == 0)
                        diagnostics_warning(inspection->diagnostics, settings->uplinks[i], 0,
                                "uplink in " SETTINGS_FILE " names it, but there is no such interface now");
}

static int inspect_foreign(struct inspection *inspection) {
        const struct site *site = inspection->site;
        _cleanup_free_ struct bridge_plan *courses = calloc(site->n_courses + 1, sizeof(*courses));
        _cleanup_free_ char *rules = NULL;
        int r;

        if (site->n_courses == 0)
                return 0;
        r = courses ? nftables_list_all(&rules) : -ENOMEM;
        if (r < 0)
                return failure(inspection->diagnostics, WHAT, r, "other tables cannot be listed");
        for (size_t i = 0; i < site->n_courses; i++)
                courses[i] = site->courses[i].bridge;

        r = foreign_firewall_check(rules, courses, site->n_courses, site->settings.dns.source != DNS_OFF,
                inspection->diagnostics);
        if (r < 0)
                return failure(inspection->diagnostics, WHAT, r, "other tables cannot be read");
        foreign_firewall_check_legacy("/proc/net", inspection->diagnostics);
        return 0;
}

int inspect_firewall(struct inspection *inspection) {
        struct link_names uplinks = {0};
        int r;

        r = inspect_own(inspection, &uplinks);
        if (r < 0)
                return r;
        inspect_uplinks(inspection, &uplinks);
        return inspect_foreign(inspection);
}
