/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * If the first check finds a difference, everything is checked again, and only the differences that remain
 * are reported, because seats start and stop during a check.
 */

#include "inspect.h"
#include "base/failure.h"
#include "firewall/ruleset.h"
#include "firewall/seat-rules.h"
#include "number.h"

/* Between the checks. A seat starts within the first pause, or within the second while a class logs in. */
static const useconds_t pauses_usec[] = {300000, 1000000};

/* --- the links --------------------------------------------------------------------------------- */

static const char *id_of(const char *name, const char *head) {
        const char *id = string_starts_with(name, head) ? name + strlen(head) : "";

        return digits_only(id) ? id : NULL;
}

/* coursenetctl names the mistake itself. */
static void tell_no_plan(struct inspection *inspection, const char *name) {
        diagnostics_warning(inspection->diagnostics, name, 0,
                "cannot be compared with its plan, because its configuration has a mistake");
}

static int inspect_bridges(struct inspection *inspection) {
        _cleanup_links_ struct links links = {0};
        int r;

        r = link_list_ours(&inspection->host, "bridge", &links);
        if (r < 0)
                return failure(inspection->diagnostics, "bridges", r, "cannot be listed");
        for (size_t i = 0; r >= 0 && i < links.n_items; i++) {
                _cleanup_diagnostics_ struct diagnostics ignored = {0};
                const char *name = links.items[i].name, *course = id_of(name, "br-");
                struct bridge_plan plan;

                if (!course)
                        continue;
                if (strlen(course) >= COURSE_SIZE ||
                        bridge_plan_load(inspection->etc, inspection->settings, course, &plan, &ignored) < 0)
                        tell_no_plan(inspection, name);
                else
                        r = inspect_bridge(inspection, &links.items[i], &plan);
        }
        return r;
}

/* A bridge that somebody has deleted leaves its link to the other members behind. */
static int inspect_stretches(struct inspection *inspection) {
        _cleanup_links_ struct links links = {0};
        int r;

        r = link_list_ours(&inspection->host, "vxlan", &links);
        if (r < 0)
                return failure(inspection->diagnostics, "links to the other members", r, "cannot be listed");
        for (size_t i = 0; r >= 0 && i < links.n_items; i++) {
                const char *name = links.items[i].name, *course = id_of(name, "vx-");
                char bridge_name[IFNAMSIZ];
                struct link bridge;

                (void)snprintf(bridge_name, sizeof(bridge_name), "br-%s", course ? course : "");
                r = link_find(&inspection->host, bridge_name, "bridge", &bridge);
                if (r != LINK_ABSENT)
                        continue;
                diagnostics_error(inspection->diagnostics, name, 0,
                        "there is no %s, the bridge that it belongs to, so nobody needs it", bridge_name);
                diagnostics_advise(inspection->diagnostics, "ip link delete %s", name);
        }
        return r < 0 ? failure(inspection->diagnostics, "links to the other members", r, "cannot be examined")
                     : 0;
}

static int load_seat(struct inspection *inspection, const char *name, struct seat_plan *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        struct seat_id id;

        if (seat_id_parse(name, inspection->settings->course_digits, &id) < 0)
                return -EINVAL;
        return seat_plan_load(inspection->etc, inspection->settings, &id, ret, &ignored);
}

/* A seat has the rules of the addresses with which it was started, even if the settings have changed. */
static int add_rules(struct inspection *inspection, const struct link *cable, const struct seat_plan *plan) {
        bool local = plan->spread && !cable->fenced;
        int r = nft_texts_add(&inspection->seats[ruleset_seats_table(plan->link)], ruleset_format_seat(plan));

        inspection->any_spread |= plan->spread;
        if (r >= 0 && local)
                r = nft_texts_add(&inspection->locals, ruleset_format_local_seat(plan));
        return r < 0 ? failure(inspection->diagnostics, plan->link, r, "cannot be examined") : 0;
}

static int inspect_one_seat(struct inspection *inspection, const struct link *link, const char *seat) {
        struct seat_plan plan, started;
        bool kept = seat_rules_read(link->name, &started) >= 0,
             planned = load_seat(inspection, seat, &plan) >= 0;
        int r = 0;

        if (kept || planned)
                r = add_rules(inspection, link, kept ? &started : &plan);
        if (r < 0)
                return r;
        if (!planned) {
                tell_no_plan(inspection, link->name);
                return 0;
        }
        return inspect_seat(inspection, link, &plan, kept && !seat_rules_fit(link->name, &plan));
}

static int inspect_seats(struct inspection *inspection) {
        _cleanup_links_ struct links links = {0};
        int r;

        r = link_list_ours(&inspection->host, "veth", &links);
        if (r >= 0)
                r = qdisc_list_rates(&inspection->host, &inspection->rates);
        if (r < 0)
                return failure(inspection->diagnostics, "seats", r, "cannot be listed");

        for (size_t i = 0; r >= 0 && i < links.n_items; i++) {
                const char *seat = id_of(links.items[i].name, "vl-");

                if (seat)
                        r = inspect_one_seat(inspection, &links.items[i], seat);
        }
        return r;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static void inspection_done(struct inspection *inspection) {
        link_close(&inspection->host);
        qdisc_rates_done(&inspection->rates);
        for (size_t i = 0; i < RULESET_SEATS_TABLES; i++)
                nft_texts_done(&inspection->seats[i]);
        nft_texts_done(&inspection->locals);
}

static int inspect_all(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_(inspection_done) struct inspection inspection = {
                .etc = etc, .site = site, .settings = &site->settings, .diagnostics = diagnostics};
        int r;

        r = link_open(&inspection.host);
        if (r < 0)
                return failure(diagnostics, "kernel", r, "its network configuration cannot be reached");
        r = inspect_bridges(&inspection);
        if (r >= 0)
                r = inspect_stretches(&inspection);
        if (r >= 0)
                r = inspect_seats(&inspection);
        if (r >= 0)
                r = inspect_claims(&inspection);
        if (r >= 0)
                r = inspect_firewall(&inspection);
        inspect_prepared(&inspection);
        return r;
}

static bool has_finding(const struct diagnostics *diagnostics, const struct diagnostic *wanted) {
        for (size_t i = 0; i < diagnostics->n_items; i++)
                if (string_equal(diagnostics->items[i].path, wanted->path) &&
                        string_equal(diagnostics->items[i].text, wanted->text))
                        return true;
        return false;
}

static void add_lasting(
        const struct diagnostics *before, const struct diagnostics *now, struct diagnostics *ret) {
        for (size_t i = 0; i < now->n_items; i++) {
                const struct diagnostic *item = &now->items[i];

                if (!has_finding(before, item))
                        continue;
                if (item->level == DIAGNOSTIC_ERROR)
                        diagnostics_error(ret, item->path, item->line, "%s", item->text);
                else
                        diagnostics_warning(ret, item->path, item->line, "%s", item->text);
                if (item->remedy)
                        diagnostics_advise(ret, "%s", item->remedy);
        }
}

/*
 * Removes the findings of the first check that the second one does not have. A check that fails reports
 * everything that it has found.
 */
static int look_again(const char *etc, const struct site *site, struct diagnostics *found) {
        _cleanup_diagnostics_ struct diagnostics now = {0};
        struct diagnostics lasting = {0};
        int r = inspect_all(etc, site, &now);

        add_lasting(r < 0 ? &now : found, &now, &lasting);
        diagnostics_done(found);
        *found = lasting;
        return r;
}

int inspect(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0}, found = {0};
        _cleanup_site_ struct site site = {0};
        int r;

        /* coursenetctl reports mistakes in rosters. Without settings there is no plan at all. */
        r = site_load(etc, &site, &ignored);
        if (r < 0) {
                diagnostics_error(diagnostics, etc, 0,
                        "what is up cannot be compared with the settings, because they have a mistake");
                return r;
        }
        r = inspect_all(etc, &site, &found);
        for (size_t i = 0; i < ELEMENTSOF(pauses_usec) && (r < 0 || found.n_items > 0 || found.n_errors > 0);
                i++) {
                (void)usleep(pauses_usec[i]);
                r = look_again(etc, &site, &found);
        }
        add_lasting(&found, &found, diagnostics);
        return r;
}
