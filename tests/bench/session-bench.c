/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures logins against the least that systemd could do in their place, alternating in one run, so that a noisy machine
 * disturbs both alike:
 *
 *   new seat      pam_open_session() of a student without one   against  a slice over two chained empty units
 *   second lease  pam_open_session() of a student who has one   against  an empty slice
 *
 * usage: session-bench PAM-SERVICE USER PAIRS. Runs in a guest, as root; bench.py prepares it.
 */

#include <inttypes.h>
#include <security/pam_appl.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "util.h"

#define SYSTEMD "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define PAIRS_MAX 1000
#define EMPTY_LEASE "coursenetbench-lease.slice"

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

/* --- PAM ------------------------------------------------------------------------------------------------- */

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

/* --- systemd --------------------------------------------------------------------------------------------- */

/* What the signals say; the loops below wait for it. */
struct seen {
        const char *unit;
        bool job_removed, unit_removed;
};

static int handle_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct seen *seen = userdata;
        const char *unit, *result;

        (void)error;
        check(sd_bus_message_read(message, "uoss", NULL, NULL, &unit, &result), "JobRemoved");
        if (seen->unit && string_equal(unit, seen->unit)) {
                seen->job_removed = true;
                if (!string_equal(result, "done")) {
                        (void)fprintf(stderr, "the job of %s ended with '%s'\n", unit, result);
                        exit(EXIT_FAILURE);
                }
        }
        return 0;
}

static int handle_unit_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct seen *seen = userdata;
        const char *unit;

        (void)error;
        check(sd_bus_message_read(message, "so", &unit, NULL), "UnitRemoved");
        seen->unit_removed |= seen->unit && string_equal(unit, seen->unit);
        return 0;
}

static void wait_for(sd_bus *bus, const bool *flag) {
        while (!*flag) {
                int r = sd_bus_process(bus, NULL);

                check(r, "sd_bus_process");
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX), "sd_bus_wait");
        }
}

/* Returns how long it took until the slice's job was done. needs: a unit that it requires, or NULL. */
static uint64_t start_slice(sd_bus *bus, struct seen *seen, const char *needs) {
        sd_bus_message *message = NULL;
        uint64_t start;

        *seen = (struct seen){.unit = EMPTY_LEASE};
        check(sd_bus_message_new_method_call(bus, &message, SYSTEMD, "StartTransientUnit"), "message");
        check(sd_bus_message_append(message, "ss", EMPTY_LEASE, "replace"), "message");
        if (needs)
                check(sd_bus_message_append(message, "a(sv)", 2, "Requires", "as", 1, needs, "After", "as", 1, needs),
                        "message");
        else
                check(sd_bus_message_append(message, "a(sv)", 0), "message");
        check(sd_bus_message_append(message, "a(sa(sv))", 0), "message");

        start = now_usec();
        check(sd_bus_call(bus, message, 0, NULL, NULL), "StartTransientUnit");
        wait_for(bus, &seen->job_removed);
        sd_bus_message_unref(message);
        return now_usec() - start;
}

static void stop_slice(sd_bus *bus, struct seen *seen, const char *last) {
        *seen = (struct seen){.unit = last};
        check(sd_bus_call_method(bus, SYSTEMD, "StopUnit", NULL, NULL, "ss", EMPTY_LEASE, "replace"), "StopUnit");
        wait_for(bus, &seen->unit_removed);
}

/* --- pairs ----------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
        uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

        return (one > other) - (one < other);
}

static uint64_t median(uint64_t *values, size_t n) {
        qsort(values, n, sizeof(*values), compare);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void report(const char *what, const char *against, uint64_t *ours, uint64_t *floor, size_t n) {
        double a = (double)median(ours, n) / 1000, b = (double)median(floor, n) / 1000;

        (void)printf("%-12s %7.2f ms   %-32s %7.2f ms   ratio %.2f   (medians of %zu pairs; %.2f to %.2f and %.2f to %.2f)\n",
                what, a, against, b, a / b, n, (double)ours[0] / 1000, (double)ours[n - 1] / 1000,
                (double)floor[0] / 1000, (double)floor[n - 1] / 1000);
}

static void measure_new_seat(sd_bus *bus, struct seen *seen, const char *service, const char *user, size_t n) {
        uint64_t ours[PAIRS_MAX], floor[PAIRS_MAX];
        pam_handle_t *pam;

        for (size_t i = 0; i < n; i++) {
                ours[i] = open_session(service, user, &pam);
                /* The bridge goes last: then everything is as it was. */
                *seen = (struct seen){.unit = "netbr@123.service"};
                close_session(pam);
                wait_for(bus, &seen->unit_removed);

                floor[i] = start_slice(bus, seen, "coursenetbench-b@1.service");
                stop_slice(bus, seen, "coursenetbench-a@1.service");
        }
        report("new seat", "a slice over two empty units", ours, floor, n);
}

static void measure_second_lease(sd_bus *bus, struct seen *seen, const char *service, const char *user, size_t n) {
        uint64_t ours[PAIRS_MAX], floor[PAIRS_MAX];
        pam_handle_t *first, *second;

        (void)open_session(service, user, &first);
        for (size_t i = 0; i < n; i++) {
                ours[i] = open_session(service, user, &second);
                close_session(second);
                floor[i] = start_slice(bus, seen, NULL);
                stop_slice(bus, seen, EMPTY_LEASE);
        }
        close_session(first);
        report("second lease", "an empty slice", ours, floor, n);
}

int main(int argc, char **argv) {
        struct seen seen = {0};
        sd_bus *bus = NULL;
        size_t n;

        if (argc != 4 || (n = (size_t)atoi(argv[3])) == 0 || n > PAIRS_MAX) {
                (void)fprintf(stderr, "usage: session-bench PAM-SERVICE USER PAIRS\n");
                return 2;
        }
        check(sd_bus_open_system(&bus), "system bus");
        check(sd_bus_match_signal(bus, NULL, SYSTEMD, "JobRemoved", handle_job_removed, &seen), "match");
        check(sd_bus_match_signal(bus, NULL, SYSTEMD, "UnitRemoved", handle_unit_removed, &seen), "match");
        check(sd_bus_call_method(bus, SYSTEMD, "Subscribe", NULL, NULL, NULL), "Subscribe");

        measure_new_seat(bus, &seen, argv[1], argv[2], n);
        measure_second_lease(bus, &seen, argv[1], argv[2], n);
        sd_bus_flush_close_unref(bus);
        return 0;
}
