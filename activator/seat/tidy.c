/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Only systemd knows whether a unit is needed: an administrator's own unit may need it, or netbr@ may be
 * enabled. So this file makes systemd re-check: it starts and stops a slice that needs the units that are up,
 * and when the slice has stopped, systemd checks each of them. The dependency is Requisite=, which starts no
 * unit that has stopped since.
 */

#include <utlist.h>

#include "base/event.h"
#include "base/log.h"
#include "diagnostics.h"
#include "plan.h"
#include "systemd/units.h"
#include "tidy.h"

#define UNIT_SIZE 64U

/* A slice that stays would keep the seat up, so its stop is retried for a minute, until the slice is gone. */
#define RETRY_USEC UINT64_C(5000000)
#define RETRIES_MAX 12U

#define JOB_SIZE 64U

struct tidying {
        struct seats *seats;
        char slice[UNIT_SIZE];
        char nsbr[UNIT_SIZE], netns[UNIT_SIZE];
        char netbr[UNIT_SIZE]; /* empty: the seat's bridge is not known, or not a unit's */
        bool seat_up;          /* one of the first two is up, starting or stopping */
        bool seat_stops;       /* one of them is stopping, or has a job */
        bool slice_up;         /* another program's slice; that program may have ended */
        char start_job[JOB_SIZE], stop_job[JOB_SIZE]; /* the slice's, their D-Bus paths */
        struct bus_call *call;                        /* the one call that is under way */
        sd_event_source *retry_source;
        unsigned n_retries;
        tidy_callback_t callback; /* NULL: none */
        void *userdata;
        struct tidying *prev, *next;
};

static void forget(struct tidying *tidying) {
        DL_DELETE(tidying->seats->tidyings, tidying);
        bus_call_drop(&tidying->call);
        (void)sd_event_source_disable_unref(tidying->retry_source);
        free(tidying);
}

static void finish(struct tidying *tidying, int result) {
        tidy_callback_t callback = tidying->callback;
        void *userdata = tidying->userdata;

        forget(tidying);
        if (callback)
                callback(userdata, result);
}

void tidy_forget_all(struct seats *seats) {
        struct tidying *tidying, *next;

        DL_FOREACH_SAFE(seats->tidyings, tidying, next) {
                forget(tidying);
        }
}

/* The units' names. If the configuration cannot be read, the bridge is left out. */
static void find_names(struct tidying *tidying, const char *seat) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan plan;
        struct seat_id id;

        /* A lease's id has no 't', so the activator never mistakes this slice for a lease. */
        (void)snprintf(tidying->slice, UNIT_SIZE, "coursenet-tidy_%s.slice", seat);
        (void)snprintf(tidying->nsbr, UNIT_SIZE, "nsbr@%s.service", seat);
        (void)snprintf(tidying->netns, UNIT_SIZE, "netns@%s.service", seat);
        if (settings_load(tidying->seats->etc, &settings, &diagnostics) < 0 ||
                seat_id_parse(seat, settings.course_digits, &id) < 0 ||
                seat_plan_load(tidying->seats->etc, &settings, &id, &plan, &diagnostics) < 0 ||
                plan.bridge_course[0] == '\0')
                return;
        (void)snprintf(tidying->netbr, UNIT_SIZE, "netbr@%s.service", plan.bridge_course);
}

static int found(const struct tidying *tidying) {
        return tidying->seat_up ? TIDY_SEAT_UP : TIDY_SEAT_DOWN;
}

static void note_job(const char *job, char ret_job[static JOB_SIZE]) {
        if (string_copy(ret_job, JOB_SIZE, job) < 0)
                ret_job[0] = '\0';
}

static void handle_stopped(void *userdata, int error, const char *job, const char *text) {
        struct tidying *tidying = userdata;

        (void)text;
        if (error == -ENOENT)
                finish(tidying, found(tidying));
        else if (error >= 0)
                note_job(job, tidying->stop_job);
        /* tidy_job_removed() or stop_again() continues */
}

static void stop_slice(struct tidying *tidying);

static int stop_again(sd_event_source *source, uint64_t usec, void *userdata) {
        struct tidying *tidying = userdata;

        (void)source;
        (void)usec;
        if (++tidying->n_retries <= RETRIES_MAX) {
                stop_slice(tidying);
                return 0;
        }
        log_explained(MESSAGE_SEAT_STAYS, SD_ERR,
                "%s could not be stopped within a minute; units of the seat may stay up", tidying->slice);
        finish(tidying, -ETIMEDOUT);
        return 0;
}

static int retry_later(struct tidying *tidying) {
        tidying->retry_source = sd_event_source_disable_unref(tidying->retry_source);
        return sd_event_add_time_relative(tidying->seats->event, &tidying->retry_source, CLOCK_MONOTONIC,
                RETRY_USEC, 0, stop_again, tidying);
}

static void stop_slice(struct tidying *tidying) {
        int r;

        tidying->stop_job[0] = '\0';
        r = unit_stop(tidying->seats->bus, tidying->slice, handle_stopped, tidying, &tidying->call);
        if (r >= 0)
                r = retry_later(tidying);
        if (r < 0)
                finish(tidying, r);
}

static void handle_started(void *userdata, int error, const char *job, const char *text) {
        struct tidying *tidying = userdata;

        (void)text;
        /* An error means that a unit is needed now, or that another process tidies. */
        if (error < 0)
                finish(tidying, found(tidying));
        else
                note_job(job, tidying->start_job);
        /* tidy_job_removed() or stop_again() continues */
}

/* Starts a slice that needs the units, which are up. With mode "fail", jobs that are queued already win. */
static int start_slice(struct tidying *tidying, const char *const *units) {
        const struct transient_unit slice = {.name = tidying->slice, .mode = "fail", .requisite = units};

        return unit_start_transient(tidying->seats->bus, &slice, handle_started, tidying, &tidying->call);
}

static const char *name_of(const struct tidying *tidying, const char *unit) {
        if (string_equal(unit, tidying->nsbr))
                return tidying->nsbr;
        return string_equal(unit, tidying->netns) ? tidying->netns : tidying->netbr;
}

static bool is_down(const struct unit_row *row) {
        return row->job == 0 &&
               (string_equal(row->active_state, "inactive") || string_equal(row->active_state, "failed"));
}

static bool is_on_its_way(const struct unit_row *row) {
        return row->job != 0 || string_equal(row->active_state, "deactivating");
}

/* Those that are up, of the three; and whether the seat and a slice are. Returns their number. */
static size_t collect_active(
        struct tidying *tidying, const struct unit_row *rows, size_t n_rows, const char *ret[static 3]) {
        size_t n = 0;

        for (size_t i = 0; i < n_rows; i++)
                if (string_equal(rows[i].name, tidying->slice))
                        tidying->slice_up = !is_down(&rows[i]);
                else {
                        const char *name = name_of(tidying, rows[i].name);

                        tidying->seat_up |= name != tidying->netbr && !is_down(&rows[i]);
                        tidying->seat_stops |= name != tidying->netbr && is_on_its_way(&rows[i]);
                        if (string_equal(rows[i].active_state, "active") && n < 3)
                                ret[n++] = name;
                }
        return n;
}

static void handle_units(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct tidying *tidying = userdata;
        const char *active[4] = {NULL}; /* with the NULL that ends the list */
        size_t n = collect_active(tidying, rows, n_rows, active);
        int r;

        if (error < 0 || (n == 0 && !tidying->slice_up)) {
                finish(tidying, error < 0 ? error : found(tidying));
                return;
        }
        if (tidying->slice_up) {
                stop_slice(tidying);
                return;
        }
        /*
         * systemd will check again by itself when that has ended. A slice for each of hundreds of seats that
         * stop together would take it longer than their stops. A caller that hears of it re-checks later.
         */
        if (tidying->seat_stops && tidying->callback) {
                finish(tidying, found(tidying));
                return;
        }
        r = start_slice(tidying, active);
        if (r >= 0)
                r = retry_later(tidying);
        if (r < 0)
                finish(tidying, r);
}

void tidy(struct seats *seats, const char *seat, tidy_callback_t callback, void *userdata) {
        struct tidying *tidying = malloc(sizeof(*tidying));
        const char *patterns[4];
        size_t n = 0;
        int r;

        if (!tidying) {
                if (callback)
                        callback(userdata, -ENOMEM);
                return;
        }
        *tidying = (struct tidying){.seats = seats, .callback = callback, .userdata = userdata};
        DL_APPEND(seats->tidyings, tidying);
        find_names(tidying, seat);

        patterns[n++] = tidying->slice;
        patterns[n++] = tidying->nsbr;
        patterns[n++] = tidying->netns;
        if (tidying->netbr[0])
                patterns[n++] = tidying->netbr;
        r = unit_list(seats->bus, patterns, n, handle_units, tidying, &tidying->call);
        if (r < 0)
                finish(tidying, r);
}

void tidy_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        struct seats *seats = userdata;
        struct tidying *tidying, *next;

        (void)unit;
        DL_FOREACH_SAFE(seats->tidyings, tidying, next) {
                /*
                 * The job of another process is ignored. If that job stops the slice first, stop_again()
                 * notices it.
                 */
                if (string_equal(tidying->stop_job, job)) {
                        /* After `systemctl cancel` the slice is still up: stop_again() continues. */
                        if (string_equal(result, "done"))
                                finish(tidying, found(tidying));
                } else if (string_equal(tidying->start_job, job))
                        stop_slice(tidying);
        }
}

void tidy_start_cancelled(void *userdata, const char *job, const char *unit, const char *result) {
        char seat[SEAT_ID_SIZE];

        (void)job;
        if (string_equal(result, "canceled") && sscanf(unit, "nsbr@%12[0-9].service", seat) == 1)
                tidy(userdata, seat, NULL, NULL);
}
