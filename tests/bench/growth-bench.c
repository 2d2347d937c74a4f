/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures what becomes slower while more and more seats are up. The first and the last seats are opened one
 * after another, each followed by its floor; those between them at once, because nobody looks at them. All
 * are closed at once. Then as many chains of empty units come and go.
 *
 * A student's first login since boot has the activator write a drop-in for the student's systemd manager, and
 * systemd then reads its folders of units again. So these logins are measured apart from the later ones.
 *
 *   first, last      a new seat | chain of empty units, empty slice: one line for each of SAMPLE seats of
 *                    students who have been there before
 *   boot-first       the same for SAMPLE / 3 seats of students who have not
 *   boot-last
 *   reload-none      daemon-reload before there is a seat, with all seats, and with all chains
 *   reload-seats
 *   reload-chains
 *   between          the seats between the first and the last
 *   down             from the first logout to the end of the last namespace
 *   chains-up        the chains, until all are up
 *   chains-down      the same until the last of them is gone
 *
 * When all seats are up it prints "full" and waits for a line, so that its caller can look at the guest.
 *
 * usage: growth-bench SAMPLE COURSES PAM-SERVICE USER... Runs in a guest, as root; growth.py prepares it. The
 * first COURSES users are of different courses, and the others of the same courses. The service has join=no.
 */

#include "logins.h"

#define RELOADS 5

struct bench {
        sd_bus *bus;
        struct seen seen;
        struct logins logins;
        const char *const *users;
        size_t n, n_courses, sample, boot_sample;
};

static void measure_reload(struct bench *bench, const char *what) {
        for (int i = 0; i < RELOADS; i++) {
                uint64_t start = now_usec(), took;

                check(sd_bus_call_method(bench->bus, SYSTEMD, "Reload", NULL, NULL, NULL), "Reload");
                took = now_usec() - start;
                print_round(what, &took, 1);
                /* A reload removes all units and loads them again. */
                drain(bench->bus, &bench->seen);
        }
}

/* A login is answered before its units are up; this waits for them, and what is measured next does not meet
 * them. */
static uint64_t measure_login(struct bench *bench, size_t i) {
        uint64_t took;

        settle();
        bench->seen = (struct seen){.job = lease_prefix(bench->users[i])};
        took = logins_open_one(&bench->logins, i);
        wait_for(bench->bus, &bench->seen.n_jobs, 1);
        return took;
}

static size_t measure_sample(struct bench *bench, const char *what, size_t first, size_t n) {
        for (size_t i = first; i < first + n; i++) {
                uint64_t ours = measure_login(bench, i), chain, slice;

                settle();
                chain = measure_empty(bench->bus, &bench->seen, EMPTY_CABLE, EMPTY_SEAT);
                settle();
                slice = measure_empty(bench->bus, &bench->seen, NULL, EMPTY_ALONE);
                print_round(what, (uint64_t[]){ours, chain, slice}, 3);
        }
        return first + n;
}

/* These students log in and out, so that their next login is not the first one since boot. */
static void visit(struct bench *bench, const char *service, size_t first, size_t n) {
        struct logins logins;

        logins_start(&logins, service, bench->users + first, n);
        bench->seen = (struct seen){.job = "coursenet-"};
        (void)logins_open(&logins, 0, n);
        wait_for(bench->bus, &bench->seen.n_jobs, n);
        bench->seen = (struct seen){.removed = "netns@"};
        logins_close(&logins);
        wait_for(bench->bus, &bench->seen.n_removed, n);
        logins_end(&logins);
        drain(bench->bus, &bench->seen);
}

/* The students, in this order: one of each course; first; boot-first; those between; last; boot-last. */
static void measure_up(struct bench *bench) {
        size_t next = bench->n_courses, between;
        uint64_t took;

        for (size_t i = 0; i < bench->n_courses; i++)
                (void)measure_login(bench, i);
        hold_empty_bridge(bench->bus, &bench->seen);
        next = measure_sample(bench, "first", next, bench->sample);
        next = measure_sample(bench, "boot-first", next, bench->boot_sample);
        between = bench->n - next - bench->sample - bench->boot_sample;
        took = logins_open(&bench->logins, next, between);
        print_round("between", &took, 1);
        next = measure_sample(bench, "last", next + between, bench->sample);
        (void)measure_sample(bench, "boot-last", next, bench->boot_sample);
        release_empty_bridge(bench->bus, &bench->seen);
}

static void measure_down(struct bench *bench) {
        uint64_t start, took;

        bench->seen = (struct seen){.removed = "netns@", .last = "netbr@"};
        start = now_usec();
        logins_close(&bench->logins);
        wait_for(bench->bus, &bench->seen.n_removed, bench->n);
        took = now_usec() - start;
        print_round("down", &took, 1);
        wait_for(bench->bus, &bench->seen.n_last, bench->n_courses);
        logins_end(&bench->logins);
}

static void measure_chains(struct bench *bench) {
        uint64_t took = start_many(bench->bus, &bench->seen, bench->n, true);

        print_round("chains-up", &took, 1);
        measure_reload(bench, "reload-chains");
        took = stop_many(bench->bus, &bench->seen, bench->n, true);
        print_round("chains-down", &took, 1);
}

int main(int argc, char **argv) {
        struct bench bench = {0};

        if (argc < 5 || (bench.n = (size_t)argc - 4) > LOGINS_MAX ||
                (bench.sample = (size_t)atoi(argv[1])) == 0 ||
                (bench.n_courses = (size_t)atoi(argv[2])) == 0 ||
                bench.n_courses + 2 * (bench.sample + bench.sample / 3) >= bench.n) {
                (void)fprintf(stderr, "usage: growth-bench SAMPLE COURSES PAM-SERVICE USER...\n");
                return 2;
        }
        setlinebuf(stdout);
        bench.bus = connect_bus(&bench.seen);
        check(sd_bus_set_method_call_timeout(bench.bus, SILENCE_USEC), "timeout");
        bench.users = (const char *const *)argv + 4;
        bench.boot_sample = bench.sample / 3;
        visit(&bench, argv[3], bench.n_courses, bench.sample);
        visit(&bench, argv[3], bench.n - bench.sample - bench.boot_sample, bench.sample);
        logins_start(&bench.logins, argv[3], bench.users, bench.n);
        measure_reload(&bench, "reload-none");
        measure_up(&bench);
        print_round("full", NULL, 0);
        (void)getchar();
        measure_reload(&bench, "reload-seats");
        measure_down(&bench);
        measure_chains(&bench);
        sd_bus_flush_close_unref(bench.bus);
        return 0;
}
