/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl setup`: what is left to do until the first login, each as a command, in the order in which it
 * is safe. It finds nothing by itself: it sorts what `coursenetctl check` finds by the remedies.
 */

#include "setup-command.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "checks.h"

const struct syntax setup_syntax = {
        .usage = "Usage: coursenetctl setup\n"
                 "\n"
                 "Shows what is left to do until the first login, in order, each as a command. Run it again "
                 "after\n"
                 "a command. Exits with 1 if something is left. For root only.\n",
};

/* How the commands of each step begin. The module comes last: before, a course user's login would be refused.
 */
enum step {
        STEP_UNITS,
        STEP_PROGRAM,
        STEP_ROSTER,
        STEP_ACCOUNTS,
        STEP_OTHER, /* none of these; `coursenetctl check` has the details */
        STEP_MODULE,
        _STEP_MAX,
};

static const char *const heads[_STEP_MAX] = {
        [STEP_UNITS] = "systemctl ",
        [STEP_PROGRAM] = "setcap ",
        [STEP_ROSTER] = "coursenetctl roster ",
        [STEP_ACCOUNTS] = "useradd ",
        [STEP_MODULE] = "pam-auth-update ",
};

static enum step step_of(const struct diagnostic *finding) {
        for (enum step i = 0; finding->remedy && i < _STEP_MAX; i++)
                if (heads[i] && string_starts_with(finding->remedy, heads[i]))
                        return i;
        return STEP_OTHER;
}

static void print_command(const char *why, const char *command) {
        (void)printf("# %s\n    %s\n", why, command);
}

/* Details of these have a line each in `coursenetctl check`. */
static size_t count_other(const struct diagnostics *findings) {
        size_t n = 0;

        for (size_t i = 0; i < findings->n_items; i++)
                n += step_of(&findings->items[i]) == STEP_OTHER;
        return n;
}

static void print_step(const struct diagnostics *findings, enum step step) {
        char why[1024];

        for (size_t i = 0; i < findings->n_items; i++) {
                const struct diagnostic *finding = &findings->items[i];

                if (step_of(finding) != step)
                        continue;
                (void)snprintf(why, sizeof(why), "%s: %s", finding->path, finding->text);
                string_make_printable(why);
                print_command(why, finding->remedy);
        }
}

static void print_other(size_t n) {
        char why[64];

        if (n == 0)
                return;
        (void)snprintf(why, sizeof(why), "%zu more finding%s:", n, plural(n));
        print_command(why, "coursenetctl check");
}

int setup_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        struct limits wanted = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &setup_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (geteuid() != 0) {
                complain("Only root can run setup, because only root can read the rosters and see the "
                         "firewall.");
                return EXIT_NO;
        }
        check_all(paths, &wanted, &findings);
        if (findings.n_items == 0 && findings.n_errors == 0) {
                (void)puts(
                        "Nothing is left to do. To try it: ssh USER@localhost, where USER is a student on a "
                        "roster.");
                return EXIT_DONE;
        }
        (void)puts("Left to do, in this order:");
        for (enum step i = 0; i < _STEP_MAX; i++)
                if (i == STEP_OTHER)
                        print_other(count_other(&findings));
                else
                        print_step(&findings, i);
        return EXIT_NO;
}
