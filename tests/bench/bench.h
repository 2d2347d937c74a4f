/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the benchmarks share: clocks and medians, PAM sessions, and transient slices over units that do
 * nothing, which are the least that systemd could do instead of a login. Each program has one main() and
 * includes this once; whatever fails ends it.
 */

#include <security/pam_appl.h>
#include <stdint.h>
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

static int compare(const void *a, const void *b) {
        uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

        return (one > other) - (one < other);
}

/* Sorts the values. In milliseconds. */
static double median(uint64_t *values, size_t n) {
        uint64_t twice;

        qsort(values, n, sizeof(*values), compare);
        twice = n % 2 ? 2 * values[n / 2] : values[n / 2 - 1] + values[n / 2];
        return (double)twice / 2000;
}

/* --- PAM ------------------------------------------------------------------------------------- */

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data) {
        (void)responses;
        (void)data;
        for (int i = 0; i < n; i++)
                (void)fprintf(stderr, "PAM says: %s\n", messages[i]->msg);
        return PAM_CONV_ERR;
}

static void check_pam(pam_handle_t *pam, int r, const char *what) {
        if (r == PAM_SUCCESS)
                return;
        (void)fprintf(stderr, "%s: %s\n", what, pam_strerror(pam, r));
        exit(EXIT_FAILURE);
}

/* Returns how long pam_open_session() took. */
static uint64_t open_session(const char *service, const char *user, pam_handle_t **ret) {
        static const struct pam_conv conversation = {.conv = converse};
        uint64_t start, end;
        pam_handle_t *pam;

        check_pam(NULL, pam_start(service, user, &conversation, &pam), "pam_start");
        start = now_usec();
        check_pam(pam, pam_open_session(pam, 0), "pam_open_session");
        end = now_usec();
        *ret = pam;
        return end - start;
}

static void close_session(pam_handle_t *pam) {
        check_pam(pam, pam_close_session(pam, 0), "pam_close_session");
        (void)pam_end(pam, PAM_SUCCESS);
}

/* --- systemd --------------------------------------------------------------------------------- */

/* Signals of units whose names begin like this; NULL: of none. The loops below wait for a number of them. */
struct seen {
        const char *job, *removed;
        size_t n_jobs, n_removed;
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

#define EMPTY_LEASE "coursenetbench-lease.slice"

/* Returns how long it took until one slice's job was done. */
static uint64_t _unused_ start_slice(sd_bus *bus, struct seen *seen, const char *needs) {
        uint64_t start = now_usec();

        *seen = (struct seen){.job = EMPTY_LEASE};
        send_start(bus, EMPTY_LEASE, needs);
        wait_for(bus, &seen->n_jobs, 1);
        return now_usec() - start;
}

/* last: the n units that go last, by how their names begin; then everything is as it was. */
static void _unused_ stop_slice(sd_bus *bus, struct seen *seen, const char *last, size_t n) {
        *seen = (struct seen){.removed = last};
        send_stop(bus, EMPTY_LEASE);
        wait_for(bus, &seen->n_removed, n);
}
