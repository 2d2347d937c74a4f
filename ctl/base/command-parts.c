/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "command-parts.h"
#include "complain.h"

int command_parts_run(const struct command_parts *parts, const struct paths *paths, int argc, char **argv) {
        struct arguments arguments;
        int r;

        if (argc > 1 && argument_is_help(argv[1])) {
                (void)fputs(parts->usage, stdout);
                return EXIT_DONE;
        }
        for (size_t i = 0; i < parts->n_items && argc > 1; i++) {
                const struct command_part *part = &parts->items[i];

                if (!string_equal(argv[1], part->name))
                        continue;
                r = arguments_parse(argc - 1, argv + 1, &part->syntax, &arguments);
                if (r != 0)
                        return r > 0 ? EXIT_DONE : EXIT_USAGE;
                return part->run(paths, &arguments);
        }

        complain("%s needs a subcommand: %s.", parts->command, parts->names);
        (void)fputs(parts->usage, stderr);
        return EXIT_USAGE;
}
