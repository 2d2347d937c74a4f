/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures a class that logs in at the same moment, with its seats held and without; and single logins of
 * another course while the seats of the class are being held. Each round prints
 *
 *   class   logins with held seats | without
 *   during  one login during `coursenetctl start` | without, the medians of some
 *
 * and before that the words hold, release, start and stop, each of which asks class_hours.py to do that.
 *
 * usage: class-bench ROUNDS PAM-SERVICE OTHER USER... Runs in a guest, as root; class_hours.py prepares it.
 */

#include "logins.h"

#define SINGLE_LOGINS 11

static void ask(const char *what) {
        (void)puts(what);
        (void)getchar();
}

/* Those of holds. systemd's answer comes behind all signals that it has sent before. */
static void forget_signals(sd_bus *bus, struct seen *seen) {
        check(sd_bus_call_method(bus, SYSTEMD, "GetDefaultTarget", NULL, NULL, NULL), "GetDefaultTarget");
        drain(bus, seen);
}

static uint64_t measure_class(
        sd_bus *bus, struct seen *seen, const char *service, const char *const *users, size_t n) {
        struct logins logins;
        uint64_t took;

        settle();
        logins_start(&logins, service, users, n);
        forget_signals(bus, seen);
        *seen = (struct seen){.job = lease_prefix(users[0]), .removed = lease_prefix(users[0])};
        took = logins_open(&logins, 0, n);
        /* A login is answered before its units are up. */
        wait_for(bus, &seen->n_jobs, n);
        logins_close(&logins);
        wait_for(bus, &seen->n_removed, n);
        logins_end(&logins);
        return took;
}

static int compare(const void *a, const void *b) {
        const uint64_t *left = a, *right = b;

        return (*left > *right) - (*left < *right);
}

/* The median of logins one after the other, each to a seat that is down. */
static uint64_t measure_single(sd_bus *bus, struct seen *seen, const char *service, const char *user) {
        uint64_t took[SINGLE_LOGINS];

        for (size_t i = 0; i < SINGLE_LOGINS; i++) {
                pam_handle_t *pam;

                forget_signals(bus, seen);
                *seen = (struct seen){.removed = lease_prefix(user)};
                took[i] = open_session(service, user, &pam);
                close_session(pam);
                wait_for(bus, &seen->n_removed, 1);
        }
        qsort(took, SINGLE_LOGINS, sizeof(took[0]), compare);
        return took[SINGLE_LOGINS / 2];
}

int main(int argc, char **argv) {
        const char *const *users = (const char *const *)argv + 4;
        size_t n = (size_t)argc - 4;
        struct seen seen = {0};
        sd_bus *bus;

        if (argc < 5 || n > LOGINS_MAX) {
                (void)fprintf(stderr, "usage: class-bench ROUNDS PAM-SERVICE OTHER USER...\n");
                return 2;
        }
        setlinebuf(stdout);
        bus = connect_bus(&seen);
        for (int i = 0; i < atoi(argv[1]); i++) {
                uint64_t cold, held, quiet, during;

                cold = measure_class(bus, &seen, argv[2], users, n);
                ask("hold");
                held = measure_class(bus, &seen, argv[2], users, n);
                ask("release");
                print_round("class", (uint64_t[]){held, cold}, 2);

                quiet = measure_single(bus, &seen, argv[2], argv[3]);
                ask("start");
                during = measure_single(bus, &seen, argv[2], argv[3]);
                ask("stop");
                print_round("during", (uint64_t[]){during, quiet}, 2);
        }
        sd_bus_flush_close_unref(bus);
        return 0;
}
