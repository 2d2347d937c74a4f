/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Restores leases when the activator starts, subscribes to the signals of systemd and logind and raises the
 * events that they cause, and frees the leases when the activator ends. main.c and request/restore.c call
 * these functions.
 */

#include "lease-startup.h"
#include "base/event.h"
#include "lease-log.h"
#include "lease-run.h"
#include "lease-start.h"
#include "lease-table.h"
#include "protocol.h"
#include "record-removal.h"
#include "stray-unit.h"
#include "systemd/logind.h"
#include "systemd/units.h"

#define DAY_USEC (24 * 3600 * USEC_PER_SEC)
#define DAY_ACCURACY_USEC (600 * USEC_PER_SEC)

/* --- signals --------------------------------------------------------------------------------- */

static void handle_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        struct lease *lease = lease_table_find_unit(userdata, unit);

        if (lease)
                lease_start_job_removed(lease, job, result);
}

static void handle_unit_removed(void *userdata, const char *unit) {
        struct lease *lease = lease_table_find_unit(userdata, unit);

        if (lease)
                lease_raise(lease, EVENT_UNIT_REMOVED);
}

static void tell_of_session(struct lease *lease, void *userdata) {
        (void)userdata;
        lease_raise(lease, EVENT_SESSION_REMOVED);
}

static void handle_session_removed(void *userdata) {
        lease_table_each(userdata, tell_of_session, NULL);
}

int lease_subscribe(struct lease_table *table) {
        int r;

        r = units_on_job_removed(table->bus, handle_job_removed, table);
        if (r >= 0)
                r = units_on_removed(table->bus, handle_unit_removed, table);
        return r < 0 ? r : logind_on_session_removed(table->bus, handle_session_removed, table);
}

/* --- the activator's start and end ----------------------------------------------------------- */

static enum lease_event find_event(const struct lease_record *record, uint32_t job) {
        if (record->linger_until_usec > 0)
                return EVENT_RESTORED_LINGER;
        if (record->hold)
                return EVENT_RESTORED_HOLD;
        return job > 0 ? EVENT_RESTORED_STARTING : EVENT_RESTORED;
}

int lease_restore(struct lease_table *table, const struct lease_record *record, int pidfd, uint32_t job) {
        struct lease *lease = lease_new(table, record, pidfd, lease_run_actions);

        if (!lease)
                return -ENOMEM;
        if (find_event(record, job) == EVENT_RESTORED_STARTING)
                unit_job_path(job, lease->job);
        lease_raise(lease, find_event(record, job));
        return 0;
}

void lease_forget_record(struct lease_table *table, const char *id) {
        struct lease_record lost = {0};

        (void)string_copy(lost.id, sizeof(lost.id), id);
        if (record_store_load(table->state_directory, id, &lost) >= 0)
                lease_log_stopped(&lost);
        record_removal_begin(table, id);
}

static void end_with_activator(struct lease *lease, void *userdata) {
        (void)userdata;
        lease_raise(lease, EVENT_ACTIVATOR_ENDS);
}

void lease_forget_all(struct lease_table *table) {
        lease_table_each(table, end_with_activator, NULL);
        record_removal_forget(table);
        stray_unit_forget(table);
}

/* --- the log, once a day --------------------------------------------------------------------- */

static void log_if_active(struct lease *lease, void *userdata) {
        (void)userdata;
        if (lease_is_active(lease))
                lease_log_held(lease);
}

static int handle_day(sd_event_source *source, uint64_t usec, void *userdata) {
        int r;

        (void)usec;
        lease_table_each(userdata, log_if_active, NULL);
        r = sd_event_source_set_time_relative(source, DAY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int lease_log_daily(struct lease_table *table) {
        return sd_event_add_time_relative(
                table->event, NULL, CLOCK_BOOTTIME, DAY_USEC, DAY_ACCURACY_USEC, handle_day, table);
}
