/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the subcommands of coursenetctl have in common: how they are called, what they may exit with, and
 * where the files are that they look at. main() knows the real places; tests pass folders of their own.
 */

#include "util.h"

#define COURSENET_VERSION "0.1"

/* Scripts rely on these. */
enum exit_code {
        EXIT_DONE = 0,
        EXIT_NO = 1, /* not found, failed, something is wrong */
        EXIT_USAGE = 2,
        EXIT_UNREACHABLE = 3, /* the activator does not answer */
};

struct scope;

struct paths {
        const char *etc; /* /etc/coursenet */
        const char *pam; /* /etc/pam.d */
        const char *activator_socket;
        const char *query_socket;
        const char *net;           /* coursenet-net, the program */
        const char *dnsmasq;       /* the program */
        const char *proc;          /* /proc */
        const struct scope *scope; /* for whom root runs this; NULL: for whoever does */
};

/* Each gets its own name as argv[0] and returns an exit code. */
int check_command(const struct paths *paths, int argc, char **argv);
int for_peer_command(const struct paths *paths, int argc, char **argv);
int history_command(const struct paths *paths, int argc, char **argv);
int roster_command(const struct paths *paths, int argc, char **argv);
int seat_command(const struct paths *paths, int argc, char **argv);
int start_command(const struct paths *paths, int argc, char **argv);
int stop_command(const struct paths *paths, int argc, char **argv);
int status_command(const struct paths *paths, int argc, char **argv);
int teardown_command(const struct paths *paths, int argc, char **argv);

struct syntax {
        const char *usage; /* printed by --help: a "Usage:" line, then what the command does */
        bool json;         /* takes --json */
        bool at;           /* takes --at */
        bool import;       /* takes --column, --skip and --dry-run */
        bool force;        /* takes --force */
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
};

/*
 * Takes a subcommand's arguments apart. Returns 0; 1 if help was asked for, and given; -EINVAL if the
 * arguments do not fit the syntax, which is said on stderr.
 */
int arguments_parse(int argc, char **argv, const struct syntax *syntax, struct arguments *ret);

/* True for a word that asks for help where a command is expected: -h, --help or help. */
bool argument_is_help(const char *word);
