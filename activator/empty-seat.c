/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * systemd looks once whether a unit is needed, and lets it be when something is in its way just then: a stop
 * of nsbr@ takes the user's manager along, and cannot while that is being started. That may last, and what
 * an admin's own unit needs stays: so the looks get rarer, and end.
 */

#include "empty-seat.h"
#include "lease.h"
#include "tidy.h"

#define FIRST_DELAY_USEC UINT64_C(2000000)

/* All looks together take longer than a user's manager may take to start (DefaultTimeoutStartSec=, 90 s). */
#define LAST_DELAY_USEC (FIRST_DELAY_USEC * 32U)

struct empty_seat {
        struct manager *manager;
        char seat[SEAT_ID_SIZE];
        uint64_t delay_usec;
};

bool seat_is_empty(struct manager *manager, const char *seat) {
        struct lease *lease, *next;

        HASH_ITER (hh, manager->leases, lease, next)
                if (string_equal(lease->seat, seat))
                        return false;
        return true;
}

static int schedule(struct empty_seat *empty);

/* result: see tidy.h. */
static void handle_looked(void *userdata, int result) {
        struct empty_seat *empty = userdata;

        empty->delay_usec *= 2;
        if (result == TIDY_SEAT_DOWN || empty->delay_usec > LAST_DELAY_USEC || schedule(empty) < 0)
                free(empty);
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct empty_seat *empty = userdata;

        (void)usec;
        (void)sd_event_source_disable_unref(source);
        if (seat_is_empty(empty->manager, empty->seat))
                tidy(empty->manager, empty->seat, handle_looked, empty);
        else
                free(empty); /* the end of whose lease is, begins anew */
        return 0;
}

static int schedule(struct empty_seat *empty) {
        sd_event_source *source;

        return sd_event_add_time_relative(
                empty->manager->event, &source, CLOCK_MONOTONIC, empty->delay_usec, 0, handle_time, empty);
}

void empty_seat_tidy_later(struct manager *manager, const char *seat) {
        struct empty_seat *empty = malloc(sizeof(*empty));

        if (!empty)
                return;
        *empty = (struct empty_seat){.manager = manager, .delay_usec = FIRST_DELAY_USEC};
        (void)string_copy(empty->seat, sizeof(empty->seat), seat);
        if (schedule(empty) < 0)
                free(empty);
}
