/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The interface of coursenet-enter on a command line: its options, exit codes and sentences. */

#include "console.h"

/* Beside those of console.h. What the user's command ends with comes through as it is. */
enum {
        EXIT_CANNOT_RUN = 126, /* the command cannot be executed */
        EXIT_NOT_FOUND = 127,  /* there is no such command */
};

/* "coursenet-enter: TEXT" and a newline on stderr. */
#define complain(...) console_complain("coursenet-enter", __VA_ARGS__)

struct command_line {
        bool help;
        bool seat_only;      /* --seat, --seat-of */
        const char *student; /* --seat-of: a student, or a seat; NULL: one's own seat. Borrowed from argv */
        bool login;          /* started as a login shell: argv[0] begins with "-" */
        const char *script;  /* -c, like a shell's; NULL: none. Borrowed from argv, like command */
        char **command;      /* NULL: none, so a shell is started; never empty */
};

/* -EINVAL if the arguments are wrong; *ret_reason then says why, as a static sentence. */
int command_line_parse(int argc, char **argv, struct command_line *ret, const char **ret_reason);
