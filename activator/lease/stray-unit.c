/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stray-unit.h"
#include "lease-object.h"
#include "lease-table.h"
#include "systemd/units.h"

struct stray_unit {
        struct lease_table *table;
        struct stray_unit *next;
        char name[LEASE_UNIT_SIZE];
        sd_event_source *timer; /* until systemd is asked again */
        struct bus_call *call;
};

static void stray_unit_free(struct stray_unit *stray) {
        struct stray_unit **place = &stray->table->strays;

        while (*place != stray)
                place = &(*place)->next;
        *place = stray->next;
        bus_call_drop(&stray->call);
        (void)sd_event_source_disable_unref(stray->timer);
        free(stray);
}

/* Also a stop that succeeds is asked for again, because another job can cancel it. */
static void handle_stopped(void *userdata, int error, const char *job, const char *text) {
        struct stray_unit *stray = userdata;

        (void)job;
        (void)text;
        if (error == -ENOENT)
                stray_unit_free(stray);
}

static void ask(struct stray_unit *stray);

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        ask(userdata);
        return 0;
}

static void ask(struct stray_unit *stray) {
        stray->timer = sd_event_source_disable_unref(stray->timer);
        (void)sd_event_add_time_relative(
                stray->table->event, &stray->timer, CLOCK_MONOTONIC, LEASE_RETRY_USEC, 0, handle_time, stray);
        (void)unit_stop(stray->table->bus, stray->name, handle_stopped, stray, &stray->call);
}

void stray_unit_stop(struct lease_table *table, const char *unit) {
        struct stray_unit *stray = calloc(1, sizeof(*stray));

        if (!stray || string_copy(stray->name, sizeof(stray->name), unit) < 0) {
                free(stray);
                (void)unit_stop(table->bus, unit, NULL, NULL, NULL);
                return;
        }
        stray->table = table;
        stray->next = table->strays;
        table->strays = stray;
        ask(stray);
}

void stray_unit_forget(struct lease_table *table) {
        while (table->strays)
                stray_unit_free(table->strays);
}
