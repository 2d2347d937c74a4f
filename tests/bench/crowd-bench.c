/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures logins that begin at the same moment, each in a process of its own, until the last one is in, and
 * their logouts, until the last namespace is gone. Beside them it measures as many chains of empty units,
 * empty slices, and sessions of pam_usernet. Each round prints
 *
 *   up     logins, until their units are up as well | chains, slices, pam_usernet
 *   down   logins | chains
 *
 * usage: crowd-bench ROUNDS PAM-SERVICE USER... Runs in a guest, as root; crowd.py prepares it. The users are
 * of one course.
 */

#include "logins.h"

struct measured {
        uint64_t up, units_up, down;
};

static void measure_logins(sd_bus *bus, struct seen *seen, const char *service, const char *const *users,
        size_t n, struct measured *ret) {
        struct logins logins;
        uint64_t start;

        settle();
        logins_start(&logins, service, users, n);
        *seen = (struct seen){.job = lease_prefix(users[0])};
        start = now_usec();
        ret->up = logins_open(&logins, 0, n);
        /* A login is answered before its units are up. */
        wait_for(bus, &seen->n_jobs, n);
        ret->units_up = now_usec() - start;
        *seen = (struct seen){.removed = "netns@", .last = "netbr@"};
        start = now_usec();
        logins_close(&logins);
        wait_for(bus, &seen->n_removed, n);
        ret->down = now_usec() - start;
        wait_for(bus, &seen->n_last, 1);
        logins_end(&logins);
}

static uint64_t measure_usernet(const char *const *users, size_t n) {
        struct logins logins;
        uint64_t took;

        settle();
        logins_start(&logins, USERNET_SERVICE, users, n);
        took = logins_open(&logins, 0, n);
        logins_close(&logins);
        logins_end(&logins);
        remove_named_namespaces(users, n);
        return took;
}

static struct measured measure_many(sd_bus *bus, struct seen *seen, size_t n, bool chains) {
        struct measured measured;

        settle();
        measured.up = start_many(bus, seen, n, chains);
        measured.down = stop_many(bus, seen, n, chains);
        return measured;
}

int main(int argc, char **argv) {
        const char *const *users = (const char *const *)argv + 3;
        size_t n = (size_t)argc - 3;
        struct seen seen = {0};
        sd_bus *bus;

        if (argc < 4 || n > LOGINS_MAX) {
                (void)fprintf(stderr, "usage: crowd-bench ROUNDS PAM-SERVICE USER...\n");
                return 2;
        }
        setlinebuf(stdout);
        bus = connect_bus(&seen);
        for (int i = 0; i < atoi(argv[1]); i++) {
                struct measured ours, chains, slices;

                measure_logins(bus, &seen, argv[2], users, n, &ours);
                chains = measure_many(bus, &seen, n, true);
                slices = measure_many(bus, &seen, n, false);
                print_round("up",
                        (uint64_t[]){ours.up, ours.units_up, chains.up, slices.up, measure_usernet(users, n)},
                        5);
                print_round("down", (uint64_t[]){ours.down, chains.down}, 2);
        }
        sd_bus_flush_close_unref(bus);
        return 0;
}
