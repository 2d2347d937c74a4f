/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the benchmarks share: a clock, and transient slices over units that do nothing, which
 * are the least that systemd could do instead of a login. A program prints one line for each round, a word
 * and times in microseconds; the Python side computes. Each program includes this once; whatever fails ends
 * it.
 */

#include <inttypes.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "util.h"

#define SYSTEMD "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

#define _unused_ __attribute__((unused))

static void check(int r, const char *what) {
        if (r >= 0)
                return;
        (void)fprintf(stderr, "%s: %s\n", what, strerror(-r));
        exit(EXIT_FAILURE);
}

static uint64_t now_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

static void print_round(const char *what, const uint64_t *usec, size_t n) {
        (void)fputs(what, stdout);
        for (size_t i = 0; i < n; i++)
                (void)printf(" %" PRIu64, usec[i]);
        (void)putchar('\n');
}

/* --- systemd --------------------------------------------------------------------------------- */

/* Signals of units whose names begin like this; NULL: of none. The loops below wait for a number of them.
 * "last" is for what goes after "removed". */
struct seen {
        const char *job, *removed, *last;
        size_t n_jobs, n_removed, n_last;
};

static int handle_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct seen *seen = userdata;
        const char *unit, *result;

        (void)error;
        check(sd_bus_message_read(message, "uoss", NULL, NULL, &unit, &result), "JobRemoved");
        if (!seen->job || !string_starts_with(unit, seen->job))
                return 0;
        if (!string_equal(result, "done")) {
                (void)fprintf(stderr, "the job of %s ended with '%s'\n", unit, result);
                exit(EXIT_FAILURE);
        }
        seen->n_jobs++;
        return 0;
}

static int handle_unit_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct seen *seen = userdata;
        const char *unit;

        (void)error;
        check(sd_bus_message_read(message, "so", &unit, NULL), "UnitRemoved");
        seen->n_removed += seen->removed && string_starts_with(unit, seen->removed);
        seen->n_last += seen->last && string_starts_with(unit, seen->last);
        return 0;
}

static sd_bus *connect_bus(struct seen *seen) {
        sd_bus *bus = NULL;

        check(sd_bus_open_system(&bus), "system bus");
        check(sd_bus_match_signal(bus, NULL, SYSTEMD, "JobRemoved", handle_job_removed, seen), "match");
        check(sd_bus_match_signal(bus, NULL, SYSTEMD, "UnitRemoved", handle_unit_removed, seen), "match");
        check(sd_bus_call_method(bus, SYSTEMD, "Subscribe", NULL, NULL, NULL), "Subscribe");
        return bus;
}

#define SILENCE_USEC (60 * UINT64_C(1000000))

/* Handles what is on the bus until a number is as high as that. A minute without a word means that it never
 * will be. */
static void wait_for(sd_bus *bus, const size_t *number, size_t n) {
        while (*number < n) {
                int r = sd_bus_process(bus, NULL);

                check(r, "sd_bus_process");
                if (r > 0)
                        continue;
                r = sd_bus_wait(bus, SILENCE_USEC);
                check(r, "sd_bus_wait");
                if (r == 0) {
                        (void)fprintf(
                                stderr, "systemd is silent, %zu of %zu signals have come\n", *number, n);
                        exit(EXIT_FAILURE);
                }
        }
}

/* Forgets the signals that are on their way. */
static void _unused_ drain(sd_bus *bus, struct seen *seen) {
        int r;

        *seen = (struct seen){0};
        while ((r = sd_bus_process(bus, NULL)) > 0)
                ;
        check(r, "sd_bus_process");
}

/* Asks for a slice; its JobRemoved says when it is there. needs: a unit that it requires, or NULL. */
static void send_start(sd_bus *bus, const char *slice, const char *needs) {
        sd_bus_message *message = NULL;

        check(sd_bus_message_new_method_call(bus, &message, SYSTEMD, "StartTransientUnit"), "message");
        check(sd_bus_message_append(message, "ss", slice, "replace"), "message");
        if (needs)
                check(sd_bus_message_append(
                              message, "a(sv)", 2, "Requires", "as", 1, needs, "After", "as", 1, needs),
                        "message");
        else
                check(sd_bus_message_append(message, "a(sv)", 0), "message");
        check(sd_bus_message_append(message, "a(sa(sv))", 0), "message");
        check(sd_bus_message_set_expect_reply(message, false), "message");
        check(sd_bus_send(bus, message, NULL), "StartTransientUnit");
        sd_bus_message_unref(message);
}

static void send_stop(sd_bus *bus, const char *slice) {
        check(sd_bus_call_method_async(bus, NULL, SYSTEMD, "StopUnit", NULL, NULL, "ss", slice, "replace"),
                "StopUnit");
}

/* --- slices over empty units ------------------------------------------------------------------ */

/* The units are in empty_units.py. They are wired as those of a seat are: a cable that is bound to a bridge,
 * which all cables share, and to a namespace of its own. Every name begins like this. */
#define EMPTY "coursenetbench-"
#define EMPTY_LEASE EMPTY "lease.slice"
#define EMPTY_CABLE EMPTY "cable@1.service"
/* This one holds the bridge while others come and go. */
#define EMPTY_HOLD EMPTY "hold.slice"
#define EMPTY_HELD_CABLE EMPTY "cable@0.service"
/* How many units a slice alone is, a slice with namespace and cable, and both with the bridge. */
#define EMPTY_ALONE 1U
#define EMPTY_SEAT 3U
#define EMPTY_FIRST_SEAT 4U

static void start_empty(sd_bus *bus, struct seen *seen, const char *slice, const char *needs) {
        *seen = (struct seen){.job = slice};
        send_start(bus, slice, needs);
        wait_for(bus, &seen->n_jobs, 1);
}

/* n_units: how many go with the slice. Then everything is as it was. */
static void stop_empty(sd_bus *bus, struct seen *seen, const char *slice, size_t n_units) {
        *seen = (struct seen){.removed = EMPTY};
        send_stop(bus, slice);
        wait_for(bus, &seen->n_removed, n_units);
}

/* Returns how long it took until the slice's job was done. It is gone again afterwards. */
static uint64_t _unused_ measure_empty(sd_bus *bus, struct seen *seen, const char *needs, size_t n_units) {
        uint64_t start = now_usec(), took;

        start_empty(bus, seen, EMPTY_LEASE, needs);
        took = now_usec() - start;
        stop_empty(bus, seen, EMPTY_LEASE, n_units);
        return took;
}

static void _unused_ hold_empty_bridge(sd_bus *bus, struct seen *seen) {
        start_empty(bus, seen, EMPTY_HOLD, EMPTY_HELD_CABLE);
}

static void _unused_ release_empty_bridge(sd_bus *bus, struct seen *seen) {
        stop_empty(bus, seen, EMPTY_HOLD, EMPTY_FIRST_SEAT);
}

#define EMPTY_MANY EMPTY "many"
/* Of the first of many; lower ones are in use above. */
#define EMPTY_MANY_FIRST 100U

static void empty_slice_name(size_t i, char ret[static 64]) {
        (void)snprintf(ret, 64, EMPTY_MANY "%zu.slice", EMPTY_MANY_FIRST + i);
}

/* Starts n slices at once; chains: each over a chain of units. Returns how long it took until all were up. */
static uint64_t _unused_ start_many(sd_bus *bus, struct seen *seen, size_t n, bool chains) {
        char slice[64], cable[64];
        uint64_t start = now_usec();

        *seen = (struct seen){.job = EMPTY_MANY};
        for (size_t i = 0; i < n; i++) {
                empty_slice_name(i, slice);
                (void)snprintf(cable, sizeof(cable), EMPTY "cable@%zu.service", EMPTY_MANY_FIRST + i);
                send_start(bus, slice, chains ? cable : NULL);
        }
        wait_for(bus, &seen->n_jobs, n);
        return now_usec() - start;
}

/* The same for the stop, until the last namespace is gone, or the last slice. */
static uint64_t _unused_ stop_many(sd_bus *bus, struct seen *seen, size_t n, bool chains) {
        char slice[64];
        uint64_t start = now_usec(), took;

        *seen = (struct seen){.removed = chains ? EMPTY "netns@" : EMPTY_MANY, .last = EMPTY "bridge@"};
        for (size_t i = 0; i < n; i++) {
                empty_slice_name(i, slice);
                send_stop(bus, slice);
        }
        wait_for(bus, &seen->n_removed, n);
        took = now_usec() - start;
        wait_for(bus, &seen->n_last, chains);
        return took;
}

/*
 * A login comes to a machine that has done with the last one. What is still cleared up behind a namespace,
 * and what the kernel does faster because it has just been done (to move a process into a control group),
 * would else go to the account of whatever is measured next.
 */
static void _unused_ settle(void) {
        (void)usleep(100000);
}
