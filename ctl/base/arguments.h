/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The arguments of a subcommand. */

#include "util.h"

/* The options of a command, in addition to --help. */
enum takes {
        TAKES_JSON = 1 << 0,   /* --json */
        TAKES_AT = 1 << 1,     /* --at */
        TAKES_IMPORT = 1 << 2, /* --column, --skip and --dry-run */
        TAKES_FORCE = 1 << 3,  /* --force */
        TAKES_PAGER = 1 << 4,  /* --no-pager */
        TAKES_LEGEND = 1 << 5, /* --no-legend */
};

struct syntax {
        const char *usage; /* printed by --help: a "Usage:" line, then what the command does */
        unsigned options;  /* enum takes */
        int words_min, words_max;
};

struct arguments {
        char **words; /* borrowed from argv */
        int n_words;
        bool json;
        const char *at;     /* borrowed; NULL: not given */
        const char *column; /* borrowed; NULL: not given */
        bool skip;
        bool dry_run;
        bool force;
        bool no_pager;
        bool no_legend;
};

/*
 * Parses a subcommand's arguments. Returns 0; 1 if the user asked for help, which was printed; -EINVAL if the
 * arguments do not fit the syntax, after a message on stderr.
 */
int arguments_parse(int argc, char **argv, const struct syntax *syntax, struct arguments *ret);

/* True for a word that asks for help where a command is expected: -h, --help or help. */
bool argument_is_help(const char *word);
