/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses the arguments of every subcommand by getopt_long(), so that each takes them the same way. */

#include <getopt.h>

#include "arguments.h"
#include "complain.h"

enum {
        OPTION_JSON = 256,
        OPTION_AT,
        OPTION_COLUMN,
        OPTION_SKIP,
        OPTION_DRY_RUN,
        OPTION_FORCE,
};

static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"json", no_argument, NULL, OPTION_JSON},
        {"at", required_argument, NULL, OPTION_AT},
        {"column", required_argument, NULL, OPTION_COLUMN},
        {"skip", no_argument, NULL, OPTION_SKIP},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"force", no_argument, NULL, OPTION_FORCE},
        {0},
};

bool argument_is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

/* False: the command has no such option. */
static bool take_option(int option, const struct syntax *syntax, struct arguments *arguments) {
        switch (option) {
        case OPTION_JSON:
                arguments->json = true;
                return syntax->json;
        case OPTION_AT:
                arguments->at = optarg;
                return syntax->at;
        case OPTION_COLUMN:
                arguments->column = optarg;
                return syntax->import;
        case OPTION_SKIP:
                arguments->skip = true;
                return syntax->import;
        case OPTION_DRY_RUN:
                arguments->dry_run = true;
                return syntax->import;
        case OPTION_FORCE:
                arguments->force = true;
                return syntax->force;
        default:
                return false;
        }
}

/* For messages. The word that getopt() read last is the option's value, if it has one. */
static const char *option_name(int option, char **argv) {
        return option == OPTION_AT ? "--at" : option == OPTION_COLUMN ? "--column" : argv[optind - 1];
}

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

        /* 0, not 1, makes getopt() start again after an earlier run. Its own messages would not name
         * coursenetctl. */
        optind = 0;
        opterr = 0;
        for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) >= 0;) {
                if (c == 'h') {
                        (void)fputs(syntax->usage, stdout);
                        return 1;
                }
                if (c == ':')
                        return refuse(syntax, "This option needs a value", argv[optind - 1]);
                if (!take_option(c, syntax, &arguments))
                        return refuse(syntax, "This command has no such option", option_name(c, argv));
        }

        arguments.words = argv + optind;
        arguments.n_words = argc - optind;
        if (arguments.n_words < syntax->words_min)
                return refuse(syntax, "An argument is missing", NULL);
        if (arguments.n_words > syntax->words_max)
                return refuse(syntax, "There are too many arguments, beginning with this one",
                        arguments.words[syntax->words_max]);

        *ret = arguments;
        return 0;
}
