/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A mistake of one seat does not affect the others: every seat that can be wired is. systemd is only asked to
 * reload if it has an old version of a unit that is not in use. No login waits for that.
 */

#include "reload.h"
#include "base/log.h"
#include "base/seat-lookup.h"
#include "seat/user-folder.h"
#include "seat/wiring.h"
#include "site.h"
#include "systemd/units.h"

struct reloading {
        struct seats *seats;
        size_t n_seats, n_errors;
        struct wiring_result result;
        struct wiring_update *update;
        struct bus_call *call;
        reload_callback_t callback;
        void *userdata;
};

static void finish(struct reloading *reloading, int error) {
        char text[256];

        if (error < 0)
                (void)snprintf(text, sizeof(text), "the wiring of the seats cannot be written: %s",
                        strerror(-error));
        else if (reloading->n_errors > 0)
                (void)snprintf(text, sizeof(text),
                        "%zu seat%s their wiring, %u of them new; %zu mistake%s: coursenetctl check says "
                        "where",
                        reloading->n_seats, reloading->n_seats == 1 ? " has" : "s have",
                        reloading->result.written, reloading->n_errors, reloading->n_errors == 1 ? "" : "s");
        else
                (void)snprintf(text, sizeof(text), "%zu seat%s their wiring, %u of them new",
                        reloading->n_seats, reloading->n_seats == 1 ? " has" : "s have",
                        reloading->result.written);

        reloading->callback(reloading->userdata, error >= 0 && reloading->n_errors == 0, text);
        free(reloading);
}

static void handle_reloaded(void *userdata, int error) {
        finish(userdata, error);
}

static void handle_wired(void *userdata, const struct wiring_result *result) {
        struct reloading *reloading = userdata;
        int r;

        reloading->update = NULL;
        reloading->result = *result;
        if (result->error < 0 || result->stale == 0) {
                finish(reloading, result->error);
                return;
        }
        log_notice("systemd has old versions of %u unit%s in memory; reloading it", result->stale,
                result->stale == 1 ? "" : "s");
        r = units_reload(reloading->seats->bus, handle_reloaded, reloading, &reloading->call);
        if (r < 0)
                finish(reloading, r);
}

/* Appends the drop-ins of one seat that name no user: those that do are written at a login. */
static size_t plan_seat(
        const struct seat_plan *seat, const struct service_settings *services, struct wiring *ret) {
        size_t n = wiring_plan_seat(seat, ret);

        for (size_t i = 0; i < services->n_units; i++)
                wiring_plan_stand_in(seat, services->units[i], &ret[n++]);
        return n;
}

/* The drop-ins of all seats of all courses in one array, which the caller frees. */
static struct wiring *plan_all(const struct site *site, size_t *ret_n_seats, size_t *ret_n) {
        const struct service_settings *services;
        struct wiring *wirings;
        size_t n_seats = 0, n = 0;

        for (size_t i = 0; i < site->n_courses; i++)
                n_seats += site->courses[i].n_seats;
        wirings = calloc(n_seats * WIRING_MAX + 1, sizeof(*wirings));
        if (!wirings)
                return NULL;

        for (size_t i = 0; i < site->n_courses; i++) {
                const struct site_course *course = &site->courses[i];

                services = &settings_for_course(&site->settings, course->bridge.course)->services;
                for (size_t j = 0; j < course->n_seats; j++)
                        n += plan_seat(&course->seats[j], services, &wirings[n]);
        }
        *ret_n_seats = n_seats;
        *ret_n = n;
        return wirings;
}

static int begin(struct reloading *reloading) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_free_ struct wiring *wirings = NULL;
        _cleanup_site_ struct site site = {0};
        size_t n;
        int r;

        r = site_load(reloading->seats->etc, &site, &diagnostics);
        log_diagnostics(&diagnostics);
        reloading->n_errors = diagnostics.n_errors;
        if (r < 0)
                return r;

        r = user_folder_make_all(
                reloading->seats->unit_directory, reloading->seats->passwd, &site.settings.rule);
        if (r < 0)
                log_warning(
                        "Folders for the managers of students cannot be made (%s): first logins take longer",
                        strerror(-r));
        wirings = plan_all(&site, &reloading->n_seats, &n);
        if (!wirings)
                return -ENOMEM;
        return wiring_update(reloading->seats, wirings, n, handle_wired, reloading, &reloading->update);
}

void reload(struct seats *seats, reload_callback_t callback, void *userdata) {
        struct reloading *reloading = malloc(sizeof(*reloading));
        int r;

        if (!reloading) {
                callback(userdata, false, "out of memory");
                return;
        }
        *reloading = (struct reloading){.seats = seats, .callback = callback, .userdata = userdata};

        r = begin(reloading);
        if (r <= 0)
                finish(reloading, r);
}
