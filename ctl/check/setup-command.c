/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl setup`: what is left to do until the first login, each as a command, in the order in which it
 * is safe. It finds nothing by itself: it sorts what `coursenetctl check` finds by the remedies.
 */

#include "setup-command.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/json.h"
#include "checks.h"

const struct syntax setup_syntax = {
        .options = TAKES_JSON,
        .usage = "Usage: coursenetctl setup [--json]\n"
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
        STEP_FRR,
        STEP_ROSTER,
        STEP_ACCOUNTS,
        STEP_OTHER, /* none of these; `coursenetctl check` has the details */
        STEP_MODULE,
        _STEP_MAX,
};

static const struct {
        enum step step;
        const char *head;
} heads[] = {
        {STEP_UNITS, "systemctl "},
        {STEP_PROGRAM, "setcap "},
        {STEP_FRR, "coursenetctl hosts "},
        {STEP_ROSTER, "coursenetctl roster "},
        {STEP_ACCOUNTS, ADD_ACCOUNT},
        {STEP_ACCOUNTS, ADD_ACCOUNTS},
        {STEP_MODULE, "pam-auth-update "},
};

static enum step step_of(const struct diagnostic *finding) {
        for (size_t i = 0; finding->remedy && i < ELEMENTSOF(heads); i++)
                if (string_starts_with(finding->remedy, heads[i].head))
                        return heads[i].step;
        return STEP_OTHER;
}

/* steps: the list in the JSON document; NULL: the command is printed for people. */
static int show_command(json_object *steps, const char *why, const char *command) {
        json_object *step;

        if (!steps) {
                (void)printf("# %s\n    %s\n", why, command);
                return 0;
        }
        step = json_append_object(steps);
        if (!step || json_put_text(step, "why", why) < 0 || json_put_text(step, "command", command) < 0)
                return -ENOMEM;
        return 0;
}

/* Details of these have a line each in `coursenetctl check`. */
static size_t count_other(const struct diagnostics *findings) {
        size_t n = 0;

        for (size_t i = 0; i < findings->n_items; i++)
                n += step_of(&findings->items[i]) == STEP_OTHER;
        return n;
}

static int show_step(json_object *steps, const struct diagnostics *findings, enum step step) {
        char why[1024];
        int r = 0;

        for (size_t i = 0; i < findings->n_items && r >= 0; i++) {
                const struct diagnostic *finding = &findings->items[i];

                if (step_of(finding) != step)
                        continue;
                (void)snprintf(why, sizeof(why), "%s: %s", finding->path, finding->text);
                string_make_printable(why);
                r = show_command(steps, why, finding->remedy ? finding->remedy : "coursenetctl check");
        }
        return r;
}

static int show_other(json_object *steps, size_t n) {
        char why[64];

        if (n == 0)
                return 0;
        (void)snprintf(why, sizeof(why), "%zu more finding%s:", n, plural(n));
        return show_command(steps, why, "coursenetctl check");
}

static int show_steps(json_object *steps, const struct diagnostics *findings) {
        int r = 0;

        for (enum step i = 0; i < _STEP_MAX && r >= 0; i++)
                if (i == STEP_OTHER)
                        r = show_other(steps, count_other(findings));
                else
                        r = show_step(steps, findings, i);
        return r;
}

static int print_json(const struct diagnostics *findings) {
        _cleanup_json_ json_object *document = json_new_document();
        json_object *steps = document ? json_put_array(document, "steps") : NULL;
        int r = steps ? show_steps(steps, findings) : -ENOMEM;

        return r < 0 ? r : json_print(document);
}

int setup_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        struct limits wanted = {0};
        struct arguments arguments;
        bool done;
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
        done = findings.n_items == 0 && findings.n_errors == 0 && !findings.lost;
        if (findings.lost)
                complain(DIAGNOSTICS_LOST);
        if (arguments.json) {
                r = print_json(&findings);
                if (r < 0)
                        complain("%s", strerror(-r));
                return r >= 0 && done ? EXIT_DONE : EXIT_NO;
        }
        if (done) {
                (void)puts(
                        "Nothing is left to do. To try it: ssh USER@localhost, where USER is a student on a "
                        "roster.");
                return EXIT_DONE;
        }
        (void)puts("Left to do, in this order:");
        (void)show_steps(NULL, &findings);
        return EXIT_NO;
}
