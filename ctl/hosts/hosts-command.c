/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl hosts`: its own table of subcommands. */

#include "hosts-command.h"
#include "frr-command.h"

#define STATUS_USAGE "coursenetctl hosts [status] [--json] [--no-legend] [--no-pager]\n"

static const char usage[] = "Usage: " STATUS_USAGE "       coursenetctl hosts frr\n"
                            "       coursenetctl hosts apply\n"
                            "\n"
                            "The servers that share courses with this one. See coursenetctl(8).\n";

static const struct command_part parts[] = {
        {"status", hosts_status,
                {"Usage: " STATUS_USAGE "\n"
                 "Shows the servers that share courses, whether they are up, and how many seats are live on "
                 "each.\n"
                 "For root only.\n",
                        .options = TAKES_JSON | TAKES_LEGEND | TAKES_PAGER}},
        {"frr", hosts_frr,
                {"Usage: coursenetctl hosts frr\n"
                 "\n"
                 "Prints the part of FRR's configuration that coursenet needs on this server.\n",
                        .words_max = 0}},
        {"apply", hosts_apply,
                {"Usage: coursenetctl hosts apply\n"
                 "\n"
                 "Loads that part into the FRR that runs, and takes out of it the servers that have gone. "
                 "What\n"
                 "the site has in FRR stays as it is. Without [hosts] in the settings it takes all of "
                 "coursenet's\n"
                 "part out. For root only. Exits with 3 if FRR's bgpd does not answer.\n",
                        .words_max = 0}},
};

const struct command_parts hosts_parts = {
        .command = "hosts",
        .usage = usage,
        .names = "status, frr or apply",
        .items = parts,
        .n_items = ELEMENTSOF(parts),
};

/* Without a subcommand it is status, which is what an administrator wants most of the time. */
int hosts_command(const struct paths *paths, int argc, char **argv) {
        struct arguments arguments;
        int r;

        if (argc > 1 && (argv[1][0] != '-' || argument_is_help(argv[1])))
                return command_parts_run(&hosts_parts, paths, argc, argv);
        r = arguments_parse(argc, argv, &parts[0].syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        return hosts_status(paths, &arguments);
}
