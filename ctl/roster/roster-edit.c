/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checks before and after a roster is changed. */

#include "roster-edit.h"

void roster_edit_done(struct roster_edit *edit) {
        roster_done(&edit->roster);
        site_done(&edit->site);
        roster_lock_done(&edit->lock);
        free(edit->path);
        edit->path = NULL;
}

static int take_lock(struct roster_edit *edit, struct diagnostics *diagnostics) {
        const char *reason;
        int r;

        r = roster_lock_take(edit->etc, &edit->lock, &reason);
        if (r == -EACCES || r == -EPERM)
                diagnostics_error(
                        diagnostics, edit->etc, 0, "%s: permission denied (run the command as root)", reason);
        else if (r < 0)
                diagnostics_error(diagnostics, edit->etc, 0, "%s: %s", reason, strerror(-r));
        return r;
}

/* Mistakes in other courses do not matter here; `check` reports them. */
static int load_site(struct roster_edit *edit, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics elsewhere = {0};
        _cleanup_settings_ struct settings settings = {0};
        int r;

        r = settings_load(edit->etc, &settings, diagnostics);
        if (r < 0)
                return r;
        r = site_load(edit->etc, &edit->site, &elsewhere);
        if (r < 0)
                diagnostics_error(diagnostics, edit->etc, 0, "%s", strerror(-r));
        return r;
}

static int check_overlap(const struct roster_edit *edit, struct diagnostics *diagnostics) {
        char own[ADDRESS_TEXT_SIZE], other[ADDRESS_TEXT_SIZE];

        for (size_t i = 0; i < edit->site.n_courses; i++) {
                const struct bridge_plan *bridge = &edit->site.courses[i].bridge;

                if (string_equal(bridge->course, edit->bridge.course) ||
                        !address_overlaps(&bridge->address, &edit->bridge.address))
                        continue;
                address_format(&edit->bridge.address, own);
                address_format(&bridge->address, other);
                diagnostics_error(diagnostics, edit->etc, 0,
                        "the subnet of course %s (%s) overlaps that of course %s (%s): set subnet in [course "
                        "%s] of " SETTINGS_FILE,
                        edit->bridge.course, own, bridge->course, other, edit->bridge.course);
                return -EINVAL;
        }
        return 0;
}

static int load_roster(struct roster_edit *edit, const char *course, struct diagnostics *diagnostics) {
        size_t n_errors = diagnostics->n_errors;
        int r;

        if (asprintf(&edit->path, "%s/" ROSTER_DIRECTORY "/%s", edit->etc, course) < 0) {
                edit->path = NULL;
                diagnostics_error(diagnostics, edit->etc, 0, "out of memory");
                return -ENOMEM;
        }

        r = roster_load(edit->etc, &edit->site.settings, course, &edit->roster, diagnostics);
        if (r == -ENOENT)
                r = roster_parse("", edit->path, &edit->site.settings, course, &edit->roster, diagnostics);
        if (r < 0)
                return r;
        if (diagnostics->n_errors > n_errors) {
                diagnostics_error(
                        diagnostics, edit->path, 0, "has mistakes: correct them before you change it");
                return -EINVAL;
        }
        return 0;
}

int roster_edit_begin(const char *etc, const char *course, bool dry, struct roster_edit *ret,
        struct diagnostics *diagnostics) {
        _cleanup_roster_edit_ struct roster_edit edit = ROSTER_EDIT_EMPTY;
        int r;

        edit.etc = etc;
        r = dry ? 0 : take_lock(&edit, diagnostics);
        if (r < 0)
                return r;
        r = load_site(&edit, diagnostics);
        if (r < 0)
                return r;
        r = bridge_plan_load(etc, &edit.site.settings, course, &edit.bridge, diagnostics);
        if (r < 0)
                return r;
        r = check_overlap(&edit, diagnostics);
        if (r < 0)
                return r;
        r = load_roster(&edit, course, diagnostics);
        if (r < 0)
                return r;

        *ret = edit;
        edit = ROSTER_EDIT_EMPTY;
        return 0;
}

/* The seat that has the address now. NULL: none. */
static const struct seat_plan *find_by_address(const struct site *site, uint32_t ip) {
        for (size_t i = 0; i < site->n_courses; i++)
                for (size_t j = 0; j < site->courses[i].n_seats; j++)
                        if (site->courses[i].seats[j].address.ip == ip)
                                return &site->courses[i].seats[j];
        return NULL;
}

int roster_edit_plan(const struct roster_edit *edit, unsigned seat, struct seat_plan *ret,
        struct diagnostics *diagnostics) {
        struct seat_id id = {.number = seat};
        const struct seat_plan *other;
        char address[ADDRESS_TEXT_SIZE];
        struct seat_plan plan;
        int r;

        (void)string_copy(id.course, sizeof(id.course), edit->roster.course);
        r = seat_plan_load(edit->etc, &edit->site.settings, &id, &plan, diagnostics);
        if (r < 0)
                return r;

        other = find_by_address(&edit->site, plan.address.ip);
        if (other && !string_equal(other->name, plan.name)) {
                address_format_ip(plan.address.ip, address);
                diagnostics_error(diagnostics, edit->etc, 0,
                        "seat %s would have the address of seat %s, %s: change VR_IP in " OVERRIDE_DIRECTORY
                        "/ns%s.conf",
                        plan.name, other->name, address, other->name);
                return -EEXIST;
        }

        *ret = plan;
        return 0;
}

int roster_edit_save(const struct roster_edit *edit, struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = roster_format(&edit->roster);
        const char *reason;
        int r;

        if (!text) {
                diagnostics_error(diagnostics, edit->path, 0, "out of memory");
                return -ENOMEM;
        }
        r = roster_file_write(&edit->lock, edit->roster.course, text, &reason);
        if (r == -EACCES || r == -EPERM)
                diagnostics_error(diagnostics, edit->path, 0,
                        "%s: permission denied (run the command as root)", reason);
        else if (r < 0)
                diagnostics_error(diagnostics, edit->path, 0, "%s: %s", reason, strerror(-r));
        return r;
}
