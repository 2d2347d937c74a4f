/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The arguments of every subcommand, so that each takes them the same way. */

#include <getopt.h>

#include "command.h"
#include "message.h"

enum {
        OPTION_HELP = 256,
        OPTION_JSON,
        OPTION_AT,
};

static const struct option options[] = {
        {"help", no_argument, NULL, OPTION_HELP},
        {"json", no_argument, NULL, OPTION_JSON},
        {"at", required_argument, NULL, OPTION_AT},
        {0},
};

static int refuse(const struct syntax *syntax, const char *what, const char *word) {
        if (word)
                complain("%s: %s", what, word);
        else
                complain("%s.", what);
        (void)fprintf(stderr, "%.*s\n", (int)strcspn(syntax->usage, "\n"), syntax->usage);
        return -EINVAL;
}

int arguments_parse(int argc, char **argv, const struct syntax *syntax, struct arguments *ret) {
        struct arguments arguments = {0};

        /* 0, not 1: getopt() then forgets all of an earlier run. Its own messages would not name us. */
        optind = 0;
        opterr = 0;
        for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) >= 0;) {
                if (c == OPTION_HELP) {
                        (void)fputs(syntax->usage, stdout);
                        return 1;
                }
                if (c == ':')
                        return refuse(syntax, "This option needs a value", argv[optind - 1]);
                if (c == OPTION_JSON && syntax->json)
                        arguments.json = true;
                else if (c == OPTION_AT && syntax->at)
                        arguments.at = optarg;
                else
                        return refuse(syntax, "There is no such option here",
                                c == OPTION_AT ? "--at" : argv[optind - 1]);
        }

        arguments.words = argv + optind;
        arguments.n_words = argc - optind;
        if (arguments.n_words < syntax->words_min)
                return refuse(syntax, "Something is missing", NULL);
        if (arguments.n_words > syntax->words_max)
                return refuse(syntax, "This is one word too many", arguments.words[syntax->words_max]);

        *ret = arguments;
        return 0;
}
