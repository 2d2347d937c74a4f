/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-capture-server: sends one user the packets of one seat. coursenet-capture@.service runs it, with
 * the connection as its standard input; what it prints is for the journal.
 */

#include <getopt.h>

#include "number.h"
#include "session.h"
#include "util.h"

static const char usage_text[] = "usage: coursenet-capture-server --seconds NUMBER --bytes NUMBER\n";

/* A day, so that milliseconds fit into an int. */
#define SECONDS_MAX 86400U

static int parse(const char *text, uint64_t maximum, uint64_t *ret) {
        char *rest;

        if (!digits_only(text))
                return -EINVAL;
        errno = 0;
        *ret = strtoull(text, &rest, 10);
        return errno != 0 || *ret == 0 || *ret > maximum ? -EINVAL : 0;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},
                {"seconds", required_argument, NULL, 's'},
                {"bytes", required_argument, NULL, 'b'},
                {0},
        };
        struct session_limits limits = {0};
        int option, r = 0;

        if (argc == 2 && string_equal(argv[1], "help")) {
                (void)fputs(usage_text, stdout);
                return EXIT_SUCCESS;
        }
        while (r >= 0 && (option = getopt_long(argc, argv, "h", options, NULL)) != -1)
                switch (option) {
                case 'h':
                        (void)fputs(usage_text, stdout);
                        return EXIT_SUCCESS;
                case 's':
                        r = parse(optarg, SECONDS_MAX, &limits.seconds);
                        break;
                case 'b':
                        r = parse(optarg, UINT64_MAX, &limits.bytes);
                        break;
                default:
                        r = -EINVAL;
                }
        if (r < 0 || optind < argc || limits.seconds == 0 || limits.bytes == 0) {
                (void)fputs(usage_text, stderr);
                return 2;
        }

        r = session_run(STDIN_FILENO, &limits);
        if (r < 0)
                (void)fprintf(stderr, "The activator did not say what to capture: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
