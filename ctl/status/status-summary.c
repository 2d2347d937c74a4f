/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counts what the view shows. */

#include "status-summary.h"
#include "base/complain.h"
#include "base/terminal.h"

struct counts {
        size_t n_courses, n_seats, n_logins, n_holds;
        size_t n_starting, n_stopping, n_failed;
};

static void count_seat(const struct snapshot_seat *seat, struct counts *counts) {
        counts->n_seats++;
        counts->n_starting += string_equal(seat->state, "starting");
        counts->n_stopping += string_equal(seat->state, "stopping");
        counts->n_failed += string_equal(seat->state, "failed");
        for (size_t i = 0; i < seat->n_leases; i++) {
                bool is_login = seat->leases[i].pid > 0;

                counts->n_logins += is_login;
                counts->n_holds += !is_login;
        }
}

static void print_part(size_t n, const char *what, const char *before, const char *after) {
        if (n > 0)
                (void)printf(", %s%zu %s%s", before, n, what, after);
}

/* Without what there is none of, except for seats and logins. */
void status_summary_print(const struct status_view *view, const char *end) {
        struct counts counts = {0};
        const char *course = "";

        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat))
                        continue;
                counts.n_courses += !string_equal(course, seat->course);
                course = seat->course;
                count_seat(seat, &counts);
        }
        (void)printf("%zu course%s, %zu seat%s", counts.n_courses, plural(counts.n_courses), counts.n_seats,
                plural(counts.n_seats));
        print_part(counts.n_starting, "starting", "", "");
        print_part(counts.n_stopping, "stopping", "", "");
        print_part(counts.n_failed, "failed", terminal_red(), terminal_normal());
        (void)printf("; %zu login%s", counts.n_logins, plural(counts.n_logins));
        print_part(counts.n_holds, counts.n_holds == 1 ? "hold" : "holds", "", "");
        (void)printf("%s\n", end);
}
