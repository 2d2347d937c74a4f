/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * systemd checks once whether a unit is needed, and leaves it up if another job conflicts at that moment: a
 * stop of nsbr@ also stops the user's manager, which is refused while that is starting. The conflict may
 * last, and a seat that an administrator's own unit needs stays up. So the re-checks come at growing
 * intervals, and end after some minutes.
 */

#include <utlist.h>

#include "base/log.h"
#include "base/seat-owner.h"
#include "empty-seat.h"
#include "failed-units.h"
#include "seat-id.h"
#include "starting-units.h"
#include "tidy.h"
#include "worker-client.h"

#define FIRST_DELAY_USEC UINT64_C(2000000)

/* All checks together take longer than a user's manager may take to start (DefaultTimeoutStartSec=, 90 s). */
#define LAST_DELAY_USEC (FIRST_DELAY_USEC * 32U)

/*
 * For each check systemd goes through all its units, and for some it starts a slice. When a thousand seats
 * become empty together, checks of all of them at once would take it longer than their stops.
 */
#define SPACING_USEC UINT64_C(40000)

struct empty_seat {
        struct seats *seats;
        char seat[SEAT_ID_SIZE];
        uint64_t delay_usec;
        sd_event_source *source; /* NULL: systemd is checking now */
        struct empty_seat *prev, *next;
};

static bool has_lease(const struct empty_seat *empty) {
        return empty->seats->seat_has_lease(empty->seats->userdata, empty->seat);
}

static void forget(struct empty_seat *empty) {
        DL_DELETE(empty->seats->empty_seats, empty);
        (void)sd_event_source_disable_unref(empty->source);
        free(empty);
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata);

static void schedule(struct empty_seat *empty) {
        const struct empty_seat *other;
        uint64_t n = 0;

        DL_COUNT(empty->seats->empty_seats, other, n);
        empty->source = sd_event_source_disable_unref(empty->source);
        if (sd_event_add_time_relative(empty->seats->event, &empty->source, CLOCK_MONOTONIC,
                    empty->delay_usec + (n - 1) * SPACING_USEC, 0, handle_time, empty) < 0)
                forget(empty);
}

static void give_up(struct empty_seat *empty, int result) {
        if (result == TIDY_SEAT_UP)
                log_explained(MESSAGE_SEAT_NEEDED, SD_NOTICE,
                        "Seat %s is up without a lease: something else needs it. See: systemctl "
                        "list-dependencies "
                        "--reverse nsbr@%s.service netns@%s.service",
                        empty->seat, empty->seat, empty->seat);
        forget(empty);
}

/*
 * The seat is down. What coursenet-worker made for it has no unit that would remove it if the start of that
 * unit was cancelled. False: whether all of that is gone must be checked again.
 */
static bool clear(struct empty_seat *empty) {
        if (has_lease(empty))
                return true;
        seat_owner_forget(empty->seats->owner_directory, empty->seat);
        failed_units_reset(empty->seats, empty->seat);
        return worker_client_discard(empty->seats->worker, empty->seat) == 0;
}

/* result: see tidy.h. */
static void handle_looked(void *userdata, int result) {
        struct empty_seat *empty = userdata;

        /* What is starting may be what keeps it up. systemd looks through all units for that. */
        if (result == TIDY_SEAT_UP)
                starting_units_stop(empty->seats, empty->seat, (uid_t)-1);
        empty->delay_usec *= 2;
        if (result == TIDY_SEAT_DOWN && clear(empty))
                forget(empty);
        else if (empty->delay_usec > LAST_DELAY_USEC)
                give_up(empty, result);
        else
                schedule(empty);
}

static int handle_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct empty_seat *empty = userdata;

        (void)source;
        (void)usec;
        empty->source = sd_event_source_disable_unref(empty->source);
        if (!has_lease(empty))
                tidy(empty->seats, empty->seat, handle_looked, empty);
        else
                forget(empty); /* a lease has the seat; its end schedules new checks */
        return 0;
}

static struct empty_seat *find(struct seats *seats, const char *seat) {
        struct empty_seat *empty;

        DL_FOREACH (seats->empty_seats, empty)
                if (string_equal(empty->seat, seat))
                        return empty;
        return NULL;
}

void empty_seat_tidy_later(struct seats *seats, const char *seat) {
        struct empty_seat *empty = find(seats, seat);

        if (empty && !empty->source) {
                empty->delay_usec = FIRST_DELAY_USEC / 2; /* handle_looked() doubles it */
                return;
        }
        if (!empty) {
                empty = calloc(1, sizeof(*empty));
                if (!empty)
                        return;
                empty->seats = seats;
                (void)string_copy(empty->seat, sizeof(empty->seat), seat);
                DL_APPEND(seats->empty_seats, empty);
        }
        empty->delay_usec = FIRST_DELAY_USEC;
        schedule(empty);
}

static bool has_failed(const char *result) {
        return string_equal(result, "failed") || string_equal(result, "dependency") ||
               string_equal(result, "timeout");
}

void empty_seat_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        char seat[SEAT_ID_SIZE];

        (void)job;
        if (has_failed(result) && (sscanf(unit, "nsbr@%12[0-9].service", seat) == 1 ||
                                          sscanf(unit, "netns@%12[0-9].service", seat) == 1))
                empty_seat_tidy_later(userdata, seat);
}

void empty_seats_forget(struct seats *seats) {
        struct empty_seat *empty, *next;

        DL_FOREACH_SAFE(seats->empty_seats, empty, next) {
                forget(empty);
        }
}
