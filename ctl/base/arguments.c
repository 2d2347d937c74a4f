/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses the arguments of every subcommand by getopt_long(), so that each takes them the same way. */

#include <getopt.h>

#include "arguments.h"
#include "complain.h"

/* What getopt_long() returns for each option: beyond all characters. */
enum {
        OPTION_JSON = 256,
        OPTION_AT,
        OPTION_COLUMN,
        OPTION_SKIP,
        OPTION_DRY_RUN,
        OPTION_FORCE,
        OPTION_NO_PAGER,
        OPTION_NO_LEGEND,
        OPTION_WATCH,
        OPTION_SINCE,
        OPTION_UNTIL,
        OPTION_ALLOW,
        OPTION_ALLOW_NAME,
        OPTION_HOSTS,
        OPTION_DIRECTORY,
};

static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"json", no_argument, NULL, OPTION_JSON},
        {"at", required_argument, NULL, OPTION_AT},
        {"column", required_argument, NULL, OPTION_COLUMN},
        {"skip", no_argument, NULL, OPTION_SKIP},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"force", no_argument, NULL, OPTION_FORCE},
        {"no-pager", no_argument, NULL, OPTION_NO_PAGER},
        {"no-legend", no_argument, NULL, OPTION_NO_LEGEND},
        {"watch", no_argument, NULL, OPTION_WATCH},
        {"since", required_argument, NULL, OPTION_SINCE},
        {"until", required_argument, NULL, OPTION_UNTIL},
        {"allow", required_argument, NULL, OPTION_ALLOW},
        {"allow-name", required_argument, NULL, OPTION_ALLOW_NAME},
        {"hosts", no_argument, NULL, OPTION_HOSTS},
        {"directory", required_argument, NULL, OPTION_DIRECTORY},
        {0},
};

bool argument_is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

/* Which commands have the option; 0: none. */
static unsigned taken_by(int option) {
        switch (option) {
        case OPTION_JSON:
                return TAKES_JSON;
        case OPTION_AT:
                return TAKES_AT;
        case OPTION_COLUMN:
        case OPTION_SKIP:
                return TAKES_IMPORT;
        case OPTION_DRY_RUN:
                return TAKES_IMPORT | TAKES_DRY_RUN;
        case OPTION_FORCE:
                return TAKES_FORCE;
        case OPTION_NO_PAGER:
                return TAKES_PAGER;
        case OPTION_NO_LEGEND:
                return TAKES_LEGEND;
        case OPTION_WATCH:
                return TAKES_WATCH;
        case OPTION_SINCE:
                return TAKES_TIMES;
        case OPTION_UNTIL:
                return TAKES_TIMES | TAKES_EXAM;
        case OPTION_ALLOW:
        case OPTION_ALLOW_NAME:
                return TAKES_EXAM;
        case OPTION_HOSTS:
                return TAKES_HOSTS;
        case OPTION_DIRECTORY:
                return TAKES_DIRECTORY;
        default:
                return 0;
        }
}

static void append(const char *words[static ARGUMENT_REPEATED_MAX], size_t *n, struct arguments *arguments) {
        if (*n < ARGUMENT_REPEATED_MAX)
                words[(*n)++] = optarg;
        else
                arguments->too_many = optarg;
}

static void take_option(int option, struct arguments *arguments) {
        switch (option) {
        case OPTION_JSON:
                arguments->json = true;
                break;
        case OPTION_AT:
                arguments->at = optarg;
                break;
        case OPTION_COLUMN:
                arguments->column = optarg;
                break;
        case OPTION_SKIP:
                arguments->skip = true;
                break;
        case OPTION_DRY_RUN:
                arguments->dry_run = true;
                break;
        case OPTION_FORCE:
                arguments->force = true;
                break;
        case OPTION_NO_PAGER:
                arguments->no_pager = true;
                break;
        case OPTION_NO_LEGEND:
                arguments->no_legend = true;
                break;
        case OPTION_WATCH:
                arguments->watch = true;
                break;
        case OPTION_SINCE:
                arguments->since = optarg;
                break;
        case OPTION_UNTIL:
                arguments->until = optarg;
                break;
        case OPTION_ALLOW:
                append(arguments->allow, &arguments->n_allow, arguments);
                break;
        case OPTION_ALLOW_NAME:
                append(arguments->allow_names, &arguments->n_allow_names, arguments);
                break;
        case OPTION_HOSTS:
                arguments->hosts = true;
                break;
        case OPTION_DIRECTORY:
                arguments->directory = optarg;
                break;
        default:
                break;
        }
}

/* For messages. The word that getopt() read last may be the option's value. */
static const char *option_name(int option, char **argv, char *text, size_t size) {
        for (const struct option *each = options; each->name; each++)
                if (each->val == option && each->has_arg) {
                        (void)snprintf(text, size, "--%s", each->name);
                        return text;
                }
        return argv[optind - 1];
}

void arguments_each_option(
        const struct syntax *syntax, void (*callback)(void *userdata, const char *option), void *userdata) {
        char text[32];

        for (const struct option *each = options; each->name; each++) {
                if (each->val != 'h' && !(taken_by(each->val) & syntax->options))
                        continue;
                (void)snprintf(text, sizeof(text), "--%s", each->name);
                callback(userdata, text);
        }
}

bool argument_needs_value(const char *word) {
        for (const struct option *each = options; each->name; each++)
                if (each->has_arg && string_starts_with(word, "--") && string_equal(word + 2, each->name))
                        return true;
        return false;
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
        char name[32];

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
                if (!(taken_by(c) & syntax->options))
                        return refuse(syntax, "This command has no such option",
                                option_name(c, argv, name, sizeof(name)));
                take_option(c, &arguments);
        }

        if (arguments.too_many)
                return refuse(
                        syntax, "There are too many of these, beginning with this one", arguments.too_many);
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
