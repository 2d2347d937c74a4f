/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The arguments of a subcommand. */

#include "util.h"

/* The options of a command, in addition to --help. */
enum takes {
        TAKES_JSON = 1 << 0,       /* --json */
        TAKES_AT = 1 << 1,         /* --at */
        TAKES_IMPORT = 1 << 2,     /* --column, --skip and --dry-run */
        TAKES_FORCE = 1 << 3,      /* --force */
        TAKES_PAGER = 1 << 4,      /* --no-pager */
        TAKES_LEGEND = 1 << 5,     /* --no-legend */
        TAKES_WATCH = 1 << 6,      /* --watch */
        TAKES_TIMES = 1 << 7,      /* --since and --until */
        TAKES_EXAM = 1 << 8,       /* --until, --allow and --allow-name */
        TAKES_DRY_RUN = 1 << 9,    /* --dry-run */
        TAKES_HOSTS = 1 << 10,     /* --hosts */
        TAKES_DIRECTORY = 1 << 11, /* --directory */
};

/* What a word of a command means, for completion. */
enum word_kind {
        WORD_OTHER, /* nothing that could be listed */
        WORD_COURSE,
        WORD_PERSON,  /* a seat or a user */
        WORD_TARGET,  /* a course, a seat or a user */
        WORD_UP,      /* the same, of seats that are not down */
        WORD_STUDENT, /* on the roster of the course in the word before */
        WORD_FILE,
        WORD_HOST, /* a server of [hosts] */
};

/* How often an option may be repeated. */
#define ARGUMENT_REPEATED_MAX 32U

struct syntax {
        const char *usage; /* printed by --help: a "Usage:" line, then what the command does */
        unsigned options;  /* enum takes */
        int words_min, words_max;
        enum word_kind first, others; /* the first word, and all others */
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
        bool watch;
        bool hosts;
        const char *since, *until; /* borrowed; NULL: not given */
        const char *directory;     /* the same */
        const char *allow[ARGUMENT_REPEATED_MAX], *allow_names[ARGUMENT_REPEATED_MAX]; /* borrowed */
        size_t n_allow, n_allow_names;
        const char *too_many; /* an option that was repeated too often */
};

/*
 * Parses a subcommand's arguments. Returns 0; 1 if the user asked for help, which was printed; -EINVAL if the
 * arguments do not fit the syntax, after a message on stderr.
 */
int arguments_parse(int argc, char **argv, const struct syntax *syntax, struct arguments *ret);

/* Calls back for each option that the command has, with its two dashes. */
void arguments_each_option(
        const struct syntax *syntax, void (*callback)(void *userdata, const char *option), void *userdata);

/* Whether the word is an option of a command whose value is the next word. */
bool argument_needs_value(const char *word);

/* True for a word that asks for help where a command is expected: -h, --help or help. */
bool argument_is_help(const char *word);
