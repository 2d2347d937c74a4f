/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Parses the command line, runs the subcommand and prints its diagnostics. Only the main() of coursenet-net
 * and of coursenet-host call it.
 */

#include "subcommand.h"
#include "notify.h"
#include "stderr.h"

/* Less than TimeoutStartSec= of the units, 20 s, after which systemd ends the program. */
#define NOTIFY_TIMEOUT_MS 15000

#define EXIT_USAGE 2

/* NULL: no such subcommand. *ret_id is then untouched. */
static const struct subcommand *find_subcommand(
        int argc, char **argv, const struct subcommand *subcommands, size_t n, const char **ret_id) {
        for (size_t i = 0; i < n; i++) {
                const struct subcommand *subcommand = &subcommands[i];
                int n_words = subcommand->verb ? 2 : 1;

                if (argc != n_words + (subcommand->takes_id ? 2 : 1) ||
                        !string_equal(argv[1], subcommand->object) ||
                        (subcommand->verb && !string_equal(argv[2], subcommand->verb)))
                        continue;
                *ret_id = argv[n_words + 1]; /* NULL without one */
                return subcommand;
        }
        return NULL;
}

/*
 * READY=1 lets systemd start the next unit before it has handled the end of this process. The process waits
 * until systemd has read the message, because systemd may otherwise see the end of the process first.
 */
static int notify_done(void) {
        int r = notify_deliver("READY=1", NOTIFY_TIMEOUT_MS);

        if (r < 0)
                stderr_warning("systemd cannot be notified that the command has finished: %s", strerror(-r));
        return r == -ETIMEDOUT ? 0 : r;
}

static bool is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

int subcommand_main(
        int argc, char **argv, const struct subcommand *subcommands, size_t n, const char *usage) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const struct subcommand *subcommand;
        const char *id = NULL;
        int r;

        if (argc == 2 && is_help(argv[1])) {
                (void)fputs(usage, stdout);
                return EXIT_SUCCESS;
        }
        subcommand = find_subcommand(argc, argv, subcommands, n, &id);
        if (!subcommand) {
                (void)fputs(usage, stderr);
                return EXIT_USAGE;
        }

        r = subcommand->run(id, &diagnostics);
        stderr_print_diagnostics(&diagnostics);
        if (r >= 0 && subcommand->notifies)
                r = notify_done();
        return r < 0 ? EXIT_FAILURE : r;
}
