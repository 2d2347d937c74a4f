/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures one login at a time, and beside each what it is compared with, so that a noisy machine disturbs
 * both alike. Each line has the times of one round.
 *
 *   first    seat of a student who is the first of the course  | chain of empty units, empty slice
 *   new      the same while OTHER, of the same course, is in   | the same chain, its bridge is up; empty
 * slice second   another lease of a student who is logged in       | empty slice again    the same when
 * something else keeps the seat       | empty slice peers    as "new", but each login is a new process |
 * pam_usernet, pam_newnet
 *
 * usage: session-bench SCENE ROUNDS PAM-SERVICE USER [OTHER]. Runs in a guest, as root; logins.py prepares
 * it.
 */

#include "logins.h"

struct bench {
        sd_bus *bus;
        struct seen seen;
        unsigned rounds;
        const char *service, *user, *other;
};

/* last: of the units that come with the seat, the one that is gone last; NULL: nothing goes. */
static void close_and_wait(struct bench *bench, pam_handle_t *pam, const char *last) {
        bench->seen = (struct seen){.removed = last};
        close_session(pam);
        if (last)
                wait_for(bench->bus, &bench->seen.n_removed, 1);
}

static uint64_t measure_session(struct bench *bench, const char *last) {
        pam_handle_t *pam;
        uint64_t took;

        settle();
        took = open_session(bench->service, bench->user, &pam);
        close_and_wait(bench, pam, last);
        return took;
}

static uint64_t measure_floor(struct bench *bench, const char *needs, size_t n_units) {
        settle();
        return measure_empty(bench->bus, &bench->seen, needs, n_units);
}

static void measure_seats(struct bench *bench, const char *last, size_t n_empty_units) {
        for (unsigned i = 0; i < bench->rounds; i++) {
                uint64_t ours = measure_session(bench, last);
                uint64_t chain = measure_floor(bench, EMPTY_CABLE, n_empty_units);
                uint64_t slice = measure_floor(bench, NULL, EMPTY_ALONE);

                print_round("round", (uint64_t[]){ours, chain, slice}, 3);
        }
}

static void measure_first_seat(struct bench *bench) {
        measure_seats(bench, "netbr@", EMPTY_FIRST_SEAT);
}

static void measure_new_seat(struct bench *bench) {
        pam_handle_t *first;

        (void)open_session(bench->service, bench->other, &first);
        hold_empty_bridge(bench->bus, &bench->seen);
        measure_seats(bench, "netns@", EMPTY_SEAT);
        release_empty_bridge(bench->bus, &bench->seen);
        close_and_wait(bench, first, "netbr@");
}

static void measure_again(struct bench *bench) {
        (void)measure_session(bench, NULL); /* from now on its seat lingers, if that is what keeps it */
        for (unsigned i = 0; i < bench->rounds; i++) {
                uint64_t ours = measure_session(bench, NULL);
                uint64_t slice = measure_floor(bench, NULL, EMPTY_ALONE);

                print_round("round", (uint64_t[]){ours, slice}, 2);
        }
}

static void measure_second_lease(struct bench *bench) {
        pam_handle_t *first;

        (void)open_session(bench->service, bench->user, &first);
        measure_again(bench);
        close_and_wait(bench, first, "netbr@");
}

/* A login in a process of its own: libpam-net's modules move the process for good. */
static uint64_t measure_process(struct bench *bench, const char *service, const char *last) {
        struct logins logins;
        uint64_t took;

        settle();
        logins_start(&logins, service, &bench->user, 1);
        took = logins_open_one(&logins, 0);
        bench->seen = (struct seen){.removed = last};
        logins_close(&logins);
        if (last)
                wait_for(bench->bus, &bench->seen.n_removed, 1);
        logins_end(&logins);
        remove_named_namespaces(&bench->user, 1);
        return took;
}

static void measure_peers(struct bench *bench) {
        pam_handle_t *first;

        (void)open_session(bench->service, bench->other, &first);
        for (unsigned i = 0; i < bench->rounds; i++) {
                uint64_t ours = measure_process(bench, bench->service, "netns@");
                uint64_t usernet = measure_process(bench, USERNET_SERVICE, NULL);
                uint64_t newnet = measure_process(bench, NEWNET_SERVICE, NULL);

                print_round("round", (uint64_t[]){ours, usernet, newnet}, 3);
        }
        close_and_wait(bench, first, "netbr@");
}

static uint64_t realtime_ahead(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U - now_usec();
}

static void measure_stages(struct bench *bench) {
        pam_handle_t *first, *pam;

        (void)open_session(bench->service, bench->other, &first);
        for (unsigned i = 0; i < bench->rounds; i++) {
                uint64_t start, took;

                settle();
                pam = start_pam(bench->service, bench->user);
                start = now_usec();
                took = time_open(pam);
                print_round("round", (uint64_t[]){start, start + took, realtime_ahead()}, 3);
                print_round("open", NULL, 0);
                (void)getchar();
                close_and_wait(bench, pam, "netns@");
        }
        close_and_wait(bench, first, "netbr@");
}

static const struct {
        const char *name;
        void (*measure)(struct bench *bench);
        bool needs_other;
} scenes[] = {
        {"first", measure_first_seat, false},
        {"new", measure_new_seat, true},
        {"second", measure_second_lease, false},
        {"again", measure_again, false},
        {"stages", measure_stages, true},
        {"peers", measure_peers, true},
};

int main(int argc, char **argv) {
        struct bench bench = {0};

        setlinebuf(stdout);
        for (size_t i = 0; argc >= 5 && i < ELEMENTSOF(scenes); i++) {
                if (!string_equal(argv[1], scenes[i].name) || argc != (scenes[i].needs_other ? 6 : 5))
                        continue;
                bench.rounds = (unsigned)atoi(argv[2]);
                bench.service = argv[3];
                bench.user = argv[4];
                bench.other = argv[5];
                bench.bus = connect_bus(&bench.seen);
                scenes[i].measure(&bench);
                sd_bus_flush_close_unref(bench.bus);
                return 0;
        }
        (void)fprintf(stderr, "usage: session-bench SCENE ROUNDS PAM-SERVICE USER [OTHER]\n");
        return 2;
}
