/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lease may be freed before its record can be removed, so no list says which records are left over. Each
 * one is, except those of leases that do not end.
 */

#include "record-removal.h"
#include "base/log.h"
#include "lease-object.h"
#include "lease-table.h"

static int remove_if_over(void *userdata, const char *lease_id) {
        struct lease_table *table = userdata;
        const struct lease *lease = lease_table_find(table, lease_id);

        return lease && lease->state != LEASE_ENDING ? 0
                                                     : record_store_remove(table->state_directory, lease_id);
}

static void stop_timer(struct lease_table *table) {
        table->record_timer = sd_event_source_disable_unref(table->record_timer);
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata);

static void set_timer(struct lease_table *table) {
        stop_timer(table);
        /* Without it the next lease that ends sets it. */
        (void)sd_event_add_time_relative(
                table->event, &table->record_timer, CLOCK_MONOTONIC, LEASE_RETRY_USEC, 0, handle_time, table);
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lease_table *table = userdata;

        (void)source;
        (void)usec;
        if (record_store_list(table->state_directory, remove_if_over, table) < 0) {
                set_timer(table);
                return 0;
        }
        stop_timer(table);
        table->records_left = false;
        log_info("No record of a lease that has ended is left");
        return 0;
}

void record_removal_begin(struct lease_table *table, const char *lease_id) {
        int r = record_store_remove(table->state_directory, lease_id);

        if (r < 0) {
                log_warning("The record of lease %s cannot be removed, and is tried again: %s", lease_id,
                        strerror(-r));
                table->records_left = true;
        }
        if (table->records_left && !table->record_timer)
                set_timer(table);
}

void record_removal_forget(struct lease_table *table) {
        stop_timer(table);
}
