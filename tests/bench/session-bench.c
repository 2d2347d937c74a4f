/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures logins against the least that systemd could do in their place, alternating in one run, so that a
 * noisy machine disturbs both alike:
 *
 *   first seat    pam_open_session() of a student who is the   against  a slice over two chained empty units,
 *                 first of the course, so that it has no bridge         and over three, wired as ours are
 *   next seat     the same while OTHER-USER, of the same course, is logged in
 *   second lease  pam_open_session() of a student who has one  against  an empty slice
 *
 * The ratio is the median of the pairs' ratios: what are measured right after each other meet the same
 * machine.
 *
 * usage: session-bench PAM-SERVICE USER OTHER-USER PAIRS. Runs in a guest, as root; bench.py prepares it.
 */

#include "bench.h"

#define PAIRS_MAX 1000

static double median_ratio(const uint64_t *ours, const uint64_t *floor, size_t n) {
        uint64_t ratios[PAIRS_MAX];

        for (size_t i = 0; i < n; i++)
                ratios[i] = ours[i] * 1000 / floor[i];
        return median(ratios, n); /* in milliseconds, so that a thousandth is one */
}

static void report(const char *what, const char *against, uint64_t *ours, uint64_t *floor, size_t n) {
        double ratio = median_ratio(ours, floor, n), a = median(ours, n), b = median(floor, n);

        (void)printf("%-12s %7.2f ms   %-32s %7.2f ms   ratio %.2f   (medians of %zu pairs; %.2f to %.2f and "
                     "%.2f to %.2f)\n",
                what, a, against, b, ratio, n, (double)ours[0] / 1000, (double)ours[n - 1] / 1000,
                (double)floor[0] / 1000, (double)floor[n - 1] / 1000);
}

/*
 * A login comes to a machine that has done with the last one. What is still cleared up behind a namespace,
 * and what the kernel does faster because it has just been done (to move a process into a control group),
 * would else go to the account of whatever is measured next.
 */
static void settle(void) {
        (void)usleep(100000);
}

/* Empty units, see bench.py. */
struct floor {
        const char *what;
        const char *last;  /* the one that is started last */
        const char *first; /* how the names of the n_first others begin, which go last */
        size_t n_first;
};

static const struct floor two_units = {
        "a slice over two empty units", "coursenetbench-b@1.service", "coursenetbench-a@", 1};
static const struct floor three_units = {
        "a slice over three of them", "coursenetbench-f@1.service", "coursenetbench-e", 2};

/* last: of the units that come with the seat, the one that is gone last. Then everything is as it was. */
static void measure_new_seat(sd_bus *bus, struct seen *seen, const char *what, const char *last,
        const struct floor *empty, const char *service, const char *user, size_t n) {
        uint64_t ours[PAIRS_MAX], floor[PAIRS_MAX];
        pam_handle_t *pam;

        for (size_t i = 0; i < n; i++) {
                settle();
                ours[i] = open_session(service, user, &pam);
                *seen = (struct seen){.removed = last};
                close_session(pam);
                wait_for(bus, &seen->n_removed, 1);

                settle();
                floor[i] = start_slice(bus, seen, empty->last);
                stop_slice(bus, seen, empty->first, empty->n_first);
        }
        report(what, empty->what, ours, floor, n);
}

static void measure_next_seat(
        sd_bus *bus, struct seen *seen, const char *service, const char *user, const char *other, size_t n) {
        pam_handle_t *first;

        (void)open_session(service, other, &first);
        measure_new_seat(bus, seen, "next seat", "netns@", &two_units, service, user, n);
        *seen = (struct seen){.removed = "netbr@"};
        close_session(first);
        wait_for(bus, &seen->n_removed, 1);
}

static void measure_second_lease(
        sd_bus *bus, struct seen *seen, const char *service, const char *user, size_t n) {
        uint64_t ours[PAIRS_MAX], floor[PAIRS_MAX];
        pam_handle_t *first, *second;

        (void)open_session(service, user, &first);
        for (size_t i = 0; i < n; i++) {
                settle();
                ours[i] = open_session(service, user, &second);
                close_session(second);
                settle();
                floor[i] = start_slice(bus, seen, NULL);
                stop_slice(bus, seen, EMPTY_LEASE, 1);
        }
        close_session(first);
        report("second lease", "an empty slice", ours, floor, n);
}

int main(int argc, char **argv) {
        struct seen seen = {0};
        sd_bus *bus = NULL;
        size_t n;

        if (argc != 5 || (n = (size_t)atoi(argv[4])) == 0 || n > PAIRS_MAX) {
                (void)fprintf(stderr, "usage: session-bench PAM-SERVICE USER OTHER-USER PAIRS\n");
                return 2;
        }
        bus = connect_bus(&seen);
        measure_new_seat(bus, &seen, "first seat", "netbr@", &two_units, argv[1], argv[2], n);
        measure_new_seat(bus, &seen, "first seat", "netbr@", &three_units, argv[1], argv[2], n);
        measure_next_seat(bus, &seen, argv[1], argv[2], argv[3], n);
        measure_second_lease(bus, &seen, argv[1], argv[2], n);
        sd_bus_flush_close_unref(bus);
        return 0;
}
