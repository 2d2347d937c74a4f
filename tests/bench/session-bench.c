/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures logins against the least that systemd could do in their place, alternating in one run, so that a
 * noisy machine disturbs both alike:
 *
 *   new seat      pam_open_session() of a student without one   against  a slice over two chained empty units
 *   second lease  pam_open_session() of a student who has one   against  an empty slice
 *
 * usage: session-bench PAM-SERVICE USER PAIRS. Runs in a guest, as root; bench.py prepares it.
 */

#include "bench.h"

#define PAIRS_MAX 1000

static void report(const char *what, const char *against, uint64_t *ours, uint64_t *floor, size_t n) {
        double a = median(ours, n), b = median(floor, n);

        (void)printf("%-12s %7.2f ms   %-32s %7.2f ms   ratio %.2f   (medians of %zu pairs; %.2f to %.2f and "
                     "%.2f to %.2f)\n",
                what, a, against, b, a / b, n, (double)ours[0] / 1000, (double)ours[n - 1] / 1000,
                (double)floor[0] / 1000, (double)floor[n - 1] / 1000);
}

static void measure_new_seat(
        sd_bus *bus, struct seen *seen, const char *service, const char *user, size_t n) {
        uint64_t ours[PAIRS_MAX], floor[PAIRS_MAX];
        pam_handle_t *pam;

        for (size_t i = 0; i < n; i++) {
                ours[i] = open_session(service, user, &pam);
                /* The bridge goes last: then everything is as it was. */
                *seen = (struct seen){.removed = "netbr@"};
                close_session(pam);
                wait_for(bus, &seen->n_removed, 1);

                floor[i] = start_slice(bus, seen, "coursenetbench-b@1.service");
                stop_slice(bus, seen, "coursenetbench-a@1.service");
        }
        report("new seat", "a slice over two empty units", ours, floor, n);
}

static void measure_second_lease(
        sd_bus *bus, struct seen *seen, const char *service, const char *user, size_t n) {
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
        bus = connect_bus(&seen);
        measure_new_seat(bus, &seen, argv[1], argv[2], n);
        measure_second_lease(bus, &seen, argv[1], argv[2], n);
        sd_bus_flush_close_unref(bus);
        return 0;
}
